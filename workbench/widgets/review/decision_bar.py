"""What a person says of the image that is open: fine, which may teach the inspector, or a defect; taking it back."""

from collections.abc import Callable

import streamlit as st

from patchcore.errors import PatchCoreError
from patchcore.thresholds.operating_point import Verdict
from workbench.inspections.decisions import Decided, call_defect, call_fine, decided, take_back
from workbench.people.roles import Role
from workbench.storage.tables import InspectorVersion, Result
from workbench.storage.workspace import Workspace
from workbench.widgets.review import teaching_view
from workbench.widgets.shared import access, session, wording

WORDS = {"fine": "✓ called fine", "defect": "✕ called a defect"}
FAULT = "decision_fault"
Action = Callable[[Workspace, Result], None]


def show(result: Result, version: InspectorVersion, verdict: Verdict | None) -> None:
    """Draw what may be said of a result, or what was said of it, and below it what teaching it would change."""
    known = decided(session.workspace(), version.id, [result]).get(result.batch_image_id)
    with st.container(horizontal=True, vertical_alignment="center", key="decision_bar"):
        if known is None:
            _say(result, verdict)
        else:
            _said(result, verdict, known)
    if fault := st.session_state.pop(FAULT, None):
        st.error(session.sentence(fault))
    teaching_view.show(version, [result])


def act(what: Action, result: Result) -> bool:
    """Do something to a result in a callback and return whether it was done; the page says what was refused."""
    try:
        what(session.workspace(), result)
    except PatchCoreError as error:
        st.session_state[FAULT] = str(error)
        return False
    return True


def _say(result: Result, verdict: Verdict | None) -> None:
    teach = teaching_view.may_teach() and verdict != "accept"
    access.button(
        "This is fine",
        Role.OPERATE,
        key="call_fine",
        on_click=_fine,
        args=(result, teach),
        help="A good part. You see what the inspector would judge otherwise once it is taught so, before anything is "
        "stored."
        if teach
        else "A good part: the label is stored.",
    )
    access.button(
        "This is a defect",
        Role.OPERATE,
        key="call_defect",
        on_click=_act,
        args=(call_defect, result),
        help="The label is stored; thresholds that go by known defects can use it.",
    )


def _act(what: Action, result: Result) -> None:
    act(what, result)


def _fine(result: Result, teach: bool) -> None:
    if teach:
        teaching_view.ask([result])
    else:
        act(call_fine, result)


def _said(result: Result, verdict: Verdict | None, known: Decided) -> None:
    by = f" by {session.sentence(known.by)}" if known.by else ""
    kind = "accept" if known.decision == "fine" else "reject"
    st.html(f'<span class="pc-{kind}">{WORDS[known.decision]}</span>', width="content")
    st.caption(f"{by.strip()}, {wording.moment(known.at)}".lstrip(", "), width="content")
    if known.decision == "fine" and verdict != "accept" and teaching_view.may_teach():
        st.button("Teach the inspector", key="teach_one", on_click=teaching_view.ask, args=([result],))
    access.button(
        "Take back",
        Role.OPERATE,
        key="take_back",
        on_click=_act,
        args=(take_back, result),
    )
