"""The panel Watched folder on Inspect: the state of each watched folder, and buttons to start and stop."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from patchcore.errors import PatchCoreError, SettingsError
from workbench.jobs.requests import JobState
from workbench.people.roles import Role
from workbench.storage.tables import Inspector
from workbench.storage.workspace import Workspace
from workbench.uploads.intake import allowed_roots
from workbench.watching.outputs.declaration import Option
from workbench.watching.outputs.registry import options
from workbench.watching.standing import (
    WatchOptions,
    WatchState,
    list_watches,
    memory_megabytes,
    start_again,
    start_watch,
    stop_watch,
    try_again,
)
from workbench.widgets.fields import number
from workbench.widgets.shared import access, session, wording
from workbench.widgets.shared.intake import folder_browser
from workbench.widgets.shared.watch_state import state_html

POLL_SECONDS = 2.0
NUMBERS = {"whole": 0, "number": None}  # kinds of options that are numbers, with the digits of their fields
CHANGED, REFUSED = "watch_changed", "watch_refused"  # in the session, until the next run


def show(inspector: Inspector, batch_id: int | None) -> None:
    """Draw the panel.

    Parameters
    ----------
    batch_id
        The batch that the page shows; None when there is none yet.
    """
    watched = bool(list_watches(session.workspace(), inspector.id))

    @session.fragment(run_every=POLL_SECONDS if watched else None)
    def follow() -> None:
        with session.plain_errors():
            if st.session_state.pop(CHANGED, False):
                st.rerun()  # the whole page: the sidebar and the form show it too
            if refused := st.session_state.pop(REFUSED, None):
                st.error(session.sentence(refused))
            states = list_watches(session.workspace(), inspector.id)
            if batch_id is None and any(state.batch_id for state in states):
                st.rerun()  # the first image has arrived
            for state in states:
                _state(state, batch_id)

    follow()
    if not access.only(Role.ENGINEER, "Starting to watch a folder"):
        return
    if watched:
        with st.expander("Watch another folder"):
            _start(inspector)
    else:
        _start(inspector)


def _state(state: WatchState, batch_id: int | None) -> None:
    """Draw one watched folder with its buttons."""
    st.html(state_html(state))
    with st.container(horizontal=True):
        access.button(
            "Stop watching",
            Role.ENGINEER,
            key=f"stop_watch_{state.id}",
            on_click=_do,
            args=(stop_watch, state.id),
        )
        if state.job_state == JobState.FAILED:
            access.button(
                "Start again",
                Role.ENGINEER,
                key=f"again_watch_{state.id}",
                type="primary",
                on_click=_do,
                args=(start_again, state.id),
            )
        if state.set_aside:
            access.button(
                "Try again what was set aside",
                Role.OPERATE,
                key=f"retry_watch_{state.id}",
                help="After a fix: files that still lie in the folder are judged again.",
                on_click=_do,
                args=(try_again, state.id),
            )
        if state.batch_id is not None and state.batch_id != batch_id:
            st.button(
                "Show its images",
                key=f"show_watch_{state.id}",
                on_click=_open,
                args=(state.batch_id,),
            )


def _start(inspector: Inspector) -> None:
    """Draw the form that starts a watch."""
    roots = ", ".join(str(root) for root in allowed_roots())

    def take(path: str) -> None:
        st.session_state["watch_folder"] = path

    folder_browser.draw("watch", str(st.session_state.get("watch_folder", "")), take, "Choose this folder")
    with st.form("watch_form", border=False):
        st.caption(
            "Images are scored as they arrive: once written completely, each once, also after a restart."
        )
        if inspector.current is not None:
            memory = wording.megabytes(memory_megabytes(inspector.current))
            st.caption(f"Each watched folder takes about {memory} of memory while it is watched.")
        folder = st.text_input(
            "Folder on the computer that runs the dashboard",
            key="watch_folder",
            placeholder=str(allowed_roots()[0]),
            help=f"Images that are in it already are scored too. Open folders: {roots}. PATCHCORE_ROOTS opens others.",
        )
        below = st.checkbox("Look into folders below, too", key="watch_below")
        typed = {option: _field(option) for option in options()}
        pressed = st.form_submit_button("Start watching", type="primary")
    if not pressed or not folder.strip():
        return
    with session.plain_errors():
        outputs = {option.name: _value(option, value) for option, value in typed.items()}
        chosen = WatchOptions(subfolders=below, outputs=outputs)
        start_watch(session.workspace(), inspector.id, folder, chosen)
        st.rerun()


def _field(option: Option) -> Any:
    """Draw the field of an output's option and return what stands in it."""
    key, detail = f"watch_{option.name}", option.detail or None
    if option.kind == "switch":
        return st.checkbox(option.label, value=option.default, key=key, help=detail)
    shown = number.show(option.default) if option.kind in NUMBERS else option.default
    return st.text_input(option.label, value=shown, key=key, placeholder=option.empty, help=detail).strip()


def _value(option: Option, typed: Any) -> Any:
    """Return the value of an option as it was typed."""
    if option.kind not in NUMBERS:
        return typed
    try:
        return number.read(typed, least=option.least, most=option.most, digits=NUMBERS[option.kind])
    except number.NotANumber as error:
        raise SettingsError(f"{option.label}: {error}") from error


def _do(action: Callable[[Workspace, int], None], watch_id: int) -> None:
    """Start or stop a watch; the panel shows the reason of a refusal."""
    try:
        action(session.workspace(), watch_id)
    except PatchCoreError as error:
        st.session_state[REFUSED] = str(error)
    else:
        st.session_state[CHANGED] = True


def _open(batch_id: int) -> None:
    session.forget("image")
    session.choose("batch", batch_id)
    st.session_state[CHANGED] = True
