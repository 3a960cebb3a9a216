"""Earlier operating points of an inspector: values, person, reason, and the button that restores one."""

from collections.abc import Sequence

import streamlit as st

from patchcore.thresholds.rules import BY_HAND
from workbench.inspectors.point_history import StoredPoint, point_history
from workbench.people.roles import Role
from workbench.storage.tables import InspectorVersion
from workbench.tuning.consequences import consequences_for
from workbench.tuning.evidence import Known
from workbench.tuning.restoring import point_to_restore, restore_point
from workbench.widgets.shared import access, notice, revision_guard, session, wording
from workbench.widgets.tune import trial

SHOWN = 12


def show(version: InspectorVersion, known: Sequence[Known]) -> None:
    """Draw the history, newest first; `known` are the images that a restored point is judged on."""
    points = point_history(session.workspace(), version.inspector_id)
    with st.expander(f"Earlier thresholds ({len(points)})", key="point_history"):
        for place, stored in enumerate(points[:SHOWN]):
            _row(version, known, stored, in_force=place == 0)
        if len(points) > SHOWN:
            st.caption(f"and {len(points) - SHOWN} older ones")


def _row(version: InspectorVersion, known: Sequence[Known], stored: StoredPoint, *, in_force: bool) -> None:
    point = stored.point
    review = f", review from {wording.score(point.accept)}" if point.accept < point.reject else ""
    unchecked = "" if point.picture_check else ", whole picture not checked"
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(width="stretch"):
            st.markdown(
                f"**{wording.score(point.reject)}**{review}{unchecked}, {session.sentence(wording.rule(point))}",
                help=session.sentence(point.statement),
            )
            said = f"{wording.moment(stored.created)}, {stored.made_by}, bank version {stored.number}"
            st.caption(session.sentence(f"{said}: {stored.note}" if stored.note else said))
        if in_force:
            st.caption("in force", width="content")
            return
        by_its_rule = BY_HAND not in (point.rule.name, point.accept_rule and point.accept_rule.name)
        if access.button(
            "Restore" if stored.usable else "Set again",
            Role.ENGINEER,
            key=f"restore_{stored.id}",
            disabled=not (stored.usable or by_its_rule),
            help=None
            if stored.usable
            else "It was set for another bank, whose scores differ; its rule sets it again for this one."
            if by_its_rule
            else "It was set by hand for another bank, whose scores differ.",
        ):
            _ask(version, known, stored.id)


def _ask(version: InspectorVersion, known: Sequence[Known], stored_id: int) -> None:
    """Restore a point; where it has grave consequences, once a person agrees."""
    seen = revision_guard.revision_of(version.inspector_id)
    with revision_guard.attempt():
        again = point_to_restore(session.workspace(), version, stored_id)
        found = consequences_for(known, version, again.point)
        notice.confirmed_in_force(found, lambda: _restore(version, stored_id, seen))
        return
    st.rerun()  # the refusal is shown above the page


def _restore(version: InspectorVersion, stored_id: int, seen: int | None) -> None:
    with revision_guard.change(version.inspector_id):
        restore_point(session.workspace(), version, stored_id, seen=seen)
        trial.forget()
