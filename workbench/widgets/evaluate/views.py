"""The page Evaluate for one labelled set: the headline, and one view; the other views are not computed."""

from collections.abc import Callable

import streamlit as st

from workbench.storage.tables import Batch, Inspector, InspectorVersion
from workbench.widgets.build import line_setters
from workbench.widgets.evaluate import (
    audit,
    compare,
    curves,
    defect_types,
    headline,
    misses,
    report,
    shares,
)
from workbench.widgets.evaluate.measured import Measured, measure
from workbench.widgets.shared import session
from workbench.widgets.shared.scoring import bar

GOOD_IMAGES = line_setters.AUDIT
VIEWS: dict[str, Callable[..., None]] = {
    "Curves": curves.show,
    "By defect type": defect_types.show,
    "Misses and false rejects": misses.show,
    "Bank size": shares.show,
    GOOD_IMAGES: audit.show,
    "Compare": compare.show,
    "Report": report.show,
}
OF_BANK = ("Bank size", GOOD_IMAGES)  # these take the inspector; the others take a set that is scored
KEY = "evaluate_view"
SCORING = bar.Purpose(
    "Scoring the labelled images", why="Then the page shows how well defects are told.", deletable=True
)


def show(inspector: Inspector, version: InspectorVersion, batch: Batch) -> None:
    """Draw the page; images that have no score yet are scored first."""
    measured: Measured | None = None
    with st.container(key="headline"), session.plain_errors():
        measured = _headline(version, batch)
    name = _chosen_view()
    with st.container(key=f"view_{list(VIEWS).index(name)}"), session.plain_errors():
        if name in OF_BANK:
            VIEWS[name](inspector, version, batch)
        elif measured is not None:
            VIEWS[name](measured)
        else:
            st.caption("Shown as soon as all images of the set are scored.")


def _headline(version: InspectorVersion, batch: Batch) -> Measured | None:
    """Draw the headline, or the progress of the scoring."""
    if not bar.everything_scored([batch.id], version, "scoring_set", SCORING):
        return None
    measured = measure(batch, version)
    headline.show(measured)
    return measured


def _chosen_view() -> str:
    chosen = session.chosen("view")
    name = chosen if chosen in VIEWS else "Curves"
    st.session_state[KEY] = name
    st.segmented_control(
        "What to look at",
        list(VIEWS),
        key=KEY,
        required=True,
        label_visibility="collapsed",
        on_change=lambda: session.choose("view", str(st.session_state[KEY])),
    )
    return name
