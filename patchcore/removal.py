"""Taking good images out of a fitted model: rows by provenance, leave-one-out scores of the rest computed again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from patchcore.bank import MemoryBank
from patchcore.errors import ImageError, SettingsError
from patchcore.fitting import FittingRun, Source, named, source_sha256
from patchcore.geometry import place, prepare
from patchcore.images import ImageRecord, read_image
from patchcore.leave_one_out import GoodScores, score_good_images
from patchcore.scoring import inspected_patches

if TYPE_CHECKING:
    from patchcore.detector import PatchCore

LEAST_IMAGES = 2  # with one alone no image can be scored without its own rows


@dataclass(frozen=True)
class Remaining:
    """What a model is without the images that were taken out.

    Attributes
    ----------
    bank
        At the largest share; its images are numbered anew.
    rows_in_use
        How many of its rows were in use before.
    records
        The images that remain.
    good_scores
        Their leave-one-image-out scores and cover radius at every size of the bank.
    skipped
        Those that were scored before and could not be scored again, each with its reason.
    removed
        SHA-256 of the images taken out, in the order they were numbered.
    """

    bank: MemoryBank
    rows_in_use: int
    records: list[ImageRecord]
    good_scores: GoodScores
    skipped: list[ImageError]
    removed: tuple[str, ...]


def removed(
    model: PatchCore, sha256s: frozenset[str], run: FittingRun, good: Iterable[Source | tuple[str, Source]]
) -> Remaining:
    """Take images out; see :meth:`patchcore.detector.PatchCore.without_images`."""
    records = model.image_records_
    gone = [number for number, record in enumerate(records) if record.sha256 in sha256s]
    _check(model, sha256s, len(gone))
    numbers = np.cumsum([number not in set(gone) for number in range(len(records))]) - 1
    total = model.full_bank_.total_patches - sum(_patches(model, records[number]) for number in gone)
    bank = _renumbered(model.full_bank_.without_images(set(gone)), numbers, total)
    if not len(bank):
        raise SettingsError("Every row of the bank comes from these images; build anew on the others.")
    in_use = len(model.bank_.without_images(set(gone)))
    wanted = {
        records[i].sha256: int(numbers[i]) for i in model.profile_.images.tolist() if i not in set(gone)
    }
    calibration = _Calibration(run, wanted)
    scores = score_good_images(bank, calibration.patches(good))
    return Remaining(
        bank,
        max(1, in_use),
        [record for record in records if record.sha256 not in sha256s],
        scores,
        _absent(calibration.left, records),
        tuple(records[number].sha256 for number in gone),
    )


class _Calibration:
    """Goes through the remaining images once and gives the patches of those that are to be scored."""

    def __init__(self, run: FittingRun, wanted: dict[str, int]) -> None:
        self.run, self.left, self.total = run, dict(wanted), len(wanted)

    def patches(
        self, good: Iterable[Source | tuple[str, Source]]
    ) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Give (image number, patch features [P, dims]).

        Raises
        ------
        SettingsError
            If not one of the images could be scored.
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


def _check(model: PatchCore, sha256s: frozenset[str], found: int) -> None:
    unknown = sha256s - {record.sha256 for record in model.image_records_}
    if unknown or not sha256s:
        raise SettingsError(
            f"{len(unknown)} of the {len(sha256s)} images to remove are not among those that built this inspector."
            if unknown
            else "No image was named to be removed; choose at least one."
        )
    if len(model.image_records_) - found < LEAST_IMAGES:
        raise SettingsError(
            f"An inspector needs at least {LEAST_IMAGES} good images; removing {found} of "
            f"{len(model.image_records_)} leaves too few. Add good images and build anew."
        )
    if not model.self_test_.passed:
        raise SettingsError(model.self_test_.sentence)


def _renumbered(bank: MemoryBank, numbers: NDArray[np.int64], total: int) -> MemoryBank:
    return replace(bank, images=numbers[bank.images].astype(np.int32), total_patches=total)


def _patches(model: PatchCore, record: ImageRecord) -> int:
    """How many patches an image had before choosing, from its size alone."""
    placement = place((record.height, record.width), model.settings.geometry_of_input(), model.roi_)
    return int(inspected_patches(placement.valid, model.grid_).sum())


def _absent(left: dict[str, int], records: list[ImageRecord]) -> list[ImageError]:
    reason = (
        "its file is missing, has changed or cannot be read, so its leave-one-out score is no longer known."
    )
    return [ImageError(record.name, reason) for record in records if record.sha256 in left]
