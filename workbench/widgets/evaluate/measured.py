"""The measures of a version on a labelled set, kept until a score, label, mask or threshold changes."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st

from patchcore.evaluation.labelled_score import LabelledScore
from patchcore.evaluation.measures import Evaluation, judge, on_basis
from patchcore.thresholds.operating_point import OperatingPoint
from workbench.evaluation.measures import StoredScore, evaluation_of
from workbench.inspections.batches import list_results
from workbench.storage.tables import Batch, InspectorVersion, Result
from workbench.tuning.label_sampling import label_basis
from workbench.widgets.shared import progress, session

KEPT = 8  # evaluations; each holds scores and curves, no maps


@dataclass(frozen=True)
class Measured:
    """A labelled set with the results of a version on it.

    Parameters
    ----------
    results
        All stored results of the set, in its order.
    key
        A text that changes with any score, label or mask.
    """

    version: InspectorVersion
    batch: Batch
    point: OperatingPoint
    results: Sequence[Result]
    evaluation: Evaluation
    key: str


def measure(batch: Batch, version: InspectorVersion) -> Measured:
    """Measure a scored set; its maps are read once, and other thresholds are applied without them."""
    here = session.workspace()
    results = list_results(here, batch.id, version.id)
    point = OperatingPoint.from_dict(version.operating_point)
    key = f"{here.root}:{batch.id}:{version.id}:{_revision(results)}"
    judged = _judged(key, json.dumps(version.operating_point, sort_keys=True), point, batch, version, results)
    basis = label_basis(here, version, batch.id, point)
    return Measured(version, batch, point, results, on_basis(judged, basis), key)


@st.cache_resource(show_spinner=False, max_entries=KEPT)
def _judged(
    key: str,
    point: str,
    _point: OperatingPoint,
    _batch: Batch,
    _version: InspectorVersion,
    _results: Sequence[Result],
) -> Evaluation:
    return judge(_measured(key, _batch, _version, _results), _point)


@st.cache_resource(show_spinner=False, max_entries=KEPT)
def _measured(key: str, _batch: Batch, _version: InspectorVersion, _results: Sequence[Result]) -> Evaluation:
    with progress.bar("Measuring from the stored maps") as move:
        moved = partial(move, "measuring from the stored maps")
        return evaluation_of(session.workspace(), _batch.id, _version, moved, _results)


def _revision(results: Sequence[Result]) -> str:
    """Return a text that changes with any score, label or mask."""
    rows = [(one.id, one.score, one.image.truth, one.image.mask_sha256) for one in results]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:20]


def stored(items: Sequence[LabelledScore]) -> list[Result]:
    """Return the stored results of measured images, in the same order."""
    return [item.result for item in items if isinstance(item, StoredScore) and item.result is not None]
