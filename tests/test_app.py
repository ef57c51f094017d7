"""The page to drop songs on: in Chromium as it is used, and its server's limits, errors and separation of people."""

import base64
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import jams
import pytest
import soundfile
import uvicorn
from playwright.sync_api import expect, sync_playwright

from common.errors import InputError
from common.places import RESULTS
from common.predict import command, outputs
from common.prediction import STEP_S
from reproductions.app import command as app_command
from reproductions.app import server as app_server
from reproductions.app import songs
from reproductions.app.worker import Worker
from reproductions.predict import choose
from tests.conftest import PAPERS, ROOT
from tests.made_up import MUSIC_RATE as RATE
from tests.made_up import music

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required",
             "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]  # fmt: skip
NAME = 'A <b>song & "more".opus'
LONG_MS = 240_000  # where other programs take the cores
DROP = """([name, content]) => {
    const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0)), given = new DataTransfer();
    given.items.add(new File([bytes], name));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: given, bubbles: true, cancelable: true }));
}"""
PLAY = """async (audio) => {
    audio.currentTime = 5;
    await audio.play();
    while (audio.currentTime < 5.7) await new Promise(requestAnimationFrame);
    audio.pause();
}"""
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


@pytest.fixture(scope="module")
def serving():
    """The application and its address; the networks are loaded once for this file."""
    application = app_server.application(app_command.LOCAL)
    server = uvicorn.Server(uvicorn.Config(application, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not (server.started and server.servers):
        time.sleep(0.01)
    handler = application.routes[0].endpoint.__self__
    yield handler, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    server.should_exit = True
    thread.join()
    assert not handler.folder.exists()


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def people(serving, browser):
    """Opens the page for somebody; at the end, fails on any request to another host and on any line of the console."""
    _, address = serving
    asked, messages = [], []

    with contextlib.ExitStack() as contexts:

        def open_page(**options):
            context = contexts.enter_context(contextlib.closing(browser.new_context(**options)))
            context.on("request", lambda request: asked.append(request.url))
            page = context.new_page()
            page.on("console", lambda message: messages.append(message.text))
            page.on("pageerror", lambda error: messages.append(str(error)))
            page.goto(address)
            return page

        yield open_page
    elsewhere = [url for url in asked if not url.startswith((address, "blob:", "data:"))]
    assert asked and not elsewhere and not messages


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """Two short recordings that differ, and a file that is none."""
    folder = tmp_path_factory.mktemp("recordings")
    soundfile.write(folder / "one.flac", music(14)[: 6 * RATE], RATE)
    soundfile.write(folder / "two.ogg", music(14)[7 * RATE :], RATE)
    (folder / "<img src=x>.mp3").write_bytes(b"no music")
    return folder


@pytest.fixture(scope="module")
def excerpt(real_root):
    """A real recording of ten seconds."""
    return min((real_root / "DEAM" / "audio_30s-40s").glob("*.opus"))


def done(page, n=1):
    expect(page.locator(".status", has_text="All models are done.")).to_have_count(n, timeout=LONG_MS)


def predicted(serving, path):
    """As the command predicts by the best model, in the process that has its networks."""
    paper = choose()[0]
    call = (f"reproductions.{paper}.predict", RESULTS / paper / "weights", STEP_S, path)
    return serving[0].worker.submit(songs.FIRST, command.predict_file, *call).result()


# In the browser.


@pytest.mark.slow
@needs_chromium
def test_a_dropped_song(serving, people, excerpt, tmp_path):
    """Its curves, plane, emotions, quadrants and spectrogram; it plays, and is downloaded as the command writes it."""
    page = people()
    page.evaluate(DROP, [NAME, base64.b64encode(excerpt.read_bytes()).decode()])
    first = page.locator(f"[data-paper={choose()[0]}]")
    expect(first).to_be_visible(timeout=LONG_MS)
    done(page)
    assert page.locator("article h2").text_content() == NAME and not page.locator("article h2 *").count()
    for paper, n in (("jakubik2017", 9), ("velankar2022", 4)):
        expect(page.locator(f"[data-paper={paper}] .bars tr")).to_have_count(n)
    assert page.locator(".mel").evaluate("async (image) => { await image.decode(); return image.naturalWidth; }") > 100
    assert "valence" in first.locator(".curves").get_attribute("aria-label")
    _plays(page, first)
    _downloads(serving, page, first, excerpt, tmp_path)
    assert not list(serving[0].folder.iterdir())  # the upload is removed as soon as it is not needed


def _plays(page, first):
    """Cursor, plane and numbers follow playback; and the keyboard moves the position."""
    where = "() => [document.querySelector('.cursor').style.left, document.querySelector('.here').getAttribute('cx')]"
    before = page.evaluate(where)
    page.locator("audio").evaluate(PLAY)
    after = page.evaluate(where)
    assert float(after[0].rstrip("%")) > 55 and before[1] != after[1]
    assert re.match("0:(0[5-9]|10): valence", first.locator(".now").text_content())
    page.locator(".position").focus()
    page.keyboard.press("Home")
    assert page.locator(".position").get_attribute("aria-valuetext").startswith("0:00: valence")
    page.keyboard.press("ArrowRight")
    assert page.locator("audio").evaluate("(audio) => audio.currentTime") == 0.5
    box = first.locator(".curves").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 5)
    assert page.locator("audio").evaluate("(audio) => audio.currentTime") == pytest.approx(5, abs=0.2)


def _downloads(serving, page, first, excerpt, tmp_path):
    files = {}
    for kind in ("csv", "json", "jams", "png"):
        with page.expect_download() as download:
            first.locator(f"[data-kind={kind}]").click()
        files[kind] = tmp_path / f"{kind}.{kind}"
        download.value.save_as(files[kind])
    prediction, columns = predicted(serving, excerpt), ["valence", "arousal"]
    prediction = replace(prediction, warnings=tuple(w.replace(str(excerpt), NAME) for w in prediction.warnings))
    assert files["csv"].read_text() == outputs.as_csv({Path(NAME): prediction}, columns)
    song = json.loads(files["json"].read_text())["recordings"][0]
    assert song["recording"] == NAME and song["valence"] == prediction.values[:, 0].astype("float64").round(4).tolist()
    assert jams.load(str(files["jams"])).file_metadata.identifiers.file == NAME
    assert files["png"].read_bytes().startswith(b"\x89PNG")


@needs_chromium
def test_a_broken_file_is_reported_and_the_others_are_predicted(people, recordings):
    page = people()
    page.set_input_files("#files", [recordings / "<img src=x>.mp3", recordings / "one.flac"])
    done(page)
    broken = page.locator("article", has_text="no music").or_(page.locator("article").first)
    (line,) = broken.locator("[role=alert] li").all_text_contents()
    assert line.startswith("<img src=x>.mp3: cannot be decoded as audio") and "/" not in line.split(":")[0]
    expect(broken.locator("section[data-paper]:visible")).to_have_count(0)
    expect(page.locator("section[data-paper]:visible")).to_have_count(len(PAPERS))


@needs_chromium
def test_two_people_at_once(serving, people, recordings):
    """Each sees their own song alone, predicted as the command does."""
    names = ["one.flac", "two.ogg"]
    pages = [people() for _ in names]
    for page, name in zip(pages, names, strict=True):
        page.set_input_files("#files", recordings / name)
    for page, name in zip(pages, names, strict=True):
        done(page)
        assert page.locator("article h2").all_text_contents() == [name]
        mean = [f"{value:.2f}".replace("-", "−") for value in predicted(serving, recordings / name).mean]
        text = page.locator(".mean").first.text_content()
        assert re.search(
            f"On average .* in valence .{mean[0]} ± .*, .* in arousal .{mean[1]} ± .* 95 % of held-out songs", text
        )
    assert pages[0].locator(".mean").first.text_content() != pages[1].locator(".mean").first.text_content()


@pytest.mark.slow
@needs_chromium
def test_a_recorded_song(people):
    """Of two seconds; the model that needs more says so."""
    page = people(permissions=["microphone"])
    page.get_by_role("button", name="Record").click()
    page.wait_for_timeout(2200)
    page.get_by_role("button", name="Stop recording").click()
    done(page)
    assert page.locator("article h2").text_content() == "recording 1.webm"
    expect(page.locator("[data-paper=malik2017]")).to_be_visible()
    (line,) = page.locator("article [role=alert] li").all_text_contents()
    assert line.startswith("jakubik2017: recording 1.webm: lasts 2.") and "needs 5 s or more" in line


@pytest.mark.slow
@needs_chromium
def test_songs_side_by_side_on_all_screens(people, recordings):
    page = people()
    page.set_input_files("#files", [recordings / "one.flac", recordings / "two.ogg"])
    done(page, 2)
    rows = page.locator("#together tbody tr")
    expect(rows).to_have_count(2)
    assert [row.split("±")[0][:8] for row in rows.all_text_contents()] == ["1. one.f", "2. two.o"]
    for width in (390, 1024, 1600):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    tops = [article.bounding_box()["y"] for article in page.locator("article").all()]
    assert tops[0] == tops[1]  # at 1600 pixels
    _is_accessible(page)
    page.get_by_role("button", name="Remove one.flac").click()
    expect(page.locator("article")).to_have_count(1)
    expect(page.locator("#together")).to_be_hidden()


MANY = """(means) => means.forEach(([valence, arousal], i) => {
    songs.add({ name: `song ${i}`, shown: new Map([[first, { mean: { valence, arousal } }]]) });
    compare();
})"""
LONG = """(seconds) => {
    const article = byId("song").content.firstElementChild.cloneNode(true);
    byId("songs").append(article);
    const section = article.querySelector("[data-over-time=yes]");
    const values = [0.1, -0.2, 0.3], one = { columns: ["valence"], time_s: [1, 2, seconds], length_s: seconds };
    section.hidden = false;
    drawCurves(section, { ...one, valence: values, mean: { valence: 0 } }, () => {});
}"""


def _overlaps(page, selector):
    """Pairs of texts that cover each other, by their boxes without a quarter at top and bottom, where no digits are."""
    texts = [(one.text_content(), one.bounding_box()) for one in page.locator(selector).all()]
    assert len(texts) > 1 and all(box for _, box in texts)

    def covers(a, b):
        return abs(2 * a["x"] + a["width"] - 2 * b["x"] - b["width"]) < a["width"] + b["width"] and (
            abs(2 * a["y"] + a["height"] - 2 * b["y"] - b["height"]) < (a["height"] + b["height"]) / 2
        )

    return [(name, other) for i, (name, a) in enumerate(texts) for other, b in texts[:i] if covers(a, b)]


@needs_chromium
@pytest.mark.parametrize("width", [320, 390, 1600])
def test_no_text_covers_another_one(people, width):
    """Of twelve songs that are nearly the same, also in a corner; and of times below the curves."""
    page = people(viewport={"width": width, "height": 900})
    page.evaluate(MANY, [[0.1 + 0.01 * i, 0.2] for i in range(8)] + 4 * [[0.97, -0.98]])
    assert page.locator("#together .number").count() == 12
    assert _overlaps(page, "#together .plane text") == []
    for seconds in (9, 31, 59, 241, 3599, 7201):
        page.evaluate(LONG, seconds)
        assert _overlaps(page, "article:last-child .ticks >> nth=0 >> span") == []


def _is_accessible(page):
    """Whatever is a picture or can be used has a name, and all of the latter are reached by the keyboard."""
    snapshot = page.locator("body").aria_snapshot()
    assert not re.search(r"- (button|slider|img|link|textbox|region|table|article)\s*:?$", snapshot, flags=re.M)
    assert snapshot.count("- heading") and page.locator("h1").count() == 1 and page.locator("html[lang=en]").count()
    assert not page.locator("[tabindex='-1']").count()


@needs_chromium
def test_a_page_that_is_left_leaves_nothing(serving, people, recordings):
    handler, _ = serving
    page = people()
    key = page.evaluate("document.body.dataset.page")
    page.set_input_files("#files", recordings / "one.flac")
    expect(page.locator("article progress")).to_have_attribute("max", str(1 + len(PAPERS)), timeout=LONG_MS)
    page.goto("about:blank")
    deadline = time.monotonic() + 10
    while handler.pages.get(key) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert handler.pages.get(key) is None and not list(handler.folder.iterdir())


# The server, asked by other programs.


def ask(address, content=None, method=None, **headers):
    """Status and text of an answer."""
    request = urllib.request.Request(address, content, headers, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.fixture
def opened(serving):
    """The address of a newly opened page, whose songs are removed at the end."""
    handler, address = serving
    key = handler.pages.new()
    yield f"{address}{key}"
    if handler.pages.get(key):
        handler.pages.close(key)


def test_uploads_are_limited(serving, opened, monkeypatch):
    monkeypatch.setattr(songs, "MAX_MIB", 1)
    for content in (bytes(2**20 + 1), iter([bytes(2**20), b"x"])):  # with its length, and without
        status, text = ask(f"{opened}/songs?name=x.wav", content, "POST")
        assert (status, text) == (413, "The file has more than 1 MiB.")
    assert ask(f"{opened}/songs")[1].endswith('"songs":{}}') and not list(serving[0].folder.iterdir())
    monkeypatch.setattr(songs, "MAX_SONGS", 1)
    assert ask(f"{opened}/songs?name=x.wav", b"x", "POST")[0] == 201
    status, text = ask(f"{opened}/songs?name=y.wav", b"y", "POST")
    assert status == 429 and "remove one first" in text
    monkeypatch.setattr(songs, "MAX_WAITING", 0)
    monkeypatch.setattr(songs, "MAX_SONGS", 2)
    assert ask(f"{opened}/songs?name=y.wav", b"y", "POST")[0] == 503


@pytest.mark.parametrize(("name", "shown"), [
    ("../../etc/passwd", "passwd"), ("C:\\music\\a.mp3", "a.mp3"), ("", "recording"),
    ("a\r\nb\0.mp3", "a\\r\\nb\\x00.mp3"), ("é" * 300, "é" * 200),
])  # fmt: skip
def test_names_are_for_showing_only(serving, opened, name, shown):
    ask(f"{opened}/songs?{urllib.parse.urlencode({'name': name})}", b"x", "POST")
    (state,) = json.loads(ask(f"{opened}/songs")[1])["songs"].values()
    assert state["name"] == shown
    assert all(re.fullmatch(r"tmp\w+", path.name) for path in serving[0].folder.iterdir())


def test_what_is_not_there(serving, opened):
    handler, address = serving
    for path in ("nothing", "x/songs", "songs/1/mel.png", "../setup.cfg", "page.html"):
        assert ask(f"{address}{path}")[0] == 404
    assert ask(f"{opened}/songs?name=x", b"x", "POST") == (201, '{"key":"1"}')
    for path in ("1/nobody.csv", "1/malik2017.exe", "2/malik2017.csv", "2/mel.png"):
        assert ask(f"{opened}/songs/{path}")[0] == 404
    assert ask(f"{address}{handler.pages.new()}/songs/1/malik2017.csv")[0] == 404  # another person's page
    assert ask(f"{opened}/songs/1", method="DELETE")[0] == 204 and ask(f"{opened}/leave", b"", "POST")[0] == 204
    assert ask(f"{opened}/songs") == (404, "The songs of this page have been removed: load the page again.")


def test_other_hosts_are_refused(serving):
    """A web site whose name leads to this machine cannot read the page; browsers may load nothing else."""
    _, address = serving
    assert ask(address)[0] == 200 and ask(address, Host="example.org")[0] == 400
    with urllib.request.urlopen(address) as answer:
        policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'") and "http" not in policy and "unsafe" not in policy


def test_pages_expire(tmp_path, monkeypatch):
    pages, path = songs.Pages(), tmp_path / "upload"
    path.touch()
    old, future = pages.new(), Future()
    pages.get(old).add(songs.Song("x", path, {"mel": future}))
    pages.expire()
    assert pages.get(old) and path.exists() and pages.waiting() == 1
    pages.expire(lifetime=0)
    assert pages.get(old) is None and not path.exists() and future.cancelled() and pages.waiting() == 0


def test_the_most_urgent_work_is_done_first():
    """And what is cancelled is not done."""
    worker, order = Worker(), []
    worker.submit(0, time.sleep, 0.5)
    futures = {name: worker.submit(rank, str, name) for rank, name in ((1, "a"), (1, "b"), (0, "c"), (2, "d"))}
    for future in futures.values():
        future.add_done_callback(lambda future: order.append("cancelled" if future.cancelled() else future.result()))
    assert futures["b"].cancel() and futures["d"].result(30) == "d"
    assert order == ["cancelled", "c", "a", "d"]
    worker.stop()


def test_work_that_fails_or_crashes_is_told_and_the_next_is_done(tmp_path):
    worker = Worker()
    with pytest.raises(ValueError, match="invalid literal"):
        worker.submit(0, int, "x").result(30)
    song = songs.Song("x", tmp_path / "x", {"model": worker.submit(0, os._exit, 1)})
    assert worker.submit(0, int, "7").result(30) == 7
    assert song.state()["errors"] == {"model": "the process that predicts ended, perhaps because memory ran out"}
    worker.stop()


# The command.


def test_the_command_serves_and_leaves_nothing(tmp_path):
    call = [sys.executable, "-m", "reproductions", "app", "--port", "0"]
    running = subprocess.Popen(
        call,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    line = running.stdout.readline()
    address = re.match(r"http://127\.0\.0\.1:\d+/", line)[0]
    status, page = ask(address)
    key = re.search('data-page="([^"]+)"', page)[1]
    assert status == 200 and ask(f"{address}{key}/songs?name=x.wav", b"x", "POST")[0] == 201
    assert list(tmp_path.glob("mer-app-*/tmp*"))
    port = address.rsplit(":")[-1].strip("/")
    other = subprocess.run([*call[:-1], port], capture_output=True, text=True, cwd=ROOT)
    assert other.returncode == 2 and "cannot be listened on" in other.stderr and other.stderr.count("\n") == 1
    running.send_signal(signal.SIGTERM)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 0 and errors == ""
    assert not list(tmp_path.glob("mer-app-*"))


def test_a_missing_extra_is_one_line(monkeypatch):
    monkeypatch.setattr(app_command, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"needs jams, starlette, uvicorn; install the extra 'app'"):
        app_command._serve(None)
