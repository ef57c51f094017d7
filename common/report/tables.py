"""Tables for the terminal and for READMEs, from the rows of `common.verdict.board`."""

import csv
import io
from pathlib import Path

from common.errors import InputError
from common.verdict.board import Row
from common.verdict.crossed import standard_error
from common.verdict.recorded import Records

MARK = "<!-- {} {} -->"


def number(value: float | None, digits: int = 3) -> str:
    """A number as papers print it: .51, -.02.

    Parameters
    ----------
    value : float or None
    digits : int
        After the point.

    Returns
    -------
    str
        A dash for None.

    Examples
    --------
    >>> number(0.514), number(-0.02, 2), number(None)
    ('.514', '-.02', '–')
    """
    if value is None:
        return "–"
    text = f"{value:.{digits}f}"
    text = text if float(text) else text.removeprefix("-")
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def interval(row: dict) -> str:
    """The interval of a row as text.

    Parameters
    ----------
    row : dict
        With `low` and `high`, which may be None.

    Returns
    -------
    str
        As ".49 … .53"; a dash without one.
    """
    return "–" if row["low"] is None else f"{number(row['low'])} … {number(row['high'])}"


def p_value(p: float | None) -> str:
    """A p value with three digits.

    Parameters
    ----------
    p : float or None
        In [0, 1].

    Returns
    -------
    str
        A dash for None.
    """
    return "–" if p is None else f"{p:.3f}" if p >= 0.001 else "< 0.001"


def text_table(header: list[str], rows: list[list[str]]) -> str:
    """A table for the terminal: columns padded with blanks, aligned left.

    Parameters
    ----------
    header : list of str
    rows : list of list
        Cells, as many in each row as in the header.

    Returns
    -------
    str
        Lines without a newline at the end.
    """
    widths = [max(len(str(line[i])) for line in [header, *rows]) for i in range(len(header))]
    lines = [
        "  ".join(str(cell).ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in [header, ["─" * width for width in widths], *rows]
    ]
    return "\n".join(lines)


def csv_text(lines) -> str:
    """Lines of cells as CSV.

    Parameters
    ----------
    lines : iterable of iterables
        A header first.

    Returns
    -------
    str
        With commas and newlines.
    """
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(lines)
    return buffer.getvalue()


def markdown_table(header: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown.

    Parameters
    ----------
    header : list of str
    rows : list of list
        Cells, as many in each row as in the header.

    Returns
    -------
    str
        Lines without a newline at the end.
    """
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


DIVERGED = 100  # a larger mean says only that the network diverged
COLUMNS = ["target", "published", "measured", "prediction interval", "runs", "baseline", "verdict"]


def _line(row: Row, first: str) -> list[str]:
    fields = row.fields
    mixed = f" of {fields['identities']} identities" if (fields["identities"] or 1) > 1 else ""
    return [
        fields[first], fields["target"], number(fields["published"], row.digits),
        number(fields["measured"]), interval(fields), f"{fields['runs'] or '–'}{mixed}", number(fields["baseline"]),
        f"{fields['verdict']} ({row.note})" if row.note else fields["verdict"],
    ]  # fmt: skip


def coverage(facts: dict) -> str:
    """What a record covers, in a line: songs, input, audio.

    Parameters
    ----------
    facts : dict
        As from `common.verdict.recorded.coverage_of`.

    Returns
    -------
    str
    """
    trained, tested = ((facts[f"n_{part}"], facts[f"of_{part}"]) for part in ("train", "test"))
    songs = f"{tested[0]} of {tested[1]} songs"  # the same ones: in turn in cross-validation, or errors of training
    if trained != tested:
        songs = f"trained on {trained[0]} of {trained[1]} songs, tested on {tested[0]} of {tested[1]}"
    frames = f", {facts['frames']}" if facts.get("frames") else ""
    shortened = "; other epochs, folds, songs or settings than the paper's" if facts.get("partial") else ""
    audio = "no audio" if facts["audio"] == "none" else f"audio {facts['audio']}"
    return f"{songs}{frames}{shortened}; {facts['input']}; {audio}"


def board(rows: list[Row], render=text_table, first: str = "system") -> str:
    """All cells: one table a table of the paper, and what each measured variant ran on.

    Parameters
    ----------
    rows : list of Row
    render : callable
        `text_table` or `markdown_table`.
    first : str
        What the first column names: the paper's `system`, or the `variant` that was run.

    Returns
    -------
    str
    """
    tables = {}
    for row in rows:
        key = tuple(row.fields[name] for name in ("paper", "source", "metric", "dataset", "split"))
        tables.setdefault(key, []).append(row)
    blocks = []
    for (paper, source, metric, dataset, split), cells in tables.items():
        title = f"{paper} · {source} · {metric} on {dataset}, {split}"
        ran_on = {f["variant"]: f for f in (row.fields for row in cells) if f["record"]}
        notes = [f"{variant}: {coverage(f)}; {_origin(f)}" for variant, f in ran_on.items()]
        if render is markdown_table:
            title, notes = f"**{title}**\n", [""] * bool(notes) + [f"* {note}" for note in notes]
        blocks.append("\n".join([title, render([first, *COLUMNS], [_line(row, first) for row in cells]), *notes]))
    return "\n\n".join(blocks)


def _origin(fields: dict) -> str:
    """The file of a record, who contributed it, and whether it was verified."""
    notes = {"contributed by": fields["contributed"], "verified:": fields["verified"]}
    return "; ".join([fields["record"], *(f"{name} {value}" for name, value in notes.items() if value)])


def counts(rows: list[Row]) -> str:
    """How often each verdict comes out.

    Parameters
    ----------
    rows : list of Row

    Returns
    -------
    str
        As "47 published cells: 20 reproduced, ...", the most frequent first.
    """
    counted = {}
    for row in rows:
        counted[row.fields["verdict"]] = counted.get(row.fields["verdict"], 0) + 1
    listed = ", ".join(f"{n} {verdict}" for verdict, n in sorted(counted.items(), key=lambda item: -item[1]))
    return f"{len(rows)} published cells: {listed}"


def summary(rows: list[Row], render=text_table) -> str:
    """One line a paper, table and system: the primary cell and the verdicts of all.

    Parameters
    ----------
    rows : list of Row
    render : callable
        `text_table` or `markdown_table`.

    Returns
    -------
    str
    """
    systems = {}
    for row in rows:
        systems.setdefault(tuple(row.fields[name] for name in ("paper", "source", "system")), []).append(row)
    lines = []
    for (paper, source, system), cells in systems.items():
        row = next((row for row in cells if row.primary), cells[0])
        fields = row.fields
        verdicts = counts(cells).split(": ", 1)[1]
        metric = f"{fields['metric'].split('_mean_over')[0].replace('_', ' ')}, {fields['target']}"
        values = number(fields["published"], row.digits), number(fields["measured"]), interval(fields)
        lines.append([paper, source, system, metric, *values, fields["verdict"], verdicts,
                      fields["verified"] or "–"])  # fmt: skip
    measured = ["published", "measured", "prediction interval", "verdict"]
    return render(["paper", "table", "system", "metric", *measured, "all its cells", "verified"], lines)


def claims_table(claims: list[dict], render=text_table) -> str:
    """The claims of a paper, each with its tested difference.

    Parameters
    ----------
    claims : list of dict
        As from `common.verdict.claims.judge_claims`.
    render : callable
        `text_table` or `markdown_table`.

    Returns
    -------
    str
    """
    lines = [
        [c["claim"] if render is text_table else c["statement"], c["on"] or "–", number(c["difference"]), interval(c),
          p_value(c["p"]), c["verdict"]]
        for c in claims
    ]  # fmt: skip
    table = render(["claim", "tested on", "difference", "95 % interval", "p (Holm)", "verdict"], lines)
    return (
        "\n".join([table, "", *(f"{c['claim']}: {c['statement']}" for c in claims)]) if render is text_table else table
    )


def measured(record: dict, split: str, metric: str, targets: list[str]) -> str:
    """What was measured of some targets: means over runs ± their standard deviation, where they differ.

    Parameters
    ----------
    record : dict
    split, metric : str
    targets : list of str

    Returns
    -------
    str
        As "valence .27 ± .01, arousal .26 ± .02".
    """
    values = ([run["metrics"][split][metric][target] for run in record["runs"]] for target in targets)
    return ", ".join(f"{target} {mean_of_runs(of)}" for target, of in zip(targets, values, strict=True))


def mean_of_runs(values) -> str:
    """The mean over runs ± their standard deviation, where they differ.

    Parameters
    ----------
    values : sequence of float
        One a run.

    Returns
    -------
    str
        As ".27 ± .01".
    """
    import numpy as np

    spread = f" ± {number(np.std(values, ddof=1))}" if len(values) > 1 and np.ptp(values) else ""
    return number(np.mean(values)) + spread


def variants_table(
    records: Records, dataset: str, split: str, metric: str, variants: list[str], render=markdown_table
) -> str:
    """Variants next to each other: a column a target, means over runs; the last with ± the deviation over runs.

    Of random splits, which share songs, also the 95 % interval of that mean (`common.verdict.crossed.standard_error`).

    Parameters
    ----------
    records : Records
    dataset, split, metric : str
    variants : list of str
        Those that are not recorded are left out.
    render : callable
        `text_table` or `markdown_table`.

    Returns
    -------
    str
    """
    import numpy as np
    from scipy.special import stdtrit

    lines, header = [], None
    for name in variants:
        record = records.get(dataset, name)
        if record is None or split not in record["runs"][0]["metrics"]:
            continue
        targets = list(record["runs"][0]["metrics"][split][metric])
        header = header or ["system or variant", "runs", *targets]
        values = np.array([[run["metrics"][split][metric][t] for t in targets] for run in record["runs"]])
        digits = 3 if metric.startswith("rmse") else 2
        cells = [number(v, digits) if abs(v) < DIVERGED else "diverged" for v in values.mean(0)]
        if len(values) > 1 and "diverged" not in cells:
            mean, n, overlap = values[:, -1].mean(), len(values), record["facts"].get("overlap")
            cells[-1] = f"{number(mean)} ± {number(values[:, -1].std(ddof=1))}"
            if overlap:
                half = stdtrit(n - 1, 0.975) * standard_error(values[:, -1], overlap)
                cells[-1] += f" ({number(mean - half)} … {number(mean + half)})"
        lines.append([f"{record['title']} (`{name}`)", len(values), *cells])
    return render(header, lines) if lines else "Nothing is recorded yet."


def replace_generated(path: Path, parts: dict[str, str]) -> str:
    """The text of a file with the parts between marks replaced.

    Parameters
    ----------
    path : Path
    parts : dict
        New content, by the name in its marks.

    Returns
    -------
    str

    Raises
    ------
    InputError
        If the file lacks the marks of a part.
    """
    text = path.read_text(encoding="utf-8")
    for name, content in parts.items():
        text = _replace(path, text, name, content)
    return text


def _replace(path: Path, text: str, name: str, content: str) -> str:
    begin, end = MARK.format("begin", name), MARK.format("end", name)
    if begin not in text or end not in text:
        raise InputError(f"{path}: has no marks '{begin}' and '{end}'")
    before, rest = text.split(begin, 1)
    return f"{before}{begin}\n{content}\n{end}{rest.split(end, 1)[1]}"
