"""The one Streamlit component of the viewer: its scripts and pictures on the server, and its place on the page.

Scripts and pictures go through Streamlit's store of media files, under addresses made of their content: the browser
asks for each once, and a rerun that changes a threshold carries a few hundred bytes. Tiles on disk are served from disk
(`tile_files`).
"""

import copy
import json
import re
import time
import uuid
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from threading import current_thread
from typing import Any

from patchcore.maps import colours
from workbench.storage.pictures import TileFile
from workbench.viewer import tile_files

SECONDS_TO_LOAD = 20.0  # time in which a browser may still ask for a file that the page no longer shows
BROWSER = Path(__file__).parent / "browser"
_IMPORT = re.compile(r'^((?:import|export)\b[^"\n]*from |import )"\./([a-z]+)\.js";', re.MULTILINE)
_MEMORY = "patchcore.viewer:served"
# The page's script loads the viewer from where the page itself came from, also behind a proxy or a base path.
_LOADER = """
const script = document.querySelector('script[src*="static/js/"]');
const base = script ? script.src.replace(/static\\/js\\/.*$/, "") : `${location.origin}/`;
export default async function (component) {
  const viewer = await import(new URL(component.data.script.replace(/^\\//, ""), base).href);
  return viewer.default(component);
}
"""


_released: deque[str] = deque()  # holders of files that have gone


@dataclass(eq=False)
class _File:
    """One file at one place of a session's pages, served for as long as this object lives.

    Streamlit drops the files that the latest run of a session has not named, even if a newer run cuts it short, or a
    callback holds its beginning up. A browser still loading pictures, or the viewers' modules, would get errors. So
    each file has a holder: for Streamlit a session of its own, which runs nothing.
    """

    content: bytes | TileFile
    mimetype: str
    place: str
    in_use: bool = True
    left: float | None = None  # time of the first complete run that no longer asks for it
    url: str = ""
    holder: str = field(default_factory=lambda: f"patchcore.viewer:{uuid.uuid4().hex}")

    def __post_init__(self) -> None:
        if isinstance(self.content, TileFile):
            self.content = tile_files.offer(self.content)
            self.url = tile_files.address(self.content)
            return
        from streamlit.runtime import exists, get_instance
        from streamlit.runtime.scriptrunner import get_script_run_ctx
        from streamlit.runtime.scriptrunner_utils.script_run_context import (  # type: ignore[attr-defined]
            SCRIPT_RUN_CONTEXT_ATTR_NAME,
        )

        own = get_script_run_ctx(suppress_warning=True)
        if own is None or not exists():
            return
        context = copy.copy(own)
        context.session_id = self.holder
        # Streamlit asks the thread for the session that names a file. This thread takes the holder's place meanwhile: a
        # thread for each file would take longer than all the rest, where a gallery has thousands.
        thread = current_thread()
        setattr(thread, SCRIPT_RUN_CONTEXT_ATTR_NAME, context)
        try:
            self.url = get_instance().media_file_mgr.add(self.content, self.mimetype, self.place)
        finally:
            setattr(thread, SCRIPT_RUN_CONTEXT_ATTR_NAME, own)
        # The last reference may go in any thread, also in one that holds the lock of Streamlit's files.
        weakref.finalize(self, _released.append, self.holder).atexit = False

    def long_left(self, now: float) -> bool:
        """Tell whether no page has asked for the file for so long that no browser will."""
        return self.left is not None and now - self.left > SECONDS_TO_LOAD


def _drop_released() -> None:
    """Have Streamlit forget the files that are served no longer, of this session and of those that have ended."""
    from streamlit.runtime import exists, get_instance

    while _released and exists():
        get_instance().media_file_mgr.clear_session_refs(_released.popleft())


Served = dict[str, _File]


def mount(
    use: str,
    key: str,
    data: Mapping[str, Any],
    *,
    states: Sequence[str] = (),
    events: Mapping[str, Callable[[], None] | None] | None = None,
) -> None:
    """Put one viewer on the page.

    Parameters
    ----------
    use
        The viewer: gallery, strip, detail or roi.
    key
        Streamlit key, unique on the page.
    data
        JSON values for the browser.
    states
        Names of lasting values the browser may set.
    events
        Names of passing values, each with its callback (or None).
    """
    callbacks = {f"on_{name}_change": _nothing for name in states}
    for name, call in (events or {}).items():
        callbacks[f"on_{name}_change"] = call or _nothing
    _component()(key=key, data={**data, "use": use, "key": key, "script": _script_url()}, **callbacks)


@contextmanager
def kept_files() -> Iterator[None]:
    """Serve what a run of the script asks for, and what the runs before asked for, whatever page it draws.

    A file goes `SECONDS_TO_LOAD` after a run has come to its end without asking for it.
    """
    import streamlit as st

    served: Served = st.session_state.setdefault(_MEMORY, {})
    for file in served.values():
        file.in_use = False
    _script_url()
    yield
    now = time.monotonic()
    for file in served.values():
        if not file.in_use and file.left is None:
            file.left = now
    for place in [place for place, file in served.items() if file.long_left(now)]:
        del served[place]
    _drop_released()


def event_value(key: str, event: str) -> Any:
    """Return the value of an event inside its callback; None without a value."""
    import streamlit as st

    state = st.session_state.get(key)
    return None if state is None else state.get(event)


def media_url(content: bytes, mimetype: str, place: str) -> str:
    """Serve bytes to this session and return their address, which is the same for the same bytes.

    They stay served for as long as runs ask for them under the same `place` and for `SECONDS_TO_LOAD` more; without
    `kept_files`, as long as the session lives.
    """
    return _serve(_served(), content, mimetype, place)


def picture_urls(contents: Iterable[bytes | TileFile], key: str) -> list[str]:
    """Serve encoded pictures (`workbench.storage.pictures`), each at its place among those of a viewer.

    The bytes of a tile's file are read when a browser asks for them (`workbench.viewer.tile_files`).
    """
    served = _served()
    return [
        _serve(served, content, "application/octet-stream", f"{key}:{place}")
        for place, content in enumerate(contents)
    ]


def _served() -> Served:
    import streamlit as st

    served: Served = st.session_state.setdefault(_MEMORY, {})
    return served


def _serve(served: Served, content: bytes | TileFile, mimetype: str, place: str) -> str:
    file = served.get(place)
    if file is None or file.content != content or file.mimetype != mimetype:
        if file is not None:  # a slow browser may still be loading files of the last runs
            file.left, file.in_use = time.monotonic(), False
            served[file.holder] = file
        file = served[place] = _File(content, mimetype, place)
    file.in_use, file.left = True, None
    return file.url


def picture_url(content: bytes, place: str) -> str:
    """Serve an encoded picture (`workbench.storage.pictures`)."""
    return media_url(content, "application/octet-stream", place)


def json_url(value: object, place: str) -> str:
    """Serve a JSON value that is long and seldom changes."""
    return media_url(json.dumps(value, separators=(",", ":")).encode(), "application/json", place)


def _nothing() -> None:
    """Make Streamlit report a value without anything else happening."""


@cache
def _component() -> Callable[..., Any]:
    import streamlit as st

    css = "\n".join(path.read_text(encoding="utf-8") for path in sorted(BROWSER.glob("*.css")))
    component: Callable[..., Any] = st.components.v2.component("patchcore_viewer", css=css, js=_LOADER)
    return component


def _script_url() -> str:
    """Serve all modules and return the address of the first one."""
    addresses: dict[str, str] = {}
    for name, imports in _imports().items():
        source = _addressed(name, tuple(addresses[imported] for imported in imports))
        url = media_url(source, "text/javascript", f"script:{name}")
        addresses[name] = url.rsplit("/", 1)[-1]
    return url


@cache
def _imports() -> dict[str, list[str]]:
    """Return what each module imports, in the order of loading."""
    sources = scripts()
    return {name: [found[2] for found in _IMPORT.finditer(sources[name])] for name in load_order(sources)}


@cache
def _addressed(name: str, addresses: tuple[str, ...]) -> bytes:
    """Return a module's source with the addresses of what it imports; every run of a page asks for it."""
    left = iter(addresses)
    return _IMPORT.sub(lambda found: f'{found[1]}"./{next(left)}";', scripts()[name]).encode()


@cache
def scripts() -> dict[str, str]:
    """Return the source of every browser module by its name; `palette` holds the values of `patchcore.maps.colours`."""
    sources = {path.stem: path.read_text(encoding="utf-8") for path in sorted(BROWSER.glob("*.js"))}
    constants = {
        "HEAT": f"Uint8Array.from({colours.HEAT_TABLE.ravel().tolist()})",
        "ALPHA_RAMP": colours.ALPHA_RAMP,
        "CONTOUR_LINE": [*colours.CONTOUR_LINE, 255],
        "CONTOUR_RIM": [*colours.CONTOUR_RIM, 255],
        "MAP_GROUND": list(colours.MAP_GROUND),
        "MAP_GREYS": colours.MAP_GREYS,
    }
    sources["palette"] = "\n".join(f"export const {name} = {value};" for name, value in constants.items())
    return sources


def load_order(sources: Mapping[str, str]) -> list[str]:
    """Return the modules' names so that each comes after those it imports, `main` last."""
    order: list[str] = []

    def visit(name: str) -> None:
        if name in order:
            return
        for found in _IMPORT.finditer(sources[name]):
            visit(found[2])
        order.append(name)

    visit("main")
    return order
