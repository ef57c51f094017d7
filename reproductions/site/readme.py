"""What READMEs and docs say, as HTML: sections, the sentence that sums a paper up, and passages about a system."""

import re
from fnmatch import fnmatchcase
from pathlib import Path

GENERATED = re.compile(r"<!-- begin .*?<!-- end .*? -->", re.S)
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
PASSAGE = re.compile(r"\n\s*\n|\n(?=(?:\*|\d+\.) )")  # what is between two paragraphs or list items
ITEM = re.compile(r"(?:\*|(\d+)\.) ")
TOPIC = re.compile(r"(?:(?:\*|\d+\.) )?\*\*([^*`]+?)[.:]?\*\*")  # in bold at the beginning of a passage
NO_PROSE = re.compile(r"[|#<!]| {4}")  # how tables, headings, HTML, pictures and code begin


def sections(page: Path) -> dict[str, str]:
    """The text below each heading of the second level, without generated tables.

    Parameters
    ----------
    page : Path
        A file in Markdown.

    Returns
    -------
    dict of str to str
        By heading.
    """
    text = GENERATED.sub("", page.read_text(encoding="utf-8"))
    return dict(part.split("\n", 1) for part in re.split(r"^## ", text, flags=re.M)[1:])


def html(markdown_text: str):
    """Markdown as HTML, without pictures; links to files lose their target, which the site does not have.

    Parameters
    ----------
    markdown_text : str

    Returns
    -------
    markupsafe.Markup
    """
    import markdown
    from markupsafe import Markup

    text = re.sub(r"!\[.*?\]\(.*?\)", "", markdown_text)
    text = re.sub(r"\[([^\]]*)\]\((?!https?:)[^)]*\)", r"\1", text)
    return Markup(markdown.markdown(text, extensions=["tables", "sane_lists"]))


def first_sentence(text: str) -> str:
    """The first sentence of a section, as Markdown.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
    """
    return SENTENCE_END.split(text.strip(), maxsplit=1)[0]


def passages_about(texts: dict[str, str], system: str, variants: set[str]) -> list[tuple[str, str, str]]:
    """Paragraphs and list items about a system, with the heading they are under.

    They name it or one of its variants, or begin with a part of its name in bold.

    Parameters
    ----------
    texts : sections by heading, as from `sections`
    system : its name in the paper, or where the paper has it; a reference in brackets counts as a name too
    variants : names of variants; in the text they stand between backticks, also with wildcards

    Returns
    -------
    heading, number of the item (empty for others), Markdown
    """
    reference = re.search(r"\[\d+\]", system)
    names = [re.sub(r"\s*\[\d+\]", "", system)] + ([reference[0]] if reference else [])
    named = re.compile("|".join(rf"(?<!\w){re.escape(name)}(?!\.?\w)" for name in names), re.I)
    passages = []
    for heading, text in texts.items():
        for passage in (part.strip("\n") for part in PASSAGE.split(text)):
            if not passage or NO_PROSE.match(passage):
                continue
            codes, topic = re.findall("`([^`]+)`", passage), TOPIC.match(passage)
            if (
                named.search(passage)
                or (topic and re.search(rf"\b{re.escape(topic[1])}\b", system, re.I))
                or any(fnmatchcase(variant, code) for variant in variants for code in codes)
            ):
                item = ITEM.match(passage)
                passages.append((heading, item[1] or "", passage[item.end() :]) if item else (heading, "", passage))
    return passages


def verdict_meanings(page: Path) -> dict[str, str]:
    """What each verdict on a cell means: the table in the section Cells of docs/verdicts.md.

    Parameters
    ----------
    page : Path
        docs/verdicts.md.

    Returns
    -------
    dict of str to str
        Markdown by verdict.
    """
    lines = re.findall(r"^\| (`.*?) \| (.*) \|$", sections(page)["Cells"], flags=re.M)
    return {verdict: meaning for names, meaning in lines for verdict in re.findall("`(.*?)`", names)}
