"""The workspace, the inspector in use and the other choices of a browser session, kept in the page's address."""

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
MOST_DIGITS = 18  # of a number in the address; the database holds no larger ones
LARGEST_AMOUNT = 1e12  # of a score or a share
LONGEST_CHOICE = 8192  # characters
_LEFT = "left_behind"


def workspace() -> Workspace:
    """Return the workspace of this server, its job queue running; `NotAllowed` where the person may not see it."""
    require(Role.VIEW, "see what is here")
    return running(Workspace().root).workspace


def scorer() -> Scorer:
    """Return the scorer of this server, which works for all sessions."""
    require(Role.VIEW, "see what is here")
    return running(Workspace().root).scorer


@contextmanager
def plain_errors() -> Iterator[None]:
    """Show an error that is raised on purpose as a sentence; any other error is a bug and passes."""
    try:
        yield
    except PatchCoreError as error:
        st.error(sentence(str(error)))


def sentence(text: str) -> str:
    """Escape the signs that Markdown takes for formatting: messages hold file names."""
    return "".join(f"\\{sign}" if sign in r"\`*_{}[]<>()#+-!|~$:" else sign for sign in text)


def inspector_in_use() -> Inspector | None:
    """Return the inspector in use: named by the address, else by the session, else the newest."""
    here = workspace()
    for name in (chosen("inspector"), st.session_state.get("inspector")):
        inspector = find_inspector(here, name) if name else None
        if inspector is not None and inspector.current is not None and inspector.deleted is None:
            break
    else:
        inspector = next(iter(list_inspectors(here)), None)
    if inspector is not None:
        choose("inspector", inspector.id)
    return inspector


def use_inspector(inspector_id: str) -> None:
    """Work on another inspector from here on; choices that belong to the last one are forgotten."""
    if st.session_state.get("inspector") != inspector_id:
        forget("batch", "image", "threshold", "review")
    choose("inspector", inspector_id)


def chosen(name: str) -> str | None:
    """Return the choice of a name that the address, else the session, holds."""
    address, here = st.query_params.get(name), st.session_state.get(name)
    if address is not None and not (len(address) <= LONGEST_CHOICE and address.isprintable()):
        return None if here is None else str(here)
    if address is not None and not _is_outdated(name, address):
        return address
    if address is not None:
        _write_address(name, here)
    return None if here is None else str(here)


def chosen_number(name: str) -> int | None:
    """Return a number that the address, else the session, holds: of a batch, an image or a job."""
    value = chosen(name)
    is_number = value is not None and value.isascii() and value.isdigit() and len(value) <= MOST_DIGITS
    return int(value) if is_number and value is not None else None


def chosen_amount(name: str) -> float | None:
    """Return a score or a share that the address, else the session, holds; None for another text or an absurd one."""
    try:
        amount = float(chosen(name) or "")
    except ValueError:
        return None
    return amount if 0 <= amount <= LARGEST_AMOUNT else None


def choose(name: str, value: int | str | float) -> None:
    """Remember a choice for this session and in the address, so that a reload finds it."""
    if str(st.session_state.get(name)) != str(value):
        _leave(name)
    st.session_state[name] = value
    _write_address(name, value)


def forget(*names: str) -> None:
    """Drop choices."""
    for name in names:
        _leave(name)
        st.session_state.pop(name, None)
        _write_address(name, None)


def _write_address(name: str, value: int | str | float | None) -> None:
    if value is None:
        st.query_params.pop(name, None)
    elif st.query_params.get(name) != str(value):
        st.query_params[name] = str(value)


def _leave(name: str) -> None:
    """Note that a value of the address is outdated: a browser that has not heard of the change still sends it."""
    for value in (st.query_params.get(name), st.session_state.get(name)):
        if value is not None:
            st.session_state.setdefault(_LEFT, {})[name, str(value)] = time.monotonic()


def _is_outdated(name: str, address: str) -> bool:
    past: dict[tuple[str, str], float] = st.session_state.get(_LEFT, {})
    at = past.get((name, address))
    return (
        at is not None
        and str(st.session_state.get(name)) != address
        and time.monotonic() - at < SECONDS_TO_FOLLOW
    )
