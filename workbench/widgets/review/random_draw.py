"""Images drawn at random to be labelled, on the page Review: their queue, and the way back to the images in review."""

import streamlit as st

from patchcore.thresholds.operating_point import OperatingPoint
from workbench.inspections.batches import list_batches
from workbench.storage.tables import Batch, InspectorVersion
from workbench.tuning.evidence import judged
from workbench.tuning.label_sampling import left_to_label, sampling_of
from workbench.tuning.review_queue import Queued
from workbench.widgets.shared import session, wording
from workbench.widgets.tune import label_offer


def batch_in_hand(version: InspectorVersion) -> Batch | None:
    """Return the batch whose random draw is being labelled, named by the address; None for the usual queue."""
    wanted = session.chosen_number(label_offer.CHOICE)
    batches = [] if wanted is None else list_batches(session.workspace(), version.inspector_id)
    batch = next((one for one in batches if one.id == wanted), None)
    return batch if batch is not None and sampling_of(session.workspace(), batch.id) is not None else None


def waiting(version: InspectorVersion, batch: Batch) -> list[Queued]:
    """Return the drawn images without a label."""
    point, here = OperatingPoint.from_dict(version.operating_point), session.workspace()
    if point.stale:
        return []
    return [
        Queued(one, batch.name, judged(here, one, point)) for one in left_to_label(here, version, batch.id)
    ]


def left(images: int) -> str:
    """Return in a sentence how many drawn images wait for a label."""
    if not images:
        return "Every image that was drawn at random has a label."
    return f"{wording.counted(images, 'image')} drawn at random left to label. Skip none: the rest would be a choice."


def ways_out(batch: Batch, *, done: bool) -> None:
    """Offer the figures once all is labelled, and the usual queue."""
    with st.container(horizontal=True, vertical_alignment="center", key="drawn_ways"):
        if done and st.button("See the figures", type="primary"):
            session.open_page("pages/evaluate.py", inspector=batch.inspector_id, set=batch.id)
        st.button("To the images in review", on_click=session.forget, args=(label_offer.CHOICE,))
