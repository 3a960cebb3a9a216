"""What would help against known escapes, in order of effect, each with the button that does it or begins it."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from patchcore.thresholds.operating_point import OperatingPoint
from workbench.evaluation.advice import PAPERS, Advice, advice
from workbench.people.roles import Role
from workbench.storage.tables import InspectorVersion
from workbench.tuning.evidence import Known, verdict_of
from workbench.widgets.build import line_setters, rebuild
from workbench.widgets.build.draft import IMAGES
from workbench.widgets.shared import access, session

BUTTONS = {
    "odd ones": "Look at the good images",
    "size": "Build at {size} px",
    "network": "Build with the other network",
    "images": "Add good images",
}


def show(version: InspectorVersion, tested: Sequence[Known], key: str) -> None:
    """Draw what would help against the labelled defects that the thresholds in force accept; nothing without any."""
    point = OperatingPoint.from_dict(version.operating_point)
    if point.stale:
        return
    escapes = [one for one in tested if one.is_defect and verdict_of(one, point) == "accept"]
    if not escapes:
        return
    with st.expander("What would help against these escapes", expanded=False, key=f"advice_{key}"):
        for number, one in enumerate(advice(session.workspace(), version, escapes), start=1):
            with st.container(horizontal=True, vertical_alignment="center", key=f"advice_{key}_{number}"):
                st.html(f"<span><b>{number}</b> {escape(one.sentence)}</span>", width="stretch")
                if access.button(
                    BUTTONS[one.way].format(size=one.size), Role.ENGINEER, key=f"advice_{key}_{one.way}"
                ):
                    _begin(version, one)


def _begin(version: InspectorVersion, one: Advice) -> None:
    if one.way == "odd ones":
        line_setters.open_audit(version)
    elif one.way == "size":
        rebuild.start(version, f"{one.size} px", image_size=one.size)
    elif one.way == "network":
        rebuild.start(version, "other network", backbone=PAPERS)
    else:
        rebuild.start(version, "more images", step=IMAGES)
