"""The static site: whole, without dead links, and alive in a browser."""

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
import soundfile

from common.files import write_atomically
from reproductions.board import PAPERS, ROOT, papers, rows
from reproductions.site import contents, drawings, outcome, readme, recordings
from tests.made_up import cell, record

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site of all that is recorded, with a page for one recording."""
    folder = tmp_path_factory.mktemp("site")
    rng, t = np.random.default_rng(0), np.arange(8 * 22050) / 22050
    sound = 0.3 * np.sin(700 * t) + 0.01 * rng.standard_normal(len(t))
    soundfile.write(folder / "A song & more.wav", sound, 22050)
    soundfile.write(folder / "short.wav", sound[: 3 * 22050], 22050)
    call = [sys.executable, "-m", "reproductions", "report", "--out", str(folder / "site")]
    done = subprocess.run(
        [*call, "--audio", str(folder / "A song & more.wav"), str(folder / "short.wav")],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    return folder / "site"


@pytest.fixture(scope="module")
def cells():
    """All rows of the board."""
    return rows(ROOT / "results")


class Page(HTMLParser):
    """What a page links to, its ids, and how its tables are headed."""

    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.tables, self.alts = [], set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        of = dict(attributes)
        self.links += [of[name] for name in ("href", "src") if name in of]
        self.ids |= {of["id"]} if "id" in of else set()
        if tag == "table":
            self.tables.append({"caption": 0, "th": 0})
        elif tag in ("caption", "th") and self.tables:
            self.tables[-1][tag] += 1
        elif tag == "img":
            self.alts.append(of.get("alt"))


def test_no_link_is_dead(site):
    pages = {path: Page(path.read_text()) for path in site.rglob("*.html")}
    folders = {path.relative_to(site).parts[0] for path in pages}
    assert folders == {
        "index.html",
        "cross_dataset.html",
        "leaderboard.html",
        "papers",
        "variants",
        "systems",
        "datasets",
        "songs",
    }
    for path, page in pages.items():
        for link in page.links:
            if not re.match("https?:|data:", link):
                file, _, anchor = unquote(link).partition("#")
                target = (path.parent / file).resolve() if file else path
                assert target.is_file(), f"{path}: {link}"
                assert not anchor or "=" in anchor or anchor in pages[target].ids  # paper=... filters the cells
    assert not re.search(r"(src|url\()\s*=?\s*[\"']?https?:", "".join(p.read_text() for p in site.rglob("*.*ml")))


def test_pages_are_accessible(site):
    for path in site.rglob("*.html"):
        text = path.read_text()
        page = Page(text)
        assert '<html lang="en">' in text and text.count("<h1>") == 1 and "main" in page.ids and all(page.alts)
        of_readme = [table for table in page.tables if not table["caption"]]  # tables of a README's text have none
        assert all(table["th"] for table in page.tables) and (not of_readme or path.parent in (site, site / "papers"))


def test_a_song_that_one_model_refuses_has_a_page(site):
    """jakubik2017 needs 5 s; the others predict 3 s."""
    (page,) = (path.read_text() for path in (site / "songs").glob("*-short.html"))
    assert "cannot use this recording" in page and "needs 5 s or more" in page
    assert all(f"<h2>{paper}</h2>" in page for paper in recordings.MODELS)
    assert page.count("<img") == len(recordings.MODELS)  # with the spectrogram, and without the one that refuses


def verdicts_in_order(page):
    return re.findall('data-paper="[^"]*" data-verdict="([^"]*)"', page)


def test_all_cells_are_there_and_those_compared_come_first(site, cells):
    verdicts = verdicts_in_order((site / "index.html").read_text())
    assert len(verdicts) == len(cells)
    assert verdicts == sorted(verdicts, key=outcome.VERDICTS.index)


def test_the_first_page_tells_the_outcome_of_each_paper(site, cells):
    """The first sentence of its abstract; and each of its systems that has a verdict, with its numbers."""
    page = (site / "index.html").read_text()
    summaries = {re.search(r"<h3><a[^>]*>(.*?)</a>", part)[1]: part for part in page.split('class="summary"')[1:]}
    assert set(summaries) == {expected["paper"] for expected in papers()}
    for paper, summary in summaries.items():
        sentence = readme.first_sentence(readme.sections(PAPERS / paper / "README.md")["Abstract"])
        assert readme.html(sentence) in summary
        compared = [row for row in cells if row.fields["paper"] == paper and row.comparison]
        assert all(
            row.fields["system"] in summary for row in compared if row.fields["verdict"] not in outcome.OTHER_DATA
        )
        assert 'class="band"' in summary or not any(row.fields["low"] for row in compared)


def test_each_cell_leads_to_its_record_settings_notes_and_command(site, cells):
    index = (site / "index.html").read_text()
    for row in (row.fields for row in cells if row.fields["variant"]):
        address = f"variants/{row['paper']}/{row['dataset']}/{row['variant']}.html"
        page = (site / address).read_text()
        assert f'href="{address}"' in index and row["system"] in page
        assert 'id="readme"' in page and f"{row['variant']}</code></pre>" in page and "python -m reproductions" in page
        if row["record"]:
            stored = (site / address).with_suffix(".json").read_bytes()
            assert stored == (ROOT / row["record"]).read_bytes() and "<h2>Settings</h2>" in page
        else:
            assert "There is no record: " in page


def test_a_cell_that_no_variant_answers_for_leads_to_the_reason(site, cells):
    """Its page quotes the README; a number that is counted has the command of the test that counts it."""
    index = (site / "index.html").read_text()
    for row in (row for row in cells if not row.fields["variant"]):
        address = contents.fields(row)["page"]
        page = (site / address).read_text()
        assert f'href="{address}"' in index and row.fields["system"] in page
        assert "There is no record: " in page and 'class="passage"' in page
        assert ("No command" in page) == (row.fields["measured"] is None)
        if "No command" not in page:
            test = re.search(r"python -m pytest (tests/\w+\.py) -k counted</code>", page)[1]
            assert "def test_counted" in (ROOT / test).read_text()


def test_the_leaderboard_shows_entries_of_ones_own(site, tmp_path):
    """With their names escaped; boards that are not recorded have no place."""
    from reproductions import leaderboard
    from reproductions.site import build

    page = (site / "leaderboard.html").read_text()
    assert all(f'<h2 id="{name}">' in page for name in leaderboard.recorded()) and "LSTM_AT_400" in page
    board = leaderboard.open_board("4q")
    lines = ["song,class", *(f"{song},{board.targets[k]}" for song, k in zip(board.songs, board.labels, strict=True))]
    (tmp_path / "p.csv").write_text("\n".join(lines))
    leaderboard.add(tmp_path, leaderboard.score(board, tmp_path / "p.csv", "<b>Mine</b>", "me & you"))
    (shown,) = (of for of in build._boards(ROOT / "results", tmp_path) if of["name"] == "4q")
    values = {"boards": [shown], "papers": [], "datasets": {}, "songs": [], "up": "", "here": ""}
    values["addresses"] = ["papers/musicnn2019.html"]
    page = build.templates().get_template("leaderboard.html").render(**values)
    assert '<td><a href="papers/musicnn2019.html">musicnn2019</a></td>' in page
    assert "&lt;b&gt;Mine&lt;/b&gt;" in page and "me &amp; you" in page and page.count("<td>better</td>") == 8
    assert leaderboard.recorded(tmp_path) == build._boards(tmp_path, tmp_path) == []


def test_a_system_is_summed_up_by_its_primary_cell_or_by_all_targets_of_its_metric(paper):
    from common.verdict.board import join

    cells = [cell("x", "model", 0.5), cell("y", "model", 0.4, target="a", primary=False),
             cell("z", "other", 0.3, target="b"), cell("w", "other", 0.2, target="a", primary=False)]  # fmt: skip
    panels = outcome.panels(outcome.summary(join(*paper(cells, model=record(1.0)))))
    assert {(panel["target"], row.fields["cell"]) for panel in panels for row, _ in panel["marks"]} == {
        ("average", "x"),
        ("b", "z"),
        ("a", "w"),
    }
    ((_, places),) = next(panel for panel in panels if panel["target"] == "average")["marks"]
    assert 0 < places["published"] < places["low"] < places["measured"] < places["high"] < 100


@pytest.mark.parametrize(("low", "high", "expected"), [
    (0.0, 1.0, [0.0, 0.5, 1.0]), (-0.02, 0.61, [0.0, 0.2, 0.4, 0.6]), (0.235, 0.332, [0.24, 0.26, 0.28, 0.3, 0.32]),
    (0.3, 0.3, [0.3]),
])  # fmt: skip
def test_ticks_are_round(low, high, expected):
    assert outcome.ticks(low, high) == pytest.approx(expected)


def test_passages_of_a_readme_name_a_system_or_a_variant():
    texts = {
        "Findings": "* **GRU** is worse.\n* The LSTM_400 is\n  better.\n\n| GRU | .5 |\n",
        "Deviations": "1. Size: `gru_*`.\n2. As in [17].\n\n    run gru_a\n",
    }
    assert readme.passages_about(texts, "GRU", set()) == [("Findings", "", "**GRU** is worse.")]
    assert readme.passages_about(texts, "LSTM", {"gru_a"}) == [("Deviations", "1", "Size: `gru_*`.")]
    assert readme.passages_about(texts, "Features + SVM [17]", {"svm"}) == [("Deviations", "2", "As in [17].")]
    assert readme.passages_about({"Data": "As in section V.B.2.\n\nOf section V.B."}, "Section V.B", set()) == [
        ("Data", "", "Of section V.B.")
    ]
    assert readme.passages_about(texts, "Deep gru + SVR", set()) == [("Findings", "", "**GRU** is worse.")]
    assert readme.passages_about(texts, "LSTM_400", {"x"}) == [("Findings", "", "The LSTM_400 is\n  better.")]


def test_a_sentence_ends_where_another_begins():
    assert readme.first_sentence("\nR² is .75\n(.5). More.\n") == "R² is .75\n(.5)."


def test_figures_are_drawn_again_only_where_their_inputs_have_changed(paper, tmp_path):
    def draw():
        expected, records = paper([cell("x", "model", 0.5)], model=content)
        paths = drawings.draw(expected, records, "tests", tmp_path / "figures")
        return {path.name: path.stat().st_mtime_ns for path in paths}

    content = record(1.0) | {"title": "A model"}
    first = draw()
    assert first and draw() == first
    (tmp_path / "figures" / min(first)).unlink()
    second = draw()
    assert second.keys() == first.keys() and second != first
    content["title"] = "Another model"
    assert all(time != second[name] for name, time in draw().items())


def browse(address):
    """The page as it is after its script has run, and the lines of the browser's console."""
    call = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0", "--dump-dom"]
    call += ["--virtual-time-budget=2000"]  # timers run before the page is printed
    done = subprocess.run([*call, address], capture_output=True, text=True, timeout=120)
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_filters_in_a_browser(site, cells):
    cells = [row.fields for row in cells]
    for query, wanted in (
        ("", cells),
        ("#paper=velankar2022", [f for f in cells if f["paper"] == "velankar2022"]),
        (
            "#verdict=worse&paper=jakubik2017",
            [f for f in cells if (f["paper"], f["verdict"]) == ("jakubik2017", "worse")],
        ),
        ("#text=semantic+embedding", [f for f in cells if "semantic embedding" in f["system"].lower()]),
    ):
        page, console = browse(f"file://{site}/index.html{query}")
        shown = [row for row in re.findall("<tr [^>]*data-paper=[^>]*>", page) if "hidden" not in row]
        assert len(shown) == len(wanted) > 0 and not console
        assert f"{len(wanted)} of {len(cells)} cells" in page


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_a_second_address_replaces_the_first(site, cells):
    """A link that names the paper alone shows all its verdicts, whatever was filtered before."""
    script = "onload = () => { location.hash = 'paper=jakubik2017&verdict=worse'; setTimeout(() => {"
    script += "location.hash = 'paper=velankar2022'; }, 50); };"
    text = (site / "index.html").read_text().replace("</body>", f"<script>{script}</script></body>")
    (site / "twice.html").write_text(text)
    page, _ = browse(f"file://{site}/twice.html")
    (site / "twice.html").unlink()
    n = sum(row.fields["paper"] == "velankar2022" for row in cells)
    assert f"{n} of " in page.split('id="count"')[1].split("</output>")[0]


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize(("key", "sign"), [("published", 1), ("measured", -1), ("verdict", 1)])
def test_columns_sort_by_the_address(site, cells, key, sign):
    """By value, what is not measured last; the head of the column says the direction."""
    page, console = browse(f"file://{site}/index.html#sort={'-' * (sign < 0)}{key}")
    column = ["paper", "system", "target", "metric", "published", "measured", "baseline", "verdict"].index(key)
    lines = re.findall("<tr [^>]*data-paper=.*?</tr>", page, re.S)
    opened = [re.findall("<(?:td|th)[^>]*>", line)[column] for line in lines]
    values = [match[1] for tag in opened if (match := re.search('data-value="([^"]*)"', tag))]
    numbers = [float(value) for value in values if value]
    assert len(values) == len(cells) and not console
    assert numbers == sorted(numbers, key=lambda value: sign * value) and not any(values[len(numbers) :])
    (head,) = re.findall(f'<th[^>]*data-key="{key}"[^>]*>', page)
    assert f'aria-sort="{"ascending" if sign > 0 else "descending"}"' in head


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_no_page_is_wider_than_the_screen(site):
    """Nor is a text wider than its cell, on any screen; a page tells its widths to the one that frames it."""
    pages = [
        "index.html",
        "leaderboard.html",
        *(
            next((site / name).rglob("*.html")).relative_to(site).as_posix()
            for name in ("papers", "variants", "systems", "datasets", "songs")
        ),
    ]
    frames = []
    for page in pages:
        copy = (site / page).with_name(f"measured-{Path(page).name}")
        inside = (
            "[...document.querySelectorAll('#cells td, #cells th')].filter((e) => e.scrollWidth > e.clientWidth + 1)"
        )
        sizes = f"`{page}:${{innerWidth}}:${{document.documentElement.scrollWidth}}:${{{inside}.length}}`"
        script = f"<script>onload = () => parent.postMessage({sizes}, '*')"
        write_atomically(copy, (site / page).read_text().replace("</body>", f"{script}</script></body>").encode())
        frames += [f"<iframe src='{copy.as_uri()}' width={width}></iframe>" for width in (390, 1024, 1290, 1600)]
    listen = "<script>onmessage = ({data}) => document.title += ` ${data}`</script>"
    (site / "frames.html").write_text(f"<title></title>{listen}{''.join(frames)}")
    page, _ = browse(f"file://{site}/frames.html")
    for path in [site / "frames.html", *site.rglob("measured-*.html")]:
        path.unlink()
    widths = [line.split(":") for line in re.search("<title>(.*?)</title>", page)[1].split()]
    assert len(widths) == len(frames)
    assert not [line for line in widths if int(line[2]) > int(line[1]) or int(line[3])]


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize("folder", ["papers", "variants", "systems", "datasets", "songs"])
def test_pages_load_without_errors(site, folder):
    path = next((site / folder).rglob("*.html"))
    page, console = browse(path.as_uri())
    assert "</main>" in page and not console
