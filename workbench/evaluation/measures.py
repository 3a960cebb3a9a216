"""Measuring the labelled images of a batch from the scores, maps and masks that are stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from patchcore.errors import DataError, NoImagesError
from patchcore.evaluation.labelled_score import LabelledScore
from patchcore.statistics.intervals import count
from patchcore.thresholds.operating_point import OperatingPoint
from workbench.inspections.batches import (
    count_unscored,
    list_results,
    load_map,
    load_mask,
    load_pixels,
    value_range_of,
)
from workbench.storage.database import WorkspaceError, WorkspaceUnavailable
from workbench.storage.tables import BatchImage, InspectorVersion, Result
from workbench.storage.workspace import Workspace
from workbench.tuning.evidence import tested_of
from workbench.tuning.label_sampling import label_basis

if TYPE_CHECKING:
    from patchcore.evaluation.measures import Evaluation


@dataclass(frozen=True)
class StoredScore(LabelledScore):
    """A labelled image of a batch, with the stored result it comes from."""

    result: Result | None = None


def evaluation_of(
    workspace: Workspace,
    batch_id: int,
    version: InspectorVersion,
    progress: Callable[[int, int], None] | None = None,
    results: Sequence[Result] | None = None,
) -> Evaluation:
    """Measure the labelled images of a batch from stored scores and maps; the network is not run.

    Without masks there are metrics of images alone, and no map is read. `patchcore.evaluation.measures.judge` applies
    other thresholds to the returned evaluation, whose `scored` images are `StoredScore`; `label_basis` and `on_basis`
    give it the basis of its labels at those.

    Parameters
    ----------
    progress
        Called with (done, total).
    results
        The version's results on the batch (`list_results`), where they are read already.

    Raises
    ------
    NoImagesError
        When nothing labelled has been scored.
    """
    from patchcore.evaluation.measures import measure, on_basis  # late: PyTorch comes with it

    if results is None:
        results = list_results(workspace, batch_id, version.id)
    items = labelled_scores(workspace, version, results)
    remarks = _remarks(workspace, batch_id, version, results, items)
    if not items:
        raise NoImagesError(" ".join(["There is no labelled image with a score to measure from.", *remarks]))
    masks = any(item.result is not None and item.result.image.mask_sha256 for item in items)
    point = OperatingPoint.from_dict(version.operating_point)
    found = measure(items, progress=progress, point=point, with_maps=masks)
    found.problems[:0] = remarks
    return on_basis(found, label_basis(workspace, version, batch_id, point))


def labelled_scores(
    workspace: Workspace, version: InspectorVersion, results: Iterable[Result]
) -> list[StoredScore]:
    """Return the labelled images among a version's results on a batch, without images that built its bank."""
    black_white = value_range_of(version)
    return [
        StoredScore(
            name=known.name,
            defect_type=known.truth,
            score=known.score,
            load_map=partial(load_map, workspace, known.result),
            load_mask=partial(load_nameless_mask, workspace, known.result.image),
            load_pixels=partial(load_pixels, workspace, known.sha256, black_white),
            remarks=known.result.remarks or (),
            doubtful=bool(known.doubts),
            worst_box=known.result.worst_box,
            result=known.result,
        )
        for known in tested_of(workspace, version, results)
        if known.truth is not None and known.result is not None
    ]


def load_nameless_mask(workspace: Workspace, image: BatchImage) -> NDArray[np.bool_] | None:
    """Load a mask as `batches.load_mask` does; an error does not name the image, because the caller does.

    Raises
    ------
    DataError
        When the mask does not fit its image.
    """
    try:
        return load_mask(workspace, image)
    except WorkspaceUnavailable:
        raise
    except WorkspaceError as error:
        raise DataError(str(error.__cause__ or error)) from error


def _remarks(
    workspace: Workspace,
    batch_id: int,
    version: InspectorVersion,
    results: Sequence[Result],
    items: list[StoredScore],
) -> list[str]:
    """Return a sentence for each group of images that is not measured, with the reason."""
    measured = {item.result.id for item in items if item.result is not None}
    scored = [result for result in results if result.score is not None]
    unlabelled = sum(result.image.truth is None for result in scored)
    in_bank = sum(result.image.truth is not None and result.id not in measured for result in scored)
    counts = (
        (count_unscored(workspace, batch_id, version.id), "not scored yet."),
        (unlabelled, "left out for want of a label."),
        (in_bank, "left out: part of the bank, so that a score says nothing."),
    )
    remarks = [f"{result.image.name}: left out. {result.error}" for result in results if result.score is None]
    return remarks + [f"{count(number, 'image')} {why}" for number, why in counts if number]
