"""What a demonstration may say of escapes and false rejects, and the sentence on its limits."""

from collections.abc import Sequence
from dataclasses import dataclass

from patchcore.statistics.curves import Undefined
from patchcore.thresholds.label_basis import A_SET, LabelBasis
from patchcore.thresholds.operating_point import OperatingPoint
from workbench.inspections.batches import count_unscored, list_results
from workbench.inspections.labels import labelled_sets
from workbench.storage.tables import Batch, InspectorVersion, Result
from workbench.storage.workspace import Workspace
from workbench.tuning.label_sampling import label_basis
from workbench.viewer.show import Known
from workbench.widgets.inspect.batch_view import good_dots
from workbench.widgets.shared import wording
from workbench.widgets.show import story
from workbench.widgets.tune.label_offer import estimates

NO_SET = (
    "How many defects escape is not known: no part with a known truth has been inspected. Bring a labelled set on "
    "Evaluate."
)
NO_DEFECT = "How many defects escape is not known: the labelled set holds no defect."


@dataclass(frozen=True)
class Measured:
    """The labelled set behind the figures, and what is known from it.

    Attributes
    ----------
    batch
        The labelled set; None where the good images alone are known.
    basis
        How its labels came about.
    """

    known: Known
    batch: Batch | None
    results: Sequence[Result] = ()
    basis: LabelBasis = A_SET


def measured(
    workspace: Workspace,
    version: InspectorVersion,
    shown: Batch | None,
    scored: Sequence[Result],
    point: OperatingPoint,
) -> Measured:
    """Return what is known: from the batch that is shown, else the newest labelled set, else the good images.

    Parameters
    ----------
    scored
        Scored results of the batch that is shown.
    """
    sets = labelled_sets(workspace, version.inspector_id)
    own = None if shown is None else shown.id
    for batch in sorted(sets, key=lambda one: one.id != own):
        read = scored if batch.id == own else story.scored(list_results(workspace, batch.id, version.id))
        results = [one for one in read if one.image.truth is not None]
        if results and not count_unscored(workspace, batch.id, version.id):
            return _of_set(workspace, version, batch, results, point)
    return Measured(_of_good_images(workspace, version, NO_SET), None)


def limits(
    version: InspectorVersion, good: int, found: Measured, results: Sequence[Result], point: OperatingPoint
) -> str:
    """Say in one sentence what all figures rest on, and what they cannot promise.

    Parameters
    ----------
    good
        Good images that the inspector learned from.
    results
        Scored results of the parts that are shown: their worst box is what one patch covers.
    """
    counted = wording.counted(good, "photograph")
    begin = f"This inspector learned from {counted} of good parts"
    if found.batch is None:
        middle = "and has been measured on these alone, each scored without itself"
    else:
        labels = {"set": "", "sample": ", drawn at random", "chosen": ", which are no sample of the parts"}
        middle = (
            f"and was measured on {wording.counted(len(found.results), 'labelled part')} brought in on one day"
            f"{labels[found.basis.kind]}"
        )
    smallest = _smallest(results)
    seen = f"; a defect smaller than about {smallest} may stay unseen" if smallest else ""
    stale = "; its threshold is out of date" if point.stale else ""
    return f"{begin} {middle}{seen}{stale}; and parts of another day, light or camera may score higher."


def _of_set(
    workspace: Workspace,
    version: InspectorVersion,
    batch: Batch,
    results: Sequence[Result],
    point: OperatingPoint,
) -> Measured:
    dots = [story.dot_of(workspace, result, point) for result in results]
    good, defects = (sum(dot.kind == kind for dot in dots) for kind in ("good", "defect"))
    basis = label_basis(workspace, version, batch.id, point)
    chosen = "" if basis.kind == "set" else " ".join((basis.sentence, *estimates(basis)))
    if not good:  # then false rejects are known from the good images that it learned from
        own = _of_good_images(workspace, version, "")
        source = f"{wording.counted(defects, 'defect')} of {batch.name}; {own.source}"
        known = Known([*own.dots, *dots], source, "", chosen, _weighted(basis))
    else:
        source = (
            f"{wording.counted(good, 'good part')} and {wording.counted(defects, 'defect')} of {batch.name}"
        )
        known = Known(dots, source, "" if defects else NO_DEFECT, chosen, _weighted(basis))
    return Measured(known, batch, results, basis)


def _weighted(basis: LabelBasis) -> dict[str, tuple[float, tuple[float, float]]]:
    """Return the shares that a random sample gives; none from other labels, or where a group has no sample."""
    rates = {"escapes": basis.escapes(), "falseRejects": basis.false_rejects()}
    return {
        name: (rate.value, rate.interval)
        for name, rate in rates.items()
        if rate is not None and not isinstance(rate.value, Undefined)
    }


def _of_good_images(workspace: Workspace, version: InspectorVersion, missing: str) -> Known:
    dots = good_dots(workspace, version)
    source = f"the {wording.counted(len(dots), 'good image')} it learned from, each scored without itself"
    return Known(dots, source, missing)


def _smallest(results: Sequence[Result]) -> str:
    """Return in words what one patch covers of a photograph; "" where no part has been scored."""
    boxes = [(result, result.worst_box) for result in results if result.worst_box is not None]
    if not boxes:
        return ""
    result, box = max(boxes, key=lambda pair: (pair[1][2] - pair[1][0]) * (pair[1][3] - pair[1][1]))
    patch = f"{box[2] - box[0]:,} × {box[3] - box[1]:,} pixels"
    return f"{patch} of a photograph of {result.width:,} × {result.height:,}"
