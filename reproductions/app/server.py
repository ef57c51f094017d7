"""The page's server: its files, songs in, predictions out.

Starlette and uvicorn alone: they make no request of their own, and the page loads nothing from elsewhere, which its
Content-Security-Policy has the browser enforce.
"""

import asyncio
import contextlib
import tempfile
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from common.prediction import Prediction, printable
from common.verdict.cells import lower_is_better
from reproductions.app import songs
from reproductions.app.models import TYPES, shown
from reproductions.app.worker import Worker
from reproductions.site import build

TEMPLATES = Path(__file__).parent / "templates"
STATIC = {"site.css": build.TEMPLATES, "app.css": TEMPLATES, "app.js": TEMPLATES}
POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " + "; ".join(
    f"{kind}-src 'self'{more}"
    for kind, more in {"script": "", "style": "", "connect": "", "img": " data:", "media": " blob:"}.items()
)
HEADERS = {
    "Cache-Control": "no-store", "Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}  # fmt: skip
LONGEST_NAME, EXPIRY_S = 200, 60


def application(hosts: tuple[str, ...]) -> Starlette:
    """The server as an ASGI application.

    Parameters
    ----------
    hosts : by which the page may be addressed; others are refused, so that no web site can pass for this one
    """
    server = Server()
    file, song = "/{page}/songs", "/{page}/songs/{song}"
    routes = [
        Route("/", server.page),
        Route("/{name}", server.static),
        Route(file, server.state),
        Route(file, server.add, methods=["POST"]),
        Route("/{page}/leave", server.leave, methods=["POST"]),
        Route(song, server.remove, methods=["DELETE"]),
        Route(song + "/mel.png", server.mel),
        Route(song + "/{paper}.{kind}", server.written),
    ]
    middleware = [Middleware(WithHeaders), Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))]
    return Starlette(routes=routes, middleware=middleware, lifespan=server.lifespan)


class WithHeaders:
    """Adds HEADERS to every response."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        async def with_headers(message):
            if message["type"] == "http.response.start":
                message["headers"] += [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
            await send(message)

        await self.app(scope, receive, with_headers)


class Server:
    """Answers requests; all of its methods run in one thread, that of the event loop."""

    def __init__(self):
        self.models, self.scores = shown()
        self.by_paper = {model.paper: model for model in self.models}
        self.pages, self.worker, self.warm = songs.Pages(), Worker(), []

    @contextlib.asynccontextmanager
    async def lifespan(self, _):
        """Load the networks in the background; and remove all songs at the end."""
        first, *others = self.models
        self.warm = [self.worker.submit(songs.FIRST, first.warm_up)]
        self.warm += [self.worker.submit(songs.NEXT, model.warm_up) for model in others]
        with tempfile.TemporaryDirectory(prefix="mer-app-", ignore_cleanup_errors=True) as folder:
            self.folder = Path(folder)
            expiring = asyncio.create_task(self._expire())
            yield
            expiring.cancel()
            for future in self.warm:
                future.cancel()
            self.pages.expire(0)
            self.worker.stop()

    async def _expire(self) -> None:
        while True:
            await asyncio.sleep(EXPIRY_S)
            self.pages.expire()

    async def page(self, _) -> Response:
        values = {"models": self.models, "scores": self.scores, "key": self.pages.new()}
        values |= {"max_mib": songs.MAX_MIB, "max_songs": songs.MAX_SONGS, "lower_is_better": lower_is_better}
        return HTMLResponse(build.templates(TEMPLATES).get_template("page.html").render(values))

    async def static(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in STATIC:
            raise HTTPException(404)
        return FileResponse(STATIC[name] / name)

    async def state(self, request: Request) -> Response:
        of_songs = {key: song.state() for key, song in self._page(request).songs.items()}
        return JSONResponse({"loaded": self.warm[0].done(), "songs": of_songs})

    async def add(self, request: Request) -> Response:
        """A song, the body of the request; its name is a parameter."""
        page = self._page(request)
        if len(page.songs) >= songs.MAX_SONGS:
            raise HTTPException(429, f"There are {songs.MAX_SONGS} songs on this page: remove one first.")
        if self.pages.waiting() >= songs.MAX_WAITING:
            raise HTTPException(503, "Too many songs are waiting: try again in a minute.")
        handle, path = tempfile.mkstemp(dir=self.folder)
        song = songs.Song(_name(request.query_params.get("name", "")), Path(path))
        key = page.add(song)
        try:
            with open(handle, "wb") as file:
                await _receive(request, file)
            if key not in page.songs:
                raise HTTPException(404, "The song has been removed.")
        except BaseException:  # also if the browser goes away
            page.songs.pop(key, None)
            song.remove()
            raise
        song.start(self.worker, self.models)
        return JSONResponse({"key": key}, 201)

    async def remove(self, request: Request) -> Response:
        self._song(request)
        self._page(request).remove(request.path_params["song"])
        return Response(status_code=204)

    async def leave(self, request: Request) -> Response:
        self._page(request)
        self.pages.close(request.path_params["page"])
        return Response(status_code=204)

    async def mel(self, request: Request) -> Response:
        return Response(self._result(request, "mel"), media_type=TYPES["png"])

    async def written(self, request: Request) -> Response:
        """A prediction as a file to download."""
        paper, kind = request.path_params["paper"], request.path_params["kind"]
        if paper not in self.by_paper or kind not in TYPES:
            raise HTTPException(404)
        model, prediction, name = self.by_paper[paper], self._result(request, paper), self._song(request).name
        if not isinstance(prediction, Prediction):
            raise HTTPException(404, prediction)
        content = await asyncio.to_thread(model.written, prediction, name, kind)
        file = quote(f"{PurePosixPath(name).stem}-{paper}.{kind}")
        return Response(
            content,
            headers={"Content-Disposition": f"attachment; filename*=UTF-8''{file}"} | {"Content-Type": TYPES[kind]},
        )

    def _page(self, request: Request) -> songs.Page:
        page = self.pages.get(request.path_params["page"])
        if page is None:
            raise HTTPException(404, "The songs of this page have been removed: load the page again.")
        return page

    def _song(self, request: Request) -> songs.Song:
        song = self._page(request).songs.get(request.path_params["song"])
        if song is None:
            raise HTTPException(404, "There is no such song on this page.")
        return song

    def _result(self, request: Request, name: str):
        future = self._song(request).results.get(name)
        if future is None or not songs.succeeded(future):
            raise HTTPException(404, "This is not ready.")
        return future.result()


def _name(given: str) -> str:
    """A file's name to show: no folders, no characters that do not print, not too long."""
    return printable(PurePosixPath(given.replace("\\", "/")).name)[:LONGEST_NAME] or "recording"


async def _receive(request: Request, file) -> None:
    """Write the body of a request. Raises HTTPException if it is too long.

    Of a body that is too long the rest is read, up to twice the limit: a browser that is still sending shows no answer.
    """
    most, size = songs.MAX_MIB << 20, 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= most:
            file.write(chunk)
        elif size > 2 * most:
            break
    if size > most:
        raise HTTPException(413, f"The file has more than {songs.MAX_MIB} MiB.")
