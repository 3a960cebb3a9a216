"""One variant on one set with one seed: built and evaluated as the product does it."""

import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from lab.accuracy.kept_features import KeptFeatures, with_kept_features
from lab.accuracy.rows import Row, Variant
from patchcore.detector import Detector
from patchcore.evaluation.measures import Evaluation, evaluate
from patchcore.evaluation.mvtec_layout import LabelledImage, read_layout
from patchcore.images.reading import list_images
from patchcore.statistics.curves import Undefined
from patchcore.statistics.intervals import Interval

# Images whose scoring is timed, and how often each: a busy moment of the machine does not count.
TIMED, REPEATS = 7, 3


def measure(variant: Variant, folder: Path, name: str, seed: int, features: Path) -> Row:
    """Build on a set's good images and evaluate on its labelled ones.

    Parameters
    ----------
    variant
        Network and settings; all others are the product's defaults.
    folder, name
        The set in MVTec layout.
    seed
        Of the build.
    features
        Folder in which features are kept.
    """
    good = folder / "train" / "good"
    images = read_layout(folder)
    model = with_kept_features(features / name, **variant.settings(), seed=seed)
    seconds = _learning_seconds(model, [(str(path.relative_to(good)), path) for path in list_images(good)])
    evaluation = evaluate(model, images)
    return _row(variant, name, seed, evaluation, model, seconds, _milliseconds(model, images))


def _learning_seconds(model: KeptFeatures, images: list[tuple[str, Path]]) -> float:
    """Fit on good images, and time the part after the features."""
    began = time.perf_counter()

    def report(stage: str, _done: int, _total: int) -> None:
        nonlocal began
        if stage == "features":
            began = time.perf_counter()

    model.fit(images, progress=report, scratch=model.folder / "good")
    return time.perf_counter() - began


def _milliseconds(model: KeptFeatures, images: Sequence[LabelledImage]) -> float:
    """Time scoring of images spread over the set, file to score, without features that are kept: the median image."""
    plain = _plain(model)

    def seconds(path: Path) -> float:
        began = time.perf_counter()
        plain.score(path)
        return time.perf_counter() - began

    chosen = [images[i * len(images) // TIMED].path for i in range(TIMED)]
    return 1e3 * statistics.median(min(seconds(path) for _ in range(REPEATS)) for path in chosen)


def _plain(model: KeptFeatures) -> Detector:
    """Return the same model as the product has it: features are computed each time."""
    plain = Detector.of(model.settings)
    plain.__dict__.update(model.__dict__)
    return plain


def _row(
    variant: Variant,
    name: str,
    seed: int,
    evaluation: Evaluation,
    model: Detector,
    seconds: float,
    milliseconds: float,
) -> Row:
    image, pixel, counts = evaluation.image, evaluation.pixel, evaluation.counts
    interval = _number_pair(evaluation.auroc_interval)
    return Row(
        variant,
        name,
        seed,
        good=image.n_good,
        defects=image.n_defect,
        image_auroc=_number(image.auroc),
        low=interval[0],
        high=interval[1],
        average_precision=_number(image.average_precision),
        pixel_auroc=_number(pixel.auroc),
        aupro=_number(pixel.aupro),
        false_rejects=None if counts is None else counts.false_rejects,
        escapes=None if counts is None else counts.escapes,
        review=None if counts is None else counts.review,
        seconds=seconds,
        milliseconds=milliseconds,
        megabytes=model.size.nbytes / 1e6,
    )


def _number(measure: float | Undefined) -> float:
    return float("nan") if isinstance(measure, Undefined) else measure


def _number_pair(interval: Interval | Undefined) -> tuple[float, float]:
    return (float("nan"),) * 2 if isinstance(interval, Undefined) else (interval[0], interval[1])
