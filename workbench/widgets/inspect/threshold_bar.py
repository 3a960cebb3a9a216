"""The thresholds in view on the page Inspect: moved in the browser, kept in the address, stored by a button."""

import math
from dataclasses import replace

import streamlit as st

from patchcore.thresholds.operating_point import OperatingPoint
from workbench.inspectors.versions import set_operating_point
from workbench.people.roles import Role
from workbench.storage.tables import InspectorVersion
from workbench.tuning.consequences import consequences
from workbench.viewer import Thresholds
from workbench.widgets.fields import shared
from workbench.widgets.shared import access, notice, revision_guard, session, wording
from workbench.widgets.tune.trial import Trial
from workbench.widgets.tune.trial import by_hand as hand

NO_BAND = "none"  # in the address, for the review threshold
BAND = 0.10  # of the threshold; how far below it a review band begins that is new


def in_view(version: InspectorVersion) -> Thresholds:
    """Return the thresholds that the page shows: the ones in force, unless one has been moved."""
    stored = OperatingPoint.from_dict(version.operating_point)
    share = stored.accept / stored.reject if stored.reject > 0 else 1.0
    moved = session.chosen_amount("threshold")
    reject = stored.reject if moved is None else moved
    review = session.chosen_amount("review")
    if review is None and session.chosen("review") != NO_BAND and share < 1:
        review = stored.accept if moved is None else reject * share
    return Thresholds(reject, None if review is None else min(review, reject))


def trial_point(version: InspectorVersion) -> OperatingPoint:
    """Return the operating point in force with the thresholds in view."""
    stored, shown = OperatingPoint.from_dict(version.operating_point), in_view(version)
    reject = stored.reject if shown.reject is None else shown.reject
    accept = reject if shown.review is None else shown.review
    return replace(stored, reject=reject, accept=accept, stale="")


def try_out(moved: Thresholds) -> None:
    """Show these thresholds from here on, without storing them."""
    if moved.reject is not None:
        session.choose("threshold", moved.reject)
        session.choose("review", NO_BAND if moved.review is None else moved.review)


def show(version: InspectorVersion) -> None:
    """Draw the switch of the review band, and the buttons that store or drop the thresholds in view."""
    stored, point = OperatingPoint.from_dict(version.operating_point), trial_point(version)
    _review_band(version)
    same = math.isclose(point.reject, stored.reject) and math.isclose(point.accept, stored.accept)
    st.button(
        f"Back to {wording.score(stored.reject)}",
        disabled=same,
        on_click=session.forget,
        args=("threshold", "review"),
        help=f"The threshold in force. {session.sentence(stored.statement)}",
    )
    if access.button(
        "Use this threshold",
        Role.ENGINEER,
        disabled=same and not stored.stale,
        type="primary",
        help="A score is the distance, in the network's feature space, from the worst patch of an image to the "
        "nearest patch of the good images. Moving a threshold scores nothing again; it takes effect for others "
        "once you press this.",
    ):
        kept, seen = _kept(stored, point), revision_guard.revision_of(version.inspector_id)
        found = consequences(session.workspace(), version, kept, session.chosen_number("batch"))
        notice.confirmed_in_force(found, lambda: _use(version, kept, seen))


def _use(version: InspectorVersion, point: OperatingPoint, seen: int | None) -> None:
    """Put a point in force; `seen` is the revision that the person saw when asking for it."""
    with revision_guard.change(version.inspector_id):
        set_operating_point(session.workspace(), version, point, seen=seen)
        session.forget("threshold", "review")


def _kept(stored: OperatingPoint, point: OperatingPoint) -> OperatingPoint:
    """Return the point with its thresholds set by hand; its regions and its way of judging stay."""
    by_hand = replace(Trial.of(stored), rule=hand(point.reject), accept_rule=hand(point.accept))
    return by_hand.point(stored.evidence, stored.bank_id)


def _review_band(version: InspectorVersion) -> None:
    def switch(_on: bool) -> None:
        now = in_view(version)
        reject = now.reject or 0.0
        try_out(Thresholds(reject, None if now.review is not None else reject * (1 - BAND)))

    shared.draw(
        st.toggle,
        "Review band",
        key="review_band",
        value=in_view(version).review is not None,
        on_change=switch,
        help="Parts whose score lies between two thresholds are neither accepted nor rejected: a person looks at "
        "them.",
    )
