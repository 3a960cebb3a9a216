"""Evidence for a threshold: scores of a labelled set, and peaks of the good images' maps, by SHA-256."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from patchcore.detector import Detector
from patchcore.errors import DataError, ImageError
from patchcore.evaluation.labelled_image import Labelled, built_from
from patchcore.fitting.sources import Source, named, source_sha256
from patchcore.images.reading import exact_copy
from patchcore.images.remarks import RemarkTally
from patchcore.maps.regions import clearing_threshold

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class LabelledScores:
    """Scores of a labelled set.

    Attributes
    ----------
    good, defect
        SHA-256 of the image -> its score; an image that built the bank is scored without its own rows, and goes by the
        hash of the file that built it.
    problems
        A sentence for each image left out, and one on images that the inspector was built from.
    tally
        The remarks on the images.
    """

    good: dict[str, float] = field(default_factory=dict)
    defect: dict[str, float] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    tally: RemarkTally = field(default_factory=RemarkTally)

    @property
    def remarks(self) -> list[str]:
        """Remarks on the images, those alike in one sentence."""
        return self.tally.sentences()


def score_labelled(
    model: Detector, images: Sequence[Labelled], progress: Progress | None = None
) -> LabelledScores:
    """Score a labelled set; one bad file, or a file with two labels, does not stop the rest.

    Parameters
    ----------
    model
        A fitted model.
    images
        The set; images without a label are left out.
    progress
        Called with ("scoring", done, total).
    """
    found, names, twins = LabelledScores(), dict[str, str](), list[tuple[str, str]]()
    for done, image in enumerate(images, start=1):
        try:
            _score_one(model, image, found, names, twins)
        except ImageError as fault:
            found.problems.append(f"Left out {image.name}: {fault.reason}")
        except DataError as fault:
            found.problems.append(f"Left out {image.name}: {fault}")
        if progress:
            progress("scoring", done, len(images))
    if twins:
        found.problems.append(built_from(twins))
    return found


def _score_one(
    model: Detector,
    image: Labelled,
    found: LabelledScores,
    names: dict[str, str],
    twins: list[tuple[str, str]],
) -> None:
    if image.defect_type is None:
        raise DataError("it has no label.")
    loaded = model.read(image.source)
    if loaded.pixel_sha256 in names:
        raise DataError(f"{exact_copy(names[loaded.pixel_sha256]).rstrip('.')}, with its first label.")
    result = model.score(loaded, leave_out=True)
    names[loaded.pixel_sha256] = image.name
    # A good image counts once, also where its score is already among those of the bank.
    twin = model.twin_of(loaded)
    if twin is not None:
        twins.append((image.name, twin.name))
    sha256 = result.record.sha256 if twin is None else twin.sha256
    found.tally.take(image.name, result.remarks)
    (found.defect if image.is_defect else found.good)[sha256] = result.score


def map_peaks(
    model: Detector,
    good: Iterable[Source | tuple[str, Source]],
    min_area: int = 1,
    progress: Progress | None = None,
) -> dict[str, float]:
    """Find the peak of each calibrated good image's map, with the image scored without its own rows.

    Parameters
    ----------
    model
        A fitted model.
    good
        The images that built it, as for `fit`; other images are skipped.
    min_area
        Pixels that a region needs to count.
    progress
        Called with ("maps", done, total).

    Returns
    -------
    dict
        SHA-256 of the image -> the lowest pixel threshold at which its map shows no such region.

    Raises
    ------
    DataError
        None of the images was given.
    """
    wanted = set(model.evidence_.good)
    total, peaks = len(wanted), dict[str, float]()
    for _, source in map(named, good, range(1, 1 << 62)):
        sha256 = source_sha256(source)
        if sha256 is not None and (sha256 not in wanted or sha256 in peaks):
            continue
        try:
            result = model.score(source, leave_out=True)
        except (ImageError, DataError):
            continue  # the file has changed
        if result.record.sha256 in wanted:
            peaks[result.record.sha256] = clearing_threshold(np.asarray(result.map), min_area)
            if progress:
                progress("maps", len(peaks), total)
    if not peaks:
        raise DataError(
            "A pixel threshold is set from the maps of the good images that built this inspector, and none of these "
            "images was given. Name the folder that the inspector was built from."
        )
    return peaks
