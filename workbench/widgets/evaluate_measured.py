"""What the labelled set in use says of the version in use, measured once and kept until something it rests on changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from patchcore.evaluation import Evaluation, LabelledScore, judge
from patchcore.operating_point import OperatingPoint
from workbench.database import Batch, InspectorVersion, Result
from workbench.evaluating import evaluation_of
from workbench.inspecting import list_results
from workbench.widgets import session

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

    def result_of(self, item: LabelledScore) -> Result | None:
        """Return what is stored of a measured image."""
        return next((one for one in self.results if (one.image.name, one.score) == (item.name, item.score)), None)

    def result(self, result_id: int | None) -> Result | None:
        """Return a scored result of this set by its id."""
        return next((one for one in self.results if one.id == result_id and one.score is not None), None)


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
