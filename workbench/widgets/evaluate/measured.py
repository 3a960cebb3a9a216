"""What the labelled set in use says of a version, measured once and kept until what it rests on changes."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from patchcore.evaluation.labelled_score import LabelledScore
from patchcore.evaluation.measures import Evaluation, judge
from patchcore.thresholds.operating_point import OperatingPoint
from workbench.evaluation.measures import StoredScore, evaluation_of
from workbench.inspections.batches import list_results
from workbench.storage.tables import Batch, InspectorVersion, Result
from workbench.widgets.shared import session

KEPT = 8  # evaluations; each holds scores and curves, no maps


@dataclass(frozen=True)
class Measured:
    """A labelled set beside what a version found in it.

    Parameters
    ----------
    results
        All that is stored of the set, in its order.
    key
        The same as long as scores, labels and masks are.
    """

    version: InspectorVersion
    batch: Batch
    point: OperatingPoint
    results: Sequence[Result]
    evaluation: Evaluation
    key: str


def measured(batch: Batch, version: InspectorVersion) -> Measured:
    """Measure a set that is scored; maps are read once, thresholds applied anew without them."""
    here = session.workspace()
    results = list_results(here, batch.id, version.id)
    point = OperatingPoint.from_dict(version.operating_point)
    key = f"{here.root}:{batch.id}:{version.id}:{_revision(results)}"
    judged = _judged(key, json.dumps(version.operating_point, sort_keys=True), point, batch, version)
    return Measured(version, batch, point, results, judged, key)


@st.cache_resource(show_spinner=False, max_entries=KEPT)
def _judged(
    key: str, point: str, _point: OperatingPoint, _batch: Batch, _version: InspectorVersion
) -> Evaluation:
    return judge(_measured(key, _batch, _version), _point)


@st.cache_resource(show_spinner=False, max_entries=KEPT)
def _measured(key: str, _batch: Batch, _version: InspectorVersion) -> Evaluation:
    bar = st.progress(0.0, text="Measuring from the stored maps")

    def progress(done: int, total: int) -> None:
        bar.progress(done / total, text=f"Measuring from the stored maps, {done:,}/{total:,}")

    try:
        return evaluation_of(session.workspace(), _batch.id, _version, progress=progress)
    finally:
        bar.empty()


def _revision(results: Sequence[Result]) -> str:
    """Return what changes with any score, label or mask."""
    rows = [(one.id, one.score, one.image.truth, one.image.mask_sha256) for one in results]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:20]


def stored(items: Sequence[LabelledScore]) -> list[Result]:
    """Return what is stored of measured images, in the same order."""
    return [item.result for item in items if isinstance(item, StoredScore) and item.result is not None]
