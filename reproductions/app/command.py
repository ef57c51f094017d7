"""A page to drop songs on: valence and arousal while the song plays, nine emotions and four quadrants.

It is served on this machine alone, and sends nothing elsewhere. Songs are kept until their page is closed, and removed
at the latest when the command ends (Ctrl-C).
"""

import contextlib
import socket
from importlib.util import find_spec

from common import backend, cli, device
from common.errors import InputError

HOST, PORT = "127.0.0.1", 8765
LOCAL = (HOST, "localhost")
PACKAGES = ("jams", "starlette", "uvicorn")  # of the extra 'app'


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code.

    Parameters
    ----------
    arguments : list of str, optional
        By default those of the process.
    """
    parser = cli.Parser(prog="python -m reproductions app", description=__doc__)
    add = parser.add_argument
    others = "another lets other machines in, without a password"
    add("--host", default=HOST, metavar="NAME", help=f"address to listen on (default: %(default)s; {others})")
    add("--port", type=int, default=PORT, metavar="N", help="default: %(default)s; 0 takes one that is free")
    options = parser.parse_args(arguments)
    return cli.run(lambda: _serve(options))


def _serve(options) -> int:
    if missing := [name for name in PACKAGES if find_spec(name) is None]:
        raise InputError(f"app: needs {', '.join(missing)}; install the extra 'app': pip install -e '.[app]'")
    backend.require()
    device.choose("auto", 1)
    try:
        listening = socket.create_server((options.host, options.port))
    except (OSError, OverflowError) as error:
        where = f"--host {options.host} --port {options.port}"
        raise InputError(f"{where}: cannot be listened on ({error}); name another port") from error
    import uvicorn

    from reproductions.app.server import application

    hosts = LOCAL if options.host in LOCAL else ("*",)
    logs = {"log_level": "warning", "access_log": False}  # which would hold the names of songs
    server = uvicorn.Server(
        uvicorn.Config(application(hosts), timeout_graceful_shutdown=2, server_header=False, **logs)
    )
    with listening, contextlib.suppress(KeyboardInterrupt):  # Ctrl-C is how it ends
        print(f"http://{options.host}:{listening.getsockname()[1]}/ (Ctrl-C ends it)", flush=True)
        server.run(sockets=[listening])
    return 0
