"""The page Evaluate for one labelled set: the headline, and one view at a time; what is not opened is not computed."""

from collections.abc import Callable

import streamlit as st

from workbench.storage.tables import Batch, Inspector, InspectorVersion
from workbench.widgets.evaluate import (
    audit,
    compare,
    curves,
    defect_types,
    headline,
    misses,
    report,
    scoring,
    shares,
)
from workbench.widgets.evaluate.measured import Measured, measured
from workbench.widgets.shared import session

View = Callable[[Measured], None]
OF_SCORES: dict[str, View] = {  # views that need every image scored
    "Curves": curves.show,
    "By defect type": defect_types.show,
    "Misses and false rejects": misses.show,
    "Compare": compare.show,
    "Report": report.show,
}
OF_BANK: dict[str, Callable[[Inspector, InspectorVersion, Batch], None]] = {
    "Bank size": shares.show,
    "Good images": audit.show,
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
    if not scoring.everything_scored(batch, version, "scoring_set"):
        return None
    known = measured(batch, version)
    headline.show(known)
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
