"""The view Report: one file for people who were not in the room, made when it is asked for."""

import re

import streamlit as st

from patchcore.methods import SHARE
from workbench.evaluation.report import report_of
from workbench.evaluation.sweep import latest_sweep
from workbench.inspectors.capabilities import refusal
from workbench.inspectors.versions import find_inspector
from workbench.widgets.evaluate.measured import Measured
from workbench.widgets.shared import downloads, session, wording

AUTHOR = "report_author"
CONTENTS = (
    "One HTML file: what was inspected and with which settings, the threshold and what it means, metrics with their "
    "intervals, curves, each defect type, the telling images, and the limits of all this. It opens without a network, "
    "in any browser, and prints to PDF."
)


def show(measured: Measured) -> None:
    """Draw the first sentence of the report, the fields for author and note, and the button that makes it."""
    st.markdown(CONTENTS)
    # The button's function runs outside the session, and a click may overtake the run that the typing asks for:
    # the texts are handed over in one dictionary, which a callback fills before that run draws a thing.
    typed: dict[str, str] = st.session_state.setdefault("report_typed", {})
    note = (
        f"report_note_{measured.batch.id}"  # of this set alone; the author is the same person for every set
    )
    with st.container(border=True, key="panel_report"):
        st.markdown(f"**It begins:** {session.sentence(headline(measured))}")
        left, right = st.columns([1, 2], gap="medium")
        with left:
            st.text_input(
                "Author",
                key=AUTHOR,
                persist_state="session",
                placeholder="Who answers for it",
                max_chars=120,
                on_change=_take_in,
                args=(typed, note),
            )
        with right:
            st.text_area(
                "Note",
                key=note,
                persist_state="session",
                placeholder="What the reader should know first",
                height=90,
                max_chars=4000,
                on_change=_take_in,
                args=(typed, note),
            )
        _take_in(typed, note)
        downloads.button(
            "Make the report",
            lambda: _document(measured, typed["author"], typed["note"]),
            _file_name(measured),
            "text/html",
            type="primary",
            key="report_download",
            help="Takes a few seconds; images and curves are written into the file.",
        )
        st.caption(f"{_signed(typed['author'])} {_included(measured)}")


def headline(measured: Measured) -> str:
    """Return in a sentence how the operating point judges the set."""
    counts = measured.evaluation.counts
    if counts is None:
        return "The threshold is out of date, so nothing is judged; set it again on Tune first."
    parts = []
    if counts.defects:
        parts.append(
            f"of {wording.counted(counts.defects, 'defect')}, {wording.count(counts.caught)} are rejected, "
            f"{wording.count(counts.defects_in_review)} go to review and {wording.count(counts.escapes)} pass"
        )
    if counts.good:
        parts.append(
            f"of {wording.counted(counts.good, 'good part')}, {wording.count(counts.false_rejects)} are rejected and "
            f"{wording.count(counts.good_in_review)} go to review"
        )
    words = "; ".join(parts)
    return f"{words[:1].upper()}{words[1:]}."


def _take_in(typed: dict[str, str], note: str) -> None:
    for field, key in (("author", AUTHOR), ("note", note)):
        typed[field] = str(st.session_state.get(key, "")).strip()


def _document(measured: Measured, author: str, note: str) -> bytes:
    return report_of(session.workspace(), measured.version, measured.batch.id, author, note).encode()


def _signed(author: str) -> str:
    return f"Signed: {session.sentence(author)}." if author else "No author is named yet."


def _included(measured: Measured) -> str:
    if latest_sweep(session.workspace(), measured.version, measured.batch.id):
        return "The bank sizes that were measured are in it too."
    if lack := refusal(measured.version, SHARE):
        return lack
    return "Measure bank sizes first (view Bank size) to have them in it too."


def _file_name(measured: Measured) -> str:
    inspector = find_inspector(session.workspace(), measured.version.inspector_id)
    name = inspector.name if inspector is not None else measured.version.inspector_id
    return file_name(name, measured.version.number)


def file_name(inspector: str, number: int) -> str:
    """Return the name of the report on a version of an inspector."""
    plain = re.sub(r"[^\w-]+", "_", inspector).strip("_") or "inspector"
    return f"report_{plain}_v{number}.html"
