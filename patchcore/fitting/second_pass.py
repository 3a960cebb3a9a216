"""Going through the good images of a fitted model once more, for leave-one-out scores against another bank."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from patchcore.errors import ImageError, SettingsError
from patchcore.fitting.run import FittingRun
from patchcore.fitting.sources import Source, named, source_sha256
from patchcore.images.geometry import prepare
from patchcore.images.reading import ImageRecord, read_image
from patchcore.scoring import inspected_patches


class Calibration:
    """Goes through good images once and yields the patches of the wanted ones.

    Parameters
    ----------
    run
        Backbone, settings, region of interest, callbacks; the stage is 'calibration'.
    wanted
        SHA-256 of each image to score -> its number in the bank. Afterwards `left` holds the images not found.
    """

    def __init__(self, run: FittingRun, wanted: dict[str, int]) -> None:
        self.run, self.left, self.total = run, dict(wanted), len(wanted)

    def patches(
        self, good: Iterable[Source | tuple[str, Source]]
    ) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Yield (image number, patch features [P, dims]).

        Raises
        ------
        SettingsError
            If none of the images could be scored.
        """
        self._report()
        for name, source in map(named, good, range(1, 1 << 62)):
            found = self._patches(name, source)
            if found is not None:
                yield found
                self._report()
        if len(self.left) == self.total:
            raise SettingsError(
                "None of the remaining good images could be read, so the threshold could not be set again. "
                "Put their files back."
            )

    def absent(self, records: Iterable[ImageRecord]) -> list[ImageError]:
        """Return the images that were not found or could not be read, each with the consequence."""
        reason = "its file is missing, has changed or cannot be read, so its leave-one-out score was dropped."
        return [ImageError(record.name, reason) for record in records if record.sha256 in self.left]

    def _patches(self, name: str, source: Source) -> tuple[int, NDArray[np.float32]] | None:
        sha256 = source_sha256(source)
        if sha256 is not None and sha256 not in self.left:
            return None  # not in the calibrated sample: not even decoded
        run = self.run
        try:
            image = read_image(source, name=name, value_range=run.settings.value_range)
        except ImageError:
            return None  # it stays in `left`
        number = self.left.pop(image.record.sha256, None)
        if number is None:
            return None
        prepared = prepare(image.pixels, run.settings.geometry_of_input(), run.roi)
        features = run.features(prepared)
        return number, features[inspected_patches(prepared.valid, features.shape[:2])]

    def _report(self) -> None:
        self.run.report("calibration", self.total - len(self.left), self.total)
