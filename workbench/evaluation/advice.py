"""What would help against known escapes, in order: first what these escapes themselves show, then by experience."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from patchcore import backbones
from patchcore.errors import PatchCoreError
from patchcore.images.geometry import Geometry
from patchcore.images.visible_detail import COMMON_SIZES, VisibleDetail
from patchcore.methods import REMOVE
from patchcore.statistics.intervals import count
from patchcore.thresholds.operating_point import OperatingPoint
from workbench.evaluation.audit import audit, threshold_without
from workbench.inspections.batches import load_mask
from workbench.inspectors.capabilities import refusal
from workbench.inspectors.versions import load_model
from workbench.storage.tables import InspectorVersion
from workbench.storage.workspace import Workspace
from workbench.tuning.evidence import Known

ODD_ONES = 2  # good images that set the line
ENOUGH_GOOD = 60  # below it, the default threshold is the highest good score: docs/backbones.md
LARGER = 1.4  # times the input: a step that a patch's size shows
PAPERS = "wide_resnet50_2"
Way = Literal["odd ones", "size", "network", "images"]


@dataclass(frozen=True)
class Advice:
    """One way to lower the number of escapes.

    Attributes
    ----------
    way
        What is changed.
    effect
        Share of the known escapes that it is estimated to help; None where only experience speaks for it.
    sentence
        The effect and its basis, in words.
    size
        For the way "size": the input to build with, in pixels.
    """

    way: Way
    effect: float | None
    sentence: str
    size: int = 0


@dataclass(frozen=True)
class Mark:
    """The mark of a defect: its shorter side, and (width, height) of its image, in pixels."""

    side: int
    image: tuple[int, int]


def advice(workspace: Workspace, version: InspectorVersion, escapes: Sequence[Known]) -> list[Advice]:
    """Return what would help against escapes, the greatest estimated effect first; nothing without an escape.

    No image is scored: thresholds without the odd ones come from stored scores, and the effect of a size from masks.
    """
    if not escapes:
        return []
    odd, larger = _odd_ones(workspace, version, escapes), _size(workspace, version, escapes)
    estimated = sorted(
        (one for one in (odd, larger) if one and one.effect), key=lambda one: -(one.effect or 0.0)
    )
    by_experience = [one for one in (larger,) if one and not one.effect]
    useless = [one for one in (odd,) if one and not one.effect]
    good = len(version.good_scores)
    few = good < ENOUGH_GOOD
    images = Advice(
        "images",
        None,
        f"More good images: the inspector has {good:,}. "
        + (
            f"Fewer than about {ENOUGH_GOOD} put the threshold so high that faint defects pass (by experience, "
            "docs/backbones.md)."
            if few
            else "That is enough to set a threshold; more of them help where good parts vary in ways that these do not "
            "show."
        ),
    )
    rest = [*by_experience, *_network(version)]
    return [*estimated, *([images, *rest] if few else [*rest, images]), *useless]


def _odd_ones(workspace: Workspace, version: InspectorVersion, escapes: Sequence[Known]) -> Advice | None:
    if refusal(version, REMOVE):
        return None
    odd = audit(workspace, version)[:ODD_ONES]
    after = threshold_without(version, {one.sha256 for one in odd})
    if after is None:
        return None
    point = OperatingPoint.from_dict(version.operating_point)
    caught = sum(one.score > after for one in escapes)
    names = " and ".join(one.name for one in odd)
    return Advice(
        "odd ones",
        caught / len(escapes),
        f"Look at {names}, which set the line: without them the threshold falls from {point.reject:.4g} to about "
        f"{after:.4g}, and {caught:,} of {count(len(escapes), 'escape')} would be rejected (estimated from the stored "
        "scores; only leave out images that are bad).",
    )


def _size(workspace: Workspace, version: InspectorVersion, escapes: Sequence[Known]) -> Advice | None:
    present = int(version.settings["image_size"])
    size = next((one for one in COMMON_SIZES if one >= LARGER * present), None)
    if size is None:
        return None
    marks = [found for one in escapes if (found := _mark(workspace, one)) is not None]
    blind = [0, 0]
    if marks:  # the model may have to be loaded, so it is asked once
        step = present / load_model(workspace, version).grid_[0]
        blind = [sum(_is_narrow(version, one, at, step) for one in marks) for at in (present, size)]
    if blind[0] > blind[1]:
        return Advice(
            "size",
            (blind[0] - blind[1]) / len(escapes),
            f"A larger input: at {present} px the marks of {blind[0]:,} of {count(len(marks), 'escape')} are narrower "
            f"than one patch, at {size} px {blind[1]:,} (estimated from the masks). Time and memory grow with its "
            "square.",
            size,
        )
    return Advice(
        "size",
        None,
        f"A larger input, {size} px: on five public sets 320 px let 42 % of the defects pass, 224 px 48 %, at equal "
        "AUROC (by experience, docs/accuracy.csv). Time and memory grow with its square.",
        size,
    )


def _network(version: InspectorVersion) -> list[Advice]:
    if version.settings.get("backbone") == PAPERS or PAPERS not in backbones.names():
        return []
    label = backbones.spec(PAPERS).label
    there = (
        "Its weights are on this computer."
        if backbones.find_weights(PAPERS) is not None
        else "Its weights are not on this computer; the page Build says how to get them."
    )
    return [
        Advice(
            "network",
            None,
            f"The paper's network, {label}: no table here measures it, so compare both on these images. {there}",
        )
    ]


def _mark(workspace: Workspace, one: Known) -> Mark | None:
    """Return the shorter side of a defect's mark; None without a mask."""
    if one.result is None or one.result.image.mask_sha256 is None:
        return None
    try:
        mask = load_mask(workspace, one.result.image)
    except PatchCoreError:
        return None
    if mask is None or not mask.any():
        return None
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    side = min(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
    return Mark(int(side), (mask.shape[1], mask.shape[0]))


def _is_narrow(version: InspectorVersion, mark: Mark, size: int, step: float) -> bool:
    """Whether a mark is narrower than one patch at an input size; `step`: of the patches, in pixels of the input."""
    return mark.side < max(
        VisibleDetail.of(mark.image, Geometry(version.settings["geometry"], size), step).patch
    )
