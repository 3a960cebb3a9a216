"""Image-level metrics of the separation of defects from good parts: AUROC, average precision, F1-max.

A number that does not exist is `Undefined` with the reason, never 0. Scores are only compared with each other, so no
metric depends on the thresholds in force.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from patchcore.errors import DataError
from patchcore.statistics.curves import Curve, Measure, Sweep, Undefined, measures_to_dict

GOOD = "good"  # the type of a defect-free image, as in MVTec's folder names


@dataclass(frozen=True)
class ImageMetrics:
    """Separation of good images and defects by their scores.

    Parameters
    ----------
    auroc
        Chance that a defect scores above a good part, ties counting half.
    average_precision
        Mean precision over the defects, ranked from the highest score.
    f1_max, f1_threshold
        Best F1 over all thresholds, and a threshold that reaches it.
    n_good, n_defect
        Images of either kind.
    """

    auroc: Measure
    average_precision: Measure
    f1_max: Measure
    f1_threshold: Measure
    n_good: int
    n_defect: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON; None beside a reason where undefined."""
        measures = {
            "auroc": self.auroc,
            "average_precision": self.average_precision,
            "f1_max": self.f1_max,
            "f1_threshold": self.f1_threshold,
        }
        return measures_to_dict(measures) | {"n_good": self.n_good, "n_defect": self.n_defect}


def image_metrics(scores: ArrayLike, is_defect: ArrayLike) -> ImageMetrics:
    """Measure how well image scores separate good from defect.

    Parameters
    ----------
    scores
        [n] finite numbers, higher for stranger.
    is_defect
        [n] true for defects.

    Raises
    ------
    DataError
        Lengths differ, or a score is not a number.

    Examples
    --------
    >>> image_metrics([1.0, 2.0, 3.0, 4.0], [False, True, False, True]).auroc
    0.75
    """
    values, labels = _checked(scores, is_defect)
    n_defect = int(labels.sum())
    n_good = labels.size - n_defect
    missing = _missing(n_good, n_defect)
    if missing is not None:
        return ImageMetrics(missing, missing, missing, missing, n_good, n_defect)
    sweep = Sweep.of_scores(values, labels)
    f1, threshold = sweep.best_f1()
    return ImageMetrics(sweep.auroc(), sweep.average_precision(), f1, threshold, n_good, n_defect)


def image_metrics_by_type(scores: ArrayLike, types: Sequence[str | None]) -> dict[str, ImageMetrics]:
    """Measure each defect type against all good images.

    Parameters
    ----------
    scores
        [n] finite numbers.
    types
        [n] name of the defect; "good" or None for a good image.
    """
    values, labels = _checked(scores, [kind not in (GOOD, None) for kind in types])
    names = np.array([kind or GOOD for kind in types], dtype=object)
    chosen = {kind: ~labels | (names == kind) for kind in sorted(set(names[labels]))}
    return {kind: image_metrics(values[use], labels[use]) for kind, use in chosen.items()}


def image_curves(scores: ArrayLike, is_defect: ArrayLike) -> dict[str, Curve] | Undefined:
    """Return the points of the curves "roc" and "precision_recall"; arguments as for `image_metrics`."""
    values, labels = _checked(scores, is_defect)
    missing = _missing(int((~labels).sum()), int(labels.sum()))
    if missing is not None:
        return missing
    sweep = Sweep.of_scores(values, labels)
    return {"roc": sweep.roc(), "precision_recall": sweep.precision_recall()}


def _checked(scores: ArrayLike, is_defect: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    values, labels = np.asarray(scores, np.float64), np.asarray(is_defect)
    if values.ndim != 1 or values.shape != labels.shape:
        raise DataError(
            f"Each score needs one label: there are {values.size} scores and {labels.size} labels."
        )
    if not np.isin(labels, (0, 1)).all():
        raise DataError("A label says defect (true, 1) or good (false, 0); leave out images without a label.")
    odd = np.flatnonzero(~np.isfinite(values))
    if odd.size:
        raise DataError(
            f"{odd.size} of {values.size} scores are not finite numbers, the first at position {odd[0] + 1}; "
            "leave these images out."
        )
    return values, labels.astype(bool)


def _missing(n_good: int, n_defect: int) -> Undefined | None:
    if n_defect == 0:
        return Undefined("No image is labelled as a defect; add some to measure how well they are found.")
    if n_good == 0:
        return Undefined("No image is labelled as good; add some to compare the defects with.")
    return None
