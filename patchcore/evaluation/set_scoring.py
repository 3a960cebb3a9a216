"""Inspects a labelled set image by image, with no more than one map in memory."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from patchcore.detector import Detector
from patchcore.errors import DataError, ImageError
from patchcore.evaluation.labelled_image import Labelled
from patchcore.evaluation.labelled_score import LabelledScore
from patchcore.images.reading import display_pixels, read_image
from patchcore.inspection import Inspection, inspect
from patchcore.labels.masks import note


def inspect_each(
    model: Detector,
    images: Sequence[Labelled],
    left_out: list[str],
    notes: dict[str, list[str]],
    twins: list[tuple[str, str]],
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[LabelledScore]:
    """Inspect image by image, with the model's thresholds in force; a good image without its own rows.

    The map of the current image is in memory; an earlier image's map is computed again when asked for.

    Parameters
    ----------
    model
        A fitted model.
    images
        The labelled set.
    left_out
        Filled with a sentence for each image that cannot be scored.
    notes
        Filled with remarks on masks as they are read: key of `patchcore.labels.masks.NOTES` -> names of images.
    twins
        Filled with the names of images with the pixels of a good image of the build, and that good image's name.
    progress
        Called with (done, total).
    """
    latest = _Latest(model)
    for done, image in enumerate(images, start=1):
        if image.defect_type is None:
            left_out.append(f"Left out {image.name}: it has no label.")
            continue
        try:
            inspection = latest.inspection(image)
        except ImageError as error:
            left_out.append(f"Left out {image.name}: {error.reason}")
        except DataError as error:
            left_out.append(f"Left out {error}")
        else:
            if (twin := latest.twin) is not None:
                twins.append((image.name, twin))
            yield LabelledScore(
                image.name,
                image.defect_type,
                inspection.result.score,
                partial(latest.map, image),
                partial(_mask, image, inspection.result.map.shape, notes),
                partial(_pixels, image, model.settings.value_range),
                inspection.verdict,
                inspection.remarks,
                bool(inspection.doubts),
                inspection.result.worst_box,
            )
        if progress:
            progress(done, len(images))


class _Latest:
    """Holds the inspection of the image that was inspected last."""

    def __init__(self, model: Detector) -> None:
        self._model = model
        self._held: tuple[Labelled, Inspection] | None = None
        self.twin: str | None = None

    def inspection(self, image: Labelled) -> Inspection:
        """Return an image's inspection; only the latest one is in memory, others are made again."""
        if self._held is None or self._held[0] != image:
            loaded = self._model.read(image.source)
            found = self._model.twin_of(loaded)
            self.twin = None if found is None else found.name
            self._held = (image, inspect(self._model, loaded, leave_out=True))
        return self._held[1]

    def map(self, image: Labelled) -> NDArray[np.float32]:
        """Return an image's map, float32 [H, W]."""
        return self.inspection(image).result.map


def _mask(image: Labelled, shape: tuple[int, int], notes: dict[str, list[str]]) -> NDArray[np.bool_] | None:
    marks = image.mask(shape)
    note(notes, image.name, marks)
    return None if marks is None else marks.pixels


def _pixels(image: Labelled, value_range: tuple[float, float] | None) -> NDArray[np.uint8]:
    return display_pixels(read_image(image.source, name=image.name, value_range=value_range).pixels)
