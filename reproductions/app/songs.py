"""The songs of a page: uploaded, predicted, and removed.

An upload is removed as soon as all models have used it; results when their song or page is removed, or when nobody has
asked for them for LIFETIME_S.
"""

import itertools
import secrets
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from common.prediction import Prediction
from reproductions.app.models import Shown, mel_picture
from reproductions.app.worker import Worker

MAX_MIB, MAX_SONGS, MAX_WAITING = 100, 12, 40  # of an upload; of a page; of all pages at once
LIFETIME_S = 30 * 60
FIRST, NEXT = 0, 1  # ranks of work: the first curve of a song is not kept waiting by the other models of another one


@dataclass
class Song:
    """A recording of a page: its name, the upload, and what is computed of it by name ('mel', or a paper's)."""

    name: str
    path: Path
    results: dict[str, Future] = field(default_factory=dict)

    def start(self, worker: Worker, models: list[Shown]) -> None:
        """Have it predicted: by the first model, then its spectrogram is drawn, then by the other models.

        Parameters
        ----------
        worker : Worker
        models : list of Shown
            At least one.
        """
        first, *others = models
        self.results = {first.paper: worker.submit(FIRST, first.predict, self.path, self.name)}
        self.results["mel"] = worker.submit(NEXT, mel_picture, self.path)
        self.results |= {one.paper: worker.submit(NEXT, one.predict, self.path, self.name) for one in others}
        for future in list(self.results.values()):
            future.add_done_callback(lambda _: self.pending or self.path.unlink(missing_ok=True))

    @property
    def pending(self) -> bool:
        return not self.results or not all(future.done() for future in self.results.values())

    def remove(self) -> None:
        """Give up what has not begun, and delete the upload."""
        for future in self.results.values():
            future.cancel()
        self.path.unlink(missing_ok=True)

    def state(self) -> dict:
        """For the page: what is ready, what is being computed, and by paper the errors and warnings."""
        done = {name: future.result() for name, future in self.results.items() if succeeded(future)}
        failed = {
            name: str(future.exception())
            for name, future in self.results.items()
            if name != "mel" and future.done() and not future.cancelled() and future.exception()
        }
        predictions = {name: one for name, one in done.items() if isinstance(one, Prediction)}
        return {
            "name": self.name,
            "of": len(self.results),
            "done": sum(future.done() for future in self.results.values()),
            "running": [name for name, future in self.results.items() if future.running()],
            "ready": [name for name, one in done.items() if not isinstance(one, str)],
            "errors": {name: one for name, one in done.items() if isinstance(one, str)} | failed,
            "warnings": {name: one.warnings for name, one in predictions.items() if one.warnings},
        }


def succeeded(future: Future) -> bool:
    """Whether a call has returned.

    Parameters
    ----------
    future : Future

    Returns
    -------
    bool
        False also if it was cancelled or raised.
    """
    return future.done() and not future.cancelled() and future.exception() is None


class Page:
    """The songs of one opened page."""

    def __init__(self):
        self.songs: dict[str, Song] = {}
        self._numbers, self.seen = itertools.count(1), time.monotonic()

    def add(self, song: Song) -> str:
        """Take in a song; returns its key.

        Parameters
        ----------
        song : Song

        Returns
        -------
        str
        """
        key = str(next(self._numbers))
        self.songs[key] = song
        return key

    def remove(self, key: str) -> None:
        """Take a song off the page, and delete its upload.

        Parameters
        ----------
        key : str

        Raises
        ------
        KeyError
            If there is no such song.
        """
        self.songs.pop(key).remove()


class Pages:
    """All opened pages, by a key that cannot be guessed, so that nobody sees the songs of another."""

    def __init__(self):
        self._pages: dict[str, Page] = {}

    def new(self) -> str:
        """Open a page; returns its key."""
        key = secrets.token_urlsafe(16)
        self._pages[key] = Page()
        return key

    def get(self, key: str) -> Page | None:
        """A page that is still there; it will be for LIFETIME_S more.

        Parameters
        ----------
        key : str

        Returns
        -------
        Page or None
        """
        if page := self._pages.get(key):
            page.seen = time.monotonic()
        return page

    def close(self, key: str) -> None:
        """Remove a page with its songs.

        Parameters
        ----------
        key : str

        Raises
        ------
        KeyError
            If there is no such page.
        """
        page = self._pages.pop(key)
        for song in list(page.songs):
            page.remove(song)

    def expire(self, lifetime: float = LIFETIME_S) -> None:
        """Close pages that nobody has asked for in some time.

        Parameters
        ----------
        lifetime : float
            In seconds; 0 closes all.
        """
        for key, page in list(self._pages.items()):
            if time.monotonic() - page.seen >= lifetime:
                self.close(key)

    def waiting(self) -> int:
        """How many songs are not done."""
        return sum(song.pending for page in self._pages.values() for song in page.songs.values())
