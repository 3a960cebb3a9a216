"""A person's decision on the open image: fine, which may teach the inspector, or a defect; and its undo."""

import streamlit as st

from patchcore.methods import TEACH
from patchcore.thresholds.operating_point import Verdict
from workbench.inspections.decisions import Decided, call_defect, call_fine, decided, take_back
from workbench.inspectors.capabilities import refusal
from workbench.people.roles import Role
from workbench.storage.tables import InspectorVersion, Result
from workbench.widgets.review import teaching_view
from workbench.widgets.shared import access, notice, session, wording

WORDS = {"fine": "✓ called fine", "defect": "✕ called a defect"}


def show(result: Result, version: InspectorVersion, verdict: Verdict | None) -> None:
    """Draw the buttons of a decision, or the decision that was made; below it the changes that teaching would make."""
    known = decided(session.workspace(), version.id, [result]).get(result.batch_image_id)
    with st.container(horizontal=True, vertical_alignment="center", key="decision_bar"):
        if known is None:
            _buttons(result, version, verdict)
        else:
            _decision(result, version, verdict, known)
    notice.show()
    teaching_view.show(version, [result])


def _buttons(result: Result, version: InspectorVersion, verdict: Verdict | None) -> None:
    teach = teaching_view.may_teach(version) and verdict != "accept"
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
        on_click=notice.attempt,
        args=(call_defect, result),
        help="The label is stored; thresholds that go by known defects can use it.",
    )


def _fine(result: Result, teach: bool) -> None:
    if teach:
        teaching_view.ask([result])
    else:
        notice.attempt(call_fine, result)


def _decision(result: Result, version: InspectorVersion, verdict: Verdict | None, known: Decided) -> None:
    by = f" by {session.sentence(known.by)}" if known.by else ""
    kind = "accept" if known.decision == "fine" else "reject"
    st.html(f'<span class="pc-{kind}">{WORDS[known.decision]}</span>', width="content")
    st.caption(f"{by.strip()}, {wording.moment(known.at)}".lstrip(", "), width="content")
    if known.decision == "fine" and verdict != "accept":
        if teaching_view.may_teach(version):
            st.button("Teach the inspector", key="teach_one", on_click=teaching_view.ask, args=([result],))
        elif lack := refusal(version, TEACH):
            st.caption(lack, width="content")
    access.button(
        "Undo",
        Role.OPERATE,
        key="take_back",
        on_click=notice.attempt,
        args=(take_back, result),
    )
