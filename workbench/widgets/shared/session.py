"""What a browser session works on: the workspace, the inspector in use, its batch; kept in the page's address."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from patchcore.errors import PatchCoreError
from workbench.inspections.background_scorer import Scorer
from workbench.inspectors.versions import find_inspector, list_inspectors
from workbench.people.roles import Role, require
from workbench.running import running
from workbench.storage.tables import Inspector
from workbench.storage.workspace import Workspace

SECONDS_TO_FOLLOW = 15.0  # within which a browser has certainly taken over the address it was sent
_LEFT = "left_behind"


def workspace() -> Workspace:
    """Return the workspace of this server, its job queue running, to whoever may see it."""
    require(Role.VIEW, "see what is here")
    return running(Workspace().root).workspace


def scorer() -> Scorer:
    """Return what scores batches for all sessions of this server."""
    require(Role.VIEW, "see what is here")
    return running(Workspace().root).scorer


@contextmanager
def plain_errors() -> Iterator[None]:
    """Show what the package raises on purpose as a sentence; anything else is a bug and stays one."""
    try:
        yield
    except PatchCoreError as error:
        st.error(sentence(str(error)))


def sentence(text: str) -> str:
    """Escape what Markdown would take for formatting: messages hold file names."""
    return "".join(f"\\{sign}" if sign in r"\`*_{}[]<>()#+-!|~$:" else sign for sign in text)


def inspector_in_use() -> Inspector | None:
    """Return the inspector in use: the address names it, else the session, else it is the newest."""
    here = workspace()
    for name in (chosen("inspector"), st.session_state.get("inspector")):
        inspector = find_inspector(here, name) if name else None
        if inspector is not None and inspector.current is not None and inspector.deleted is None:
            break
    else:
        inspector = next(iter(list_inspectors(here)), None)
    if inspector is not None:
        _keep("inspector", inspector.id)
    return inspector


def use_inspector(inspector_id: str) -> None:
    """Work on another inspector from here on; what belonged to the last one is forgotten."""
    if st.session_state.get("inspector") != inspector_id:
        for name in ("batch", "image", "threshold", "review"):
            forget(name)
    _keep("inspector", inspector_id)


def chosen(name: str) -> str | None:
    """Return what the address, else the session, holds under a name."""
    told, here = st.query_params.get(name), st.session_state.get(name)
    if told is not None and not _left_behind(name, told):
        return told
    if told is not None:
        _write_address(name, here)
    return None if here is None else str(here)


def chosen_number(name: str) -> int | None:
    """Return a number that the address, else the session, holds: of a batch, an image or a job."""
    value = chosen(name)
    return int(value) if value is not None and value.isascii() and value.isdigit() else None


def choose(name: str, value: int | str | float) -> None:
    """Remember a choice for this session and in the address, so that a reload finds it."""
    _keep(name, value)


def forget(name: str) -> None:
    """Drop a choice."""
    _leave(name)
    st.session_state.pop(name, None)
    _write_address(name, None)


def _keep(name: str, value: int | str | float) -> None:
    if str(st.session_state.get(name)) != str(value):
        _leave(name)
    st.session_state[name] = value
    _write_address(name, value)


def _write_address(name: str, value: int | str | float | None) -> None:
    if value is None:
        st.query_params.pop(name, None)
    elif st.query_params.get(name) != str(value):
        st.query_params[name] = str(value)


def _leave(name: str) -> None:
    """Note that a value of the address is past: a click made before the browser has heard so still sends it."""
    for value in (st.query_params.get(name), st.session_state.get(name)):
        if value is not None:
            st.session_state.setdefault(_LEFT, {})[name, str(value)] = time.monotonic()


def _left_behind(name: str, told: str) -> bool:
    left: dict[tuple[str, str], float] = st.session_state.get(_LEFT, {})
    at = left.get((name, told))
    return (
        at is not None
        and str(st.session_state.get(name)) != told
        and time.monotonic() - at < SECONDS_TO_FOLLOW
    )
