"""Waiting for scores on the page Evaluate: a bar while a batch is scored in the background."""

import streamlit as st

from workbench.inspections.batches import count_unscored, list_results
from workbench.storage.tables import InspectorVersion
from workbench.widgets.shared import session

POLL_SECONDS = 1.0


def everything_scored(
    batch_id: int, version: InspectorVersion, key: str, words: str = "Scoring the labelled images"
) -> bool:
    """Return whether a version has scored a whole batch; if not, have it scored and show the progress.

    Parameters
    ----------
    key
        Key of the bar's container, another one for every call on one page.
    words
        The bar's text.
    """
    here = session.workspace()
    if not count_unscored(here, batch_id, version.id):
        return True
    session.scorer().want(batch_id, version.id)

    @st.fragment(run_every=POLL_SECONDS)
    def follow() -> None:
        _progress(batch_id, version.id, words)

    with st.container(key=key):
        follow()
    return False


def _progress(batch_id: int, version_id: int, words: str) -> None:
    here, scorer = session.workspace(), session.scorer()
    unscored = count_unscored(here, batch_id, version_id)
    if not unscored:
        st.rerun()
    done = len(list_results(here, batch_id, version_id))
    st.progress(done / (done + unscored), text=f"{words}, {done:,}/{done + unscored:,}")
    fault = scorer.error(batch_id, version_id)
    if fault is not None:
        st.error(session.sentence(fault))
        st.button(
            "Try again",
            key=f"retry_{batch_id}_{version_id}",
            on_click=scorer.retry,
            args=(batch_id, version_id),
        )
    else:
        scorer.want(batch_id, version_id)
