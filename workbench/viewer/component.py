"""The one Streamlit component of the viewer: its scripts and pictures on the server, and its place on the page.

Scripts and pictures go through Streamlit's store of media files, under addresses made of their content: the browser
asks for each once, and a rerun that changes a threshold carries a few hundred bytes.
"""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from patchcore.maps import colours

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


@dataclass
class _File:
    """The files served for one place of a session's pages."""

    content: bytes
    mimetype: str
    url: str = ""
    in_use: bool = True
    left: float | None = None  # time of the first complete run that no longer names the place


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
    """Keep the viewers' files served throughout a run of the script, whatever page it draws.

    Streamlit drops the files that a run has not named, even if a newer run cuts it short: a browser still loading
    pictures, or the viewers' modules, would get errors. So all files of earlier runs are named again at once, and
    forgotten `SECONDS_TO_LOAD` after a run has ended without naming them.
    """
    import streamlit as st

    served: Served = st.session_state.setdefault(_MEMORY, {})
    for place, file in served.items():
        _name(file, place)
        file.in_use = False
    _script_url()
    yield
    now = time.monotonic()
    for place, file in list(served.items()):
        if file.in_use:
            continue
        if file.left is None:
            file.left = now
        elif now - file.left > SECONDS_TO_LOAD:
            del served[place]


def event_value(key: str, event: str) -> Any:
    """Return the value of an event inside its callback; None without a value."""
    import streamlit as st

    state = st.session_state.get(key)
    return None if state is None else state.get(event)


def media_url(content: bytes, mimetype: str, place: str) -> str:
    """Serve bytes to this session and return their address, which is the same for the same bytes.

    They stay served as long as runs ask for them under the same `place`, and for `SECONDS_TO_LOAD` more. Without
    `kept_files` they stay served only until the next run begins.
    """
    import streamlit as st

    served: Served = st.session_state.get(_MEMORY, {})
    file = served.get(place)
    if file is None or file.content != content or file.mimetype != mimetype:
        if file is not None:  # a slow browser may still be loading files of the last runs
            file.left, file.in_use = time.monotonic(), False
            before = f"{place}:{file.url.rsplit('/', 1)[-1]}"
            served[before] = file
            _name(file, before)
        file = served[place] = _File(content, mimetype)
        _name(file, place)
    file.in_use, file.left = True, None
    return file.url


def picture_url(content: bytes, place: str) -> str:
    """Serve an encoded picture (`workbench.storage.pictures`)."""
    return media_url(content, "application/octet-stream", place)


def json_url(value: object, place: str) -> str:
    """Serve a JSON value that is long and seldom changes."""
    return media_url(json.dumps(value, separators=(",", ":")).encode(), "application/json", place)


def _name(file: _File, place: str) -> None:
    """Let Streamlit serve a file for this run."""
    from streamlit.runtime import exists, get_instance

    if exists():
        files = get_instance().media_file_mgr
        file.url = files.add(file.content, file.mimetype, f"patchcore.viewer:{place}")


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
    sources = scripts()
    for name in load_order(sources):
        source = _IMPORT.sub(lambda found: f'{found[1]}"./{addresses[found[2]]}";', sources[name])
        url = media_url(source.encode(), "text/javascript", f"script:{name}")
        addresses[name] = url.rsplit("/", 1)[-1]
    return url


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
