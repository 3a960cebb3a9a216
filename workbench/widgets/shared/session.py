"""The workspace, the inspector in use and the other choices of a browser session, kept in the page's address.

A choice has a name and lies in the session. A page that reads it has it in its address too, so that a reload, a link
and the browser's Back and Forward find it. `OF_INSPECTOR` belong to the inspector in use: they are put away when
another one is chosen, and come back with it. The other choices belong to the person, whichever inspector is in use.

`frame/history.js` turns the changes of an address into entries of the browser's history: a page is one entry, and what
`OPENS` over the page is another; every other change rewrites the entry of its page.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from typing import Any, NoReturn

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from patchcore.disk.faults import disk_fault
from patchcore.errors import PatchCoreError
from workbench.inspections.background_scorer import Scorer
from workbench.inspectors.versions import find_inspector, list_inspectors
from workbench.people.roles import Role, require
from workbench.running import running
from workbench.storage.database import WorkspaceUnavailable
from workbench.storage.tables import Inspector
from workbench.storage.workspace import Workspace, workspace_root

SECONDS_TO_FOLLOW = 15.0  # within which a browser has certainly taken over the address it was sent
MOST_DIGITS = 18  # of a number in the address; the database holds no larger ones
LARGEST_AMOUNT = 1e12  # of a score or a share
LONGEST_CHOICE = 8192  # characters
OF_INSPECTOR = (
    "batch", "image", "threshold", "review", "trial", "good", "look", "set", "shown", "version", "with", "other",
    "size", "queued", "teach",
)  # fmt: skip
OPENS = ("image", "inspection", "shown")  # choices that open something; closing it is what Back does
STEP, NEW_PAGE, OPENED = "step", "page", "open"  # the name in the address for history.js, and its values
log = logging.getLogger(__name__)
_LEFT, _PUT_AWAY, _READ = "left_behind", "put_away", "read_by_page"


def workspace() -> Workspace:
    """Return the workspace of this server, its job queue running; `NotAllowed` where the person may not see it."""
    require(Role.VIEW, "see what is here")
    return running(workspace_root()).workspace


def scorer() -> Scorer:
    """Return the scorer of this server, which works for all sessions."""
    require(Role.VIEW, "see what is here")
    return running(workspace_root()).scorer


@contextmanager
def refusals(tell: Callable[[str], object]) -> Iterator[None]:
    """Hand the sentence of an error to `tell`: raised on purpose, or a fault of the disk or the database.

    The trace of such a fault goes to the log. Any other error is a bug and passes.
    """
    try:
        yield
    except WorkspaceUnavailable as error:
        log.exception("The workspace cannot be used at present")
        tell(str(error))
    except PatchCoreError as error:
        tell(str(error))
    except OSError as error:
        words = disk_fault(error, workspace_root())
        if words is None:
            raise
        log.exception("A disk cannot be used at present")
        tell(words)


def plain_errors() -> AbstractContextManager[None]:
    """Show the error of a block as a sentence in its place; see `refusals`."""
    return refusals(lambda words: st.error(sentence(words)))


def page_errors() -> AbstractContextManager[None]:
    """Show the error of a whole page as a sentence, with a button that tries once more."""

    def tell(words: str) -> None:
        st.error(sentence(words))
        st.button("Try again", key="page_again")

    return refusals(tell)


def fragment(*, run_every: float | None = None) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Make a function a fragment, as `st.fragment` does, whose error becomes a sentence in its place.

    A run of the fragment alone does not pass through app.py.
    """

    def decorate(function: Callable[[], None]) -> Callable[[], None]:
        @wraps(function)
        def guarded() -> None:
            with plain_errors():
                function()

        made: Callable[[], None] = st.fragment(run_every=run_every)(guarded)
        return made

    return decorate


def sentence(text: str) -> str:
    """Escape the signs that Markdown takes for formatting: messages hold file names."""
    return "".join(f"\\{sign}" if sign in r"\`*_{}[]<>()#+-!|~$:" else sign for sign in text)


def follow_address() -> None:
    """Take over the address at the begin of a run: a Back or Forward of the browser, or a page that was opened here.

    Choices that the page reads and that its address lacks were not made when the person was there.
    """
    st.query_params.pop(STEP, None)
    context = get_script_run_ctx(suppress_warning=True)
    if context is None or not context.is_history_navigation:
        return
    st.session_state[_LEFT] = {}
    inspector_id = st.query_params.get("inspector")
    if inspector_id and find_inspector(workspace(), inspector_id) is not None:
        _switch(inspector_id, keep=list(st.query_params))
    for name in _read_here() - {"inspector"}:
        if name in st.query_params:
            st.session_state[name] = st.query_params[name]
        else:
            st.session_state.pop(name, None)


def open_page(page: str, **choices: int | str) -> NoReturn:
    """Go to another page, with choices made for it; the page that is left keeps its address.

    Parameters
    ----------
    page
        Path of its script: ``"pages/inspect.py"``.
    choices
        As for `choose`; an ``inspector`` is put into use first.
    """
    if (inspector_id := choices.pop("inspector", None)) is not None:
        _switch(str(inspector_id), rewrite=False)
    for name, value in choices.items():
        _leave(name)
        st.session_state[name] = value
    address = {"inspector": st.session_state["inspector"]} if "inspector" in st.session_state else {}
    address |= {name: str(value) for name, value in choices.items()}
    st.switch_page(page, query_params={**address, STEP: NEW_PAGE})


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
        _switch(inspector.id, keep=list(st.query_params))
        choose("inspector", inspector.id)
    return inspector


def use_inspector(inspector_id: str) -> None:
    """Work on another inspector from here on; choices that belong to the last one wait until it is in use again."""
    _switch(inspector_id)
    choose("inspector", inspector_id)


def in_address(name: str) -> str | None:
    """Return what the address itself says of a name, such as a place that the browser has written there."""
    return st.query_params.get(name)


def chosen(name: str) -> str | None:
    """Return the choice of a name that the address, else the session, holds; the address then has it."""
    address, here = st.query_params.get(name), st.session_state.get(name)
    _read_here().add(name)
    if address is not None and not (len(address) <= LONGEST_CHOICE and address.isprintable()):
        return None if here is None else str(here)
    if address is not None and not _is_outdated(name, address):
        if name != "inspector" and str(here) != address:  # an inspector is put into use by `_switch`
            st.session_state[name] = address
        return address
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
    opens = name in OPENS and st.session_state.get(name) is None and name not in st.query_params
    if str(st.session_state.get(name)) != str(value):
        _leave(name)
    st.session_state[name] = value
    _read_here().add(name)
    _write_address(name, value, step=opens)


def forget(*names: str) -> None:
    """Drop choices."""
    for name in names:
        closes = name in OPENS and name in st.query_params
        _leave(name)
        st.session_state.pop(name, None)
        _write_address(name, None, step=closes)


def _switch(inspector_id: str, keep: Iterable[str] = (), *, rewrite: bool = True) -> None:
    """Put the choices of the last inspector away, and bring back those of this one.

    Parameters
    ----------
    keep
        Names of choices that the address makes for this inspector.
    rewrite
        Whether the address of this page loses the choices of the last inspector; a page that is left keeps them.
    """
    last = st.session_state.get("inspector")
    if last == inspector_id:
        return
    put_away: dict[str, dict[str, Any]] = st.session_state.setdefault(_PUT_AWAY, {})
    if last is not None:
        _leave("inspector")
        put_away[last] = {name: st.session_state[name] for name in OF_INSPECTOR if name in st.session_state}
        for name in set(OF_INSPECTOR) - set(keep):
            _leave(name)
            st.session_state.pop(name, None)
            if rewrite:
                _write_address(name, None)
    st.session_state.update(put_away.pop(inspector_id, {}))
    st.session_state["inspector"] = inspector_id


def _read_here() -> set[str]:
    """Return the names of the choices that the page in view has read so far."""
    context = get_script_run_ctx(suppress_warning=True)
    page = "" if context is None else context.page_script_hash
    by_page: dict[str, set[str]] = st.session_state.setdefault(_READ, {})
    return by_page.setdefault(page, set())


def _write_address(name: str, value: int | str | float | None, *, step: bool = False) -> None:
    """Give the address one choice, and every other that this page has read as the session holds it.

    A callback may belong to a run that draws a part of the page only: nobody reads the other choices in that run, and
    the browser may have sent it before it heard of them.
    """
    if st.query_params.get(name) == (None if value is None else str(value)):
        return
    before = st.query_params.to_dict()
    address: dict[str, int | str | float | None] = {**before}
    for one in _read_here() - {"inspector"}:
        said = before.get(one)
        if said is None or _is_outdated(one, said):
            address[one] = st.session_state.get(one)
    address[name] = value
    present = {one: str(held) for one, held in address.items() if held is not None}
    if step:
        st.query_params.from_dict({**present, STEP: OPENED})
    st.query_params.from_dict(present)


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
