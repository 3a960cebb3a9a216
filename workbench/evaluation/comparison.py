"""Two versions side by side on the same images: which separates better, and where their verdicts differ."""

from collections.abc import Sequence
from dataclasses import dataclass

from patchcore.evaluation.metrics import image_metrics
from patchcore.statistics.bootstrap import auroc_difference
from patchcore.statistics.curves import Measure, Undefined
from patchcore.statistics.intervals import Interval
from patchcore.thresholds.operating_point import OperatingPoint, Verdict
from workbench.storage.tables import InspectorVersion
from workbench.storage.workspace import Workspace
from workbench.tuning.evidence import Known, tested_images, verdict_of

LEAST = 2  # images of either kind for an interval


@dataclass(frozen=True)
class Disagreement:
    """One image on which the verdicts differ."""

    first: Known
    second: Known
    first_verdict: Verdict | None
    second_verdict: Verdict | None

    @property
    def right(self) -> str:
        """Which version agrees with the label: "first", "second", or "" if neither, or unlabelled."""
        wanted = None if self.first.truth is None else ("reject" if self.first.is_defect else "accept")
        if wanted is None or wanted not in (self.first_verdict, self.second_verdict):
            return ""
        return "first" if self.first_verdict == wanted else "second"


@dataclass(frozen=True)
class Comparison:
    """Two versions on the images that both have scored.

    Attributes
    ----------
    first_auroc, second_auroc
        Image AUROC of each.
    difference, interval
        The first less the second, and its paired interval at 95 % confidence by stratified bootstrap.
    n_good, n_defect
        The images they were compared on.
    disagreements
        Images with different verdicts; images on which one version agrees with the label come first.
    """

    first_auroc: Measure
    second_auroc: Measure
    difference: Measure
    interval: Interval | Undefined
    n_good: int
    n_defect: int
    disagreements: list[Disagreement]


def compare(
    workspace: Workspace, batch_id: int, first: InspectorVersion, second: InspectorVersion
) -> Comparison:
    """Compare two versions, of one inspector or of two, on a batch that both have scored, each at its own thresholds.

    Images that built either bank are left out.
    """
    ours, theirs = (_by_image(workspace, version, batch_id) for version in (first, second))
    pairs = [(ours[image], theirs[image]) for image in ours if image in theirs]
    good = [pair for pair in pairs if pair[0].truth is not None and not pair[0].is_defect]
    defect = [pair for pair in pairs if pair[0].is_defect]
    difference, interval = _difference(good, defect)
    return Comparison(
        first_auroc=_auroc([*good, *defect], 0),
        second_auroc=_auroc([*good, *defect], 1),
        difference=difference,
        interval=interval,
        n_good=len(good),
        n_defect=len(defect),
        disagreements=_disagreements(pairs, first, second),
    )


def _by_image(workspace: Workspace, version: InspectorVersion, batch_id: int) -> dict[int, Known]:
    known = tested_images(workspace, version, batch_id)
    return {one.result.batch_image_id: one for one in known if one.result is not None}


def _auroc(pairs: Sequence[tuple[Known, Known]], side: int) -> Measure:
    return image_metrics([pair[side].score for pair in pairs], [pair[side].is_defect for pair in pairs]).auroc


def _difference(
    good: Sequence[tuple[Known, Known]], defect: Sequence[tuple[Known, Known]]
) -> tuple[Measure, Interval | Undefined]:
    if not good or not defect:
        missing = Undefined("A comparison needs good images and defects that both have scored.")
        return missing, missing
    sides = [([pair[side].score for pair in good], [pair[side].score for pair in defect]) for side in (0, 1)]
    difference, interval = auroc_difference(sides[0], sides[1])
    if min(len(good), len(defect)) < LEAST:
        return difference, Undefined("An interval needs at least two good images and two defects.")
    return difference, interval


def _disagreements(
    pairs: Sequence[tuple[Known, Known]], first: InspectorVersion, second: InspectorVersion
) -> list[Disagreement]:
    points = [OperatingPoint.from_dict(version.operating_point) for version in (first, second)]
    found = [
        Disagreement(ours, theirs, verdict_of(ours, points[0]), verdict_of(theirs, points[1]))
        for ours, theirs in pairs
    ]
    differing = [one for one in found if one.first_verdict != one.second_verdict]
    return sorted(differing, key=lambda one: not one.right)
