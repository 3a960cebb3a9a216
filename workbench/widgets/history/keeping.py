"""The rule how long history is kept, with the deletions it would make and has made."""

from typing import Any

import streamlit as st

from workbench.people.roles import Role
from workbench.storage.tables import Event
from workbench.upkeep.expiry import Gone
from workbench.upkeep.retention import deletions, go_on, keep_for, kept_months, what_goes, why_held
from workbench.widgets.shared import access, notice, session, wording

CHOICES = (None, 3, 6, 12, 24, 36, 60, 120)  # months
KEY = "history_months"


def show() -> None:
    """Draw the panel, closed; above it, why the rule is not applied at present."""
    here = session.workspace()
    months = kept_months(here)
    _held(months)
    with st.expander(f"History is kept {_words(months)}", key="history_keeping"):
        if access.may(Role.ENGINEER):
            _change(months)
        else:
            st.caption("An engineer may change that.")
        for event in deletions(here):
            st.caption(session.sentence(deleted_words(event)))


def deleted_words(event: Event) -> str:
    """Return in a sentence what one application of the rule deleted."""
    gone: dict[str, Any] = event.details
    return (
        f"On {event.created.astimezone():%Y-%m-%d} {wording.counted(gone['inspections'], 'inspection')} older than "
        f"{wording.counted(gone['months'], 'month')} were deleted with {wording.counted(gone['pictures'], 'picture')}, "
        f"{wording.megabytes(gone['size_bytes'] / 1e6)}."
    )


def _held(months: int | None) -> None:
    """Say that the clock may be wrong, with the deletions that wait and the button that lets them go on."""
    here = session.workspace()
    doubt = why_held(here)
    if doubt is None or months is None:
        return
    with st.container(key="history_held"):
        waiting = what_goes(here, months)
        due = (
            "By this date nothing is old enough to be deleted."
            if waiting.inspections == 0
            else f"By this date {_counted(waiting)} would be deleted now."
        )
        st.warning(session.sentence(f"{doubt.sentence} {due}"))
        access.button("The date is right", Role.ENGINEER, key="confirm_clock", on_click=_go_on)


def _go_on() -> None:
    with notice.toasted_refusal():
        go_on(session.workspace())


def _counted(gone: Gone) -> str:
    return (
        f"{wording.counted(gone.inspections, 'inspection')} and {wording.counted(gone.pictures, 'picture')}"
    )


def _change(months: int | None) -> None:
    choices = sorted({*CHOICES, months}, key=lambda one: (one is not None, one or 0))
    chosen = st.selectbox(
        "Keep",
        choices,
        index=choices.index(months),
        format_func=_words,
        key=KEY,
        width=220,
        help="Older inspections are deleted with their pictures and maps, now and then daily. Good images of an "
        "inspector, images that a threshold was set from, and labelled images stay.",
    )
    if chosen == months:
        return
    if chosen is not None:
        gone = what_goes(session.workspace(), chosen)
        st.markdown(
            "Nothing is that old yet; it will be deleted as it becomes so."
            if gone.inspections == 0
            else f"This deletes **{wording.counted(gone.inspections, 'inspection')}** and "
            f"{wording.counted(gone.pictures, 'picture')} now, {wording.megabytes(gone.size_bytes / 1e6)}. It cannot "
            "be undone; a backup made before keeps them."
        )
    st.button(f"Keep {_words(chosen)}", type="primary", on_click=_keep, args=(chosen,), key="keep_history")


def _keep(months: int | None) -> None:
    with notice.toasted_refusal():
        keep_for(session.workspace(), months)


def _words(months: int | None) -> str:
    if months is None:
        return "for ever"
    return (
        f"for {months // 12} years"
        if months > 12 and months % 12 == 0
        else f"for {wording.counted(months, 'month')}"
    )
