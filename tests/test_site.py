"""The static site: whole, without dead links, and alive in a browser."""

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from urllib.parse import unquote

import numpy as np
import pytest
import soundfile

from reproductions.board import ROOT, rows

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
    assert {path.parent.name for path in pages} == {"site", "papers", "datasets", "songs"}
    for path, page in pages.items():
        for link in page.links:
            if not re.match("https?:|data:", link):
                file, _, anchor = unquote(link).partition("#")
                target = (path.parent / file).resolve() if file else path
                assert target.is_file(), f"{path}: {link}"
                assert not anchor or anchor in pages[target].ids
    assert not re.search(r"(src|url\()\s*=?\s*[\"']?https?:", "".join(p.read_text() for p in site.rglob("*.*ml")))


def test_pages_are_accessible(site):
    for path in site.rglob("*.html"):
        text = path.read_text()
        page = Page(text)
        assert '<html lang="en">' in text and text.count("<h1>") == 1 and "main" in page.ids and all(page.alts)
        readme = [table for table in page.tables if not table["caption"]]  # tables of a README's text have none
        assert all(table["th"] for table in page.tables) and (not readme or path.parent.name in ("papers", "site"))


def test_a_song_that_one_model_refuses_has_a_page(site):
    """jakubik2017 needs 5 s; the others tell what they hear of 3 s."""
    (page,) = (path.read_text() for path in (site / "songs").glob("*-short.html"))
    assert "does not hear this recording" in page and "needs 5 s or more" in page
    assert all(f"<h2>{paper}</h2>" in page for paper in ("malik2017", "chaki2020", "jakubik2017", "velankar2022"))
    assert page.count("<img") == 4


def test_every_cell_is_there(site):
    text = (site / "index.html").read_text()
    assert text.count("data-verdict=") == len(rows(ROOT / "results"))


def browse(address):
    """The page as it is after its script has run, and what the browser's console told."""
    call = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0", "--dump-dom"]
    call += ["--virtual-time-budget=2000"]  # timers run before the page is told
    done = subprocess.run([*call, address], capture_output=True, text=True, timeout=120)
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_filters_in_a_browser(site):
    every = [row.fields for row in rows(ROOT / "results")]
    for query, wanted in (
        ("", every),
        ("#paper=velankar2022", [f for f in every if f["paper"] == "velankar2022"]),
        (
            "#verdict=worse&paper=jakubik2017",
            [f for f in every if (f["paper"], f["verdict"]) == ("jakubik2017", "worse")],
        ),
        ("#text=semantic+embedding", [f for f in every if "semantic embedding" in f["system"].lower()]),
    ):
        page, console = browse(f"file://{site}/index.html{query}")
        shown = [row for row in re.findall("<tr data-paper=[^>]*>", page) if "hidden" not in row]
        assert len(shown) == len(wanted) > 0 and not console
        assert f"{len(wanted)} of {len(every)} cells" in page


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_a_second_address_replaces_the_first(site, tmp_path):
    """A link that names the paper alone shows all its verdicts, whatever was filtered before."""
    script = "onload = () => { location.hash = 'paper=jakubik2017&verdict=worse'; setTimeout(() => {"
    script += "location.hash = 'paper=velankar2022'; }, 50); };"
    text = (site / "index.html").read_text().replace("</body>", f"<script>{script}</script></body>")
    (site / "twice.html").write_text(text)
    page, _ = browse(f"file://{site}/twice.html")
    (site / "twice.html").unlink()
    n = sum(row.fields["paper"] == "velankar2022" for row in rows(ROOT / "results"))
    assert f"{n} of " in page.split('id="count"')[1].split("</output>")[0]


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize("folder", ["papers", "datasets", "songs"])
def test_pages_load_without_errors(site, folder):
    path = next((site / folder).glob("*.html"))
    page, console = browse(path.as_uri())
    assert "</main>" in page and not console
