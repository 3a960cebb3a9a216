"""Scores a labelled set image by image, with no more than one map in memory."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from patchcore.detector import Detector
from patchcore.errors import DataError, ImageError
from patchcore.evaluation.labelled_image import Labelled, read_mask
from patchcore.evaluation.labelled_score import LabelledScore
from patchcore.images.reading import display_pixels, read_image


def score_each(
    model: Detector,
    images: Sequence[Labelled],
    left_out: list[str],
    grey: list[str],
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[LabelledScore]:
    """Score image by image.

    The map of the image at hand is there already; that of an earlier one is computed again when asked for.

    Parameters
    ----------
    model
        A fitted model.
    images
        The labelled set.
    left_out
        Filled with a sentence for each image that cannot be scored.
    grey
        Filled with the names of images whose masks have greys, as these are read.
    progress
        Called with (done, total).
    """
    latest = _LatestMap(model)
    for done, image in enumerate(images, start=1):
        if image.defect_type is None:
            left_out.append(f"Left out {image.name}: it has no label.")
            continue
        try:
            score = latest.score(image)
        except ImageError as error:
            left_out.append(f"Left out {image.name}: {error.reason}")
        except DataError as error:
            left_out.append(f"Left out {error}")
        else:
            yield LabelledScore(
                image.name,
                image.defect_type,
                score,
                partial(latest.map, image),
                partial(_mask, image, grey),
                partial(_pixels, image, model.settings.value_range),
            )
        if progress:
            progress(done, len(images))


class _LatestMap:
    """Holds the map of the image that was scored last."""

    def __init__(self, model: Detector) -> None:
        self._model = model
        self._held: tuple[Labelled, NDArray[np.float32]] | None = None

    def score(self, image: Labelled) -> float:
        """Score an image and hold its map."""
        return self._scored(image)[0]

    def map(self, image: Labelled) -> NDArray[np.float32]:
        """Give the image's map, float32 [H, W]."""
        if self._held is not None and self._held[0] == image:
            return self._held[1]
        return self._scored(image)[1]

    def _scored(self, image: Labelled) -> tuple[float, NDArray[np.float32]]:
        result = self._model.score(image.source, leave_out=True)
        self._held = (image, result.map)
        return result.score, result.map


def _mask(image: Labelled, grey: list[str]) -> NDArray[np.bool_] | None:
    mask, has_greys = read_mask(image)
    if has_greys and image.name not in grey:
        grey.append(image.name)
    return mask


def _pixels(image: Labelled, value_range: tuple[float, float] | None) -> NDArray[np.uint8]:
    return display_pixels(read_image(image.source, name=image.name, value_range=value_range).pixels)
