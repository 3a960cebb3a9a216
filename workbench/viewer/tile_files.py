"""Serving the tiles of galleries from disk: a page names thousands of them, and a browser asks for those in view.

An address cannot be guessed, and leads to a tile for as long as a session's pages show it, as with the media files of
Streamlit.
"""

import hashlib
import secrets
from threading import Lock
from weakref import WeakValueDictionary

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from workbench.storage.database import WorkspaceError
from workbench.storage.pictures import TileFile

FOLDER = "tiles"  # of the addresses
_SECRET = secrets.token_bytes(32)
_offered: WeakValueDictionary[str, TileFile] = WeakValueDictionary()
_lock = Lock()


def address(tile: TileFile) -> str:
    """Return where a browser finds a tile, below the dashboard's own address; other contents have another one."""
    return f"/{FOLDER}/{_name(tile)}"


def offer(tile: TileFile) -> TileFile:
    """Serve a tile for as long as a session holds what this returns: one object for equal tiles of all sessions."""
    with _lock:
        return _offered.setdefault(_name(tile), tile)


def route(base: str = "") -> Route:
    """Return the route that answers for tiles; `base` is the path that the dashboard is served below."""
    folders = [part for part in base.split("/") if part]
    return Route("/" + "/".join([*folders, FOLDER, "{name}"]), _answer, methods=["GET"])


def _name(tile: TileFile) -> str:
    about = f"{tile.workspace.root}:{tile.map_path}:{tile.state}"
    return hashlib.sha256(_SECRET + about.encode()).hexdigest()[:32]  # thousands of names go to the browser


def _answer(request: Request) -> Response:  # Starlette runs it in a thread of its own
    tile = _offered.get(request.path_params["name"])
    try:
        if tile is not None:
            return Response(tile.read(), media_type="application/octet-stream")
    except (OSError, WorkspaceError):  # the image was deleted while a page showed it
        pass
    return PlainTextResponse("This picture is not shown any more. Load the page again.", 404)
