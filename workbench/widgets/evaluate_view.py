"""The page Evaluate for one labelled set: the headline, and one view at a time; what is not opened is not computed."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from workbench.tables import Batch, Inspector, InspectorVersion
from workbench.widgets import (
    evaluate_audit,
    evaluate_compare,
    evaluate_curves,
    evaluate_headline,
    evaluate_misses,
    evaluate_report,
    evaluate_scoring,
    evaluate_shares,
    evaluate_types,
    session,
)
from workbench.widgets.evaluate_measured import Measured, measured

View = Callable[[Measured], None]
OF_SCORES: dict[str, View] = {  # views that need every image scored
    "Curves": evaluate_curves.show,
    "By defect type": evaluate_types.show,
    "Misses and false rejects": evaluate_misses.show,
    "Compare": evaluate_compare.show,
    "Report": evaluate_report.show,
}
OF_BANK: dict[str, Callable[[Inspector, InspectorVersion, Batch], None]] = {
    "Bank size": evaluate_shares.show,
    "Good images": evaluate_audit.show,
}
ORDER = (
    "Curves",
    "By defect type",
    "Misses and false rejects",
    "Bank size",
    "Good images",
    "Compare",
    "Report",
)
KEY = "evaluate_view"


def show(inspector: Inspector, version: InspectorVersion, batch: Batch) -> None:
    """Draw the page; images that have no score yet are scored in the background meanwhile."""
    known: Measured | None = None
    with st.container(key="headline"), session.plain_errors():
        known = _known(version, batch)
    name = _chosen_view()
    with st.container(key=f"view_{ORDER.index(name)}"), session.plain_errors():
        if name in OF_BANK:
            OF_BANK[name](inspector, version, batch)
        elif known is not None:
            OF_SCORES[name](known)
        else:
            st.caption("Shown as soon as all images of the set are scored.")


def _known(version: InspectorVersion, batch: Batch) -> Measured | None:
    """Draw the headline, or how far the scoring is."""
    if not evaluate_scoring.everything_scored(batch, version, "scoring_set"):
        return None
    known = measured(batch, version)
    evaluate_headline.show(known)
    return known


def _chosen_view() -> str:
    chosen = session.chosen("view")
    name = chosen if chosen in ORDER else ORDER[0]
    st.session_state[KEY] = name
    st.segmented_control(
        "What to look at",
        ORDER,
        key=KEY,
        required=True,
        label_visibility="collapsed",
        on_change=lambda: session.choose("view", str(st.session_state[KEY])),
    )
    return name
