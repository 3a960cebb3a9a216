"""Teaching a fitted model that an image is good: its unfamiliar patches join the bank, and thresholds follow.

An image is taught because it scored high, so its score says nothing of good images in general. It joins the bank, but
never the evidence for thresholds: those are still set from the images that the bank was built from.
"""

import copy
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from patchcore.bank import MemoryBank
from patchcore.detector import Detector
from patchcore.errors import SettingsError
from patchcore.fitting.run import FittingRun, Progress
from patchcore.fitting.second_pass import Calibration
from patchcore.fitting.sources import Source, named
from patchcore.images.reading import read_image
from patchcore.kernels.search import RunningSearch
from patchcore.leave_one_out import score_by_groups
from patchcore.methods import TEACH
from patchcore.patchcore import PatchCore, with_bank
from patchcore.scoring import ImagePatches
from patchcore.thresholds.decision import recalibrate
from patchcore.thresholds.operating_point import OperatingPoint

GoodImages = Sequence[Source | tuple[str, Source]]
Follow = Callable[[PatchCore], OperatingPoint | None]
"""Brings the operating point to a model's new bank; None where there is none."""

# A map's peak, also in its rounded file, is at most its highest patch score but for rounding.
ROUNDED_MAP = 0.99


Rows = list[tuple[ImagePatches, NDArray[np.int64]]]
"""Images, each with the patches of it to add."""


def with_taught(
    detector: Detector,
    images: Iterable[Source | tuple[str, Source]],
    good: Iterable[Source | tuple[str, Source]],
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    follow: Follow | None = None,
) -> PatchCore:
    """Return a model with images taught as good: their unfamiliar patches join its bank.

    Patches of each image that are farther from the bank than the cover radius (or the accept threshold, if that is
    smaller) are added, the farthest first, until none is left. Taught rows stand before all others, so that every
    share holds them. The operating point is recalibrated in the same step, on only the images that the bank was built
    from, and accepts each taught image.

    Parameters
    ----------
    detector
        A fitted model.
    images
        The images to teach, as for `fit`.
    good
        The good images that the bank was built from, as for `removal.without_images`.
    progress, cancelled
        As for `fit`; the stage is 'calibration'.
    follow
        Returns the operating point for the model with the new bank; by default, the old point's rule is applied again
        to the good images.

    Raises
    ------
    SettingsError
        If the method keeps no bank, an image is one that the bank was built from, no image has anything to teach,
        the self-test fails on this machine, or none of the good images could be read.
    ImageError
        If an image to be taught cannot be read.
    Cancelled
        If `cancelled` said so.
    """
    model = with_bank(detector, TEACH)
    run, good = model.fitting_run(progress, cancelled), list(good)
    if not model.self_test_.passed:
        raise SettingsError(model.self_test_.sentence)
    pupils = _pupils(model, list(images), run)
    radius = min(model.cover_radius_, accepted_within(model.operating_point_))
    after = model
    while rows := _unfamiliar(after.bank_, pupils, radius):
        # A threshold falls with the good images' scores, so a taught image may lie outside again. Then more of its
        # patches are added, with that threshold as the radius.
        after = _with_rows(after, rows, good, run)
        after.operating_point_ = _own_rule(model, after) if follow is None else follow(after)
        radius = accepted_within(after.operating_point_)
    if after is model:
        raise SettingsError(
            f"There is nothing to teach: every patch of {_names(pupils)} lies within {radius:.4g} of the bank already."
        )
    return after


def accepted_within(point: OperatingPoint | None) -> float:
    """Return the largest distance of patches from the bank at which the point accepts an image, however it judges."""
    if point is None or point.stale:
        return np.inf
    if point.judge_by == "score" or point.pixel is None:
        return point.accept
    return min(point.accept, ROUNDED_MAP * point.pixel)


def unfamiliar(features: NDArray[np.float32], bank: MemoryBank, radius: float) -> NDArray[np.int64]:
    """Choose the patches [P, dims] to add to a bank so that none is farther than the radius from it: greedy k-centre.

    Returns
    -------
    ndarray
        [n] int64, the farthest first; each was farther than the radius from the bank with those before it.
    """
    search = RunningSearch(features)
    search.add(bank.features, row_bounds=bank.bounds)
    chosen: list[int] = []
    while True:
        distances = search.distances[:, 0].astype(np.float64)  # a threshold has more digits than a distance
        farthest = int(distances.argmax())
        if not distances[farthest] > radius:
            return np.array(chosen, np.int64)
        chosen.append(farthest)
        search.add(features[farthest : farthest + 1], first=len(bank) + len(chosen))


def _pupils(model: PatchCore, images: GoodImages, run: FittingRun) -> list[ImagePatches]:
    taught, pupils = set(model.taught_), dict[str, ImagePatches]()
    for name, source in map(named, images, range(1, len(images) + 1)):
        image = read_image(source, name=name, value_range=run.settings.value_range)
        if (twin := model.twin_of(image)) is not None and twin.sha256 not in taught:
            same = "" if twin.name == name else f", {twin.name} with the same pixels"
            raise SettingsError(
                f"{name} is one of the good images that this inspector was built from{same}, so there is nothing to "
                "teach. A larger bank keeps more of it."
            )
        if image.pixel_sha256 not in pupils:
            record = image.hashed_record if twin is None else twin
            pupils[image.pixel_sha256] = replace(model.patches(image), record=record)
    if not pupils:
        raise SettingsError("No image was named to be taught; choose at least one.")
    return list(pupils.values())


def _unfamiliar(bank: MemoryBank, pupils: Sequence[ImagePatches], radius: float) -> Rows:
    """Choose patches of every image; each image is compared with a bank that holds the earlier images' choices."""
    found: Rows = []
    for pupil in pupils:
        chosen = unfamiliar(pupil.features, bank, radius)
        if len(chosen):
            found.append((pupil, chosen))
            bank = _grown(bank, pupil, chosen, 0)
    return found


def _grown(bank: MemoryBank, pupil: ImagePatches, chosen: NDArray[np.int64], number: int) -> MemoryBank:
    positions = np.flatnonzero(pupil.inspected)[chosen].astype(np.int32)
    return bank.with_taught(pupil.features[chosen], np.full(len(chosen), number, np.int32), positions)


def _with_rows(before: PatchCore, rows: Rows, good: GoodImages, run: FittingRun) -> PatchCore:
    """Return the model with rows added and its good images scored against the new bank, without operating point."""
    bank, records = before.full_bank_, list(before.image_records_)
    check = before.picture_check_
    numbers = {record.sha256: number for number, record in enumerate(records)}
    for pupil, chosen in rows:
        number = numbers.setdefault(pupil.record.sha256, len(records))
        if number == len(records):
            records.append(pupil.record)
            if check is not None:
                check = check.with_image(number, pupil.measures, pupil.features, pupil.inspected)
        bank = _grown(bank, pupil, chosen, number)
    model = copy.copy(before)
    model.full_bank_, model.bank_ = bank, bank.rows(slice(bank.taught + before.bank_.built))
    model.image_records_ = records
    model.renew_self_test()
    wanted = {before.image_records_[i].sha256: int(i) for i in before.profile_.images}
    calibration = Calibration(run, wanted)
    model.take_profiles(score_by_groups(bank, calibration.patches(good), model.kinds_of_groups_))
    model.picture_check_ = check
    model.skipped_ = [*before.skipped_, *calibration.absent(before.image_records_)]
    model.operating_point_ = None
    return model


def _own_rule(before: PatchCore, after: PatchCore) -> OperatingPoint | None:
    point = before.operating_point_
    return None if point is None else recalibrate(point, after.evidence_, after.bank_id_)


def _names(pupils: Sequence[ImagePatches]) -> str:
    names = [pupil.record.name for pupil in pupils]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
