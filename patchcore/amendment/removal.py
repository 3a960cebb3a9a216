"""Removing good images from a fitted model: their rows leave the bank, and the other images are scored again."""

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from patchcore.bank import MemoryBank
from patchcore.detector import Detector
from patchcore.errors import ImageError, SettingsError
from patchcore.fitting.run import FittingRun, Progress
from patchcore.fitting.second_pass import Calibration
from patchcore.fitting.sources import Source
from patchcore.images.copy_groups import CopyGroups
from patchcore.images.geometry import place
from patchcore.images.reading import ImageRecord
from patchcore.labels.sessions import SessionGroups
from patchcore.leave_one_out import GoodScores, score_by_groups
from patchcore.methods import REMOVE
from patchcore.patchcore import PatchCore, with_bank
from patchcore.plausibility.picture_check import PictureCheck
from patchcore.scoring import inspected_patches
from patchcore.thresholds.decision import recalibrate

LEAST_IMAGES = 2  # a single image cannot be scored without its own rows


@dataclass(frozen=True)
class Remaining:
    """The parts of a model that change when images are removed.

    Attributes
    ----------
    bank
        At the largest share; its images are renumbered.
    rows_in_use
        Number of its rows that were in use before.
    records
        The images that remain.
    good_scores
        Their leave-one-image-out scores and cover radius at every size of the bank; as a second part, their scores by
        other sessions alone, where there are several.
    picture_check
        The check of the whole picture without the removed images; None where none of its images remains.
    skipped
        Images that were scored before and could not be scored again, each with its reason.
    removed
        SHA-256 of the removed images that the bank was built from, in the order of their numbers. Taught images are
        not listed: the bank without them equals the bank before teaching.
    """

    bank: MemoryBank
    rows_in_use: int
    records: list[ImageRecord]
    good_scores: list[GoodScores]
    picture_check: PictureCheck | None
    skipped: list[ImageError]
    removed: tuple[str, ...]


def without_images(
    detector: Detector,
    sha256s: Iterable[str],
    good: Iterable[Source | tuple[str, Source]],
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> PatchCore:
    """Return a model without some of its good images, as if the bank had not kept their patches.

    The rows of these images leave the bank, and the other rows keep their order. Leave-one-out scores and cover radius
    of the remaining images are computed again. The operating point is recalibrated by its own rule, or marked stale.

    Parameters
    ----------
    detector
        A fitted model.
    sha256s
        SHA-256 of the images to remove.
    good
        The remaining good images, as for `fit`. Images with a leave-one-out score are scored again, others are
        skipped. A missing or unreadable image is listed in `skipped_`.
    progress, cancelled
        As for `fit`; the stage is 'calibration'.

    Raises
    ------
    SettingsError
        If the method keeps no bank, an image was not used to build it, fewer than two images would remain, none of
        their rows is in the bank, the self-test fails on this machine, or none of the remaining images could be read.
    Cancelled
        If `cancelled` said so.
    """
    model = with_bank(detector, REMOVE)
    rest = _remaining(model, frozenset(sha256s), good, model.fitting_run(progress, cancelled))
    fewer = copy.copy(model)
    fewer.full_bank_, fewer.bank_ = rest.bank, rest.bank.rows(slice(rest.rows_in_use))
    fewer.image_records_ = rest.records
    fewer.picture_check_ = rest.picture_check
    fewer.skipped_ = [*model.skipped_, *rest.skipped]
    fewer.removed_ = (*model.removed_, *rest.removed)
    fewer.renew_self_test()
    fewer.take_profiles(rest.good_scores)
    if model.operating_point_ is not None:
        fewer.operating_point_ = recalibrate(model.operating_point_, fewer.evidence_, fewer.bank_id_)
    return fewer


def _remaining(
    model: PatchCore,
    sha256s: frozenset[str],
    good: Iterable[Source | tuple[str, Source]],
    run: FittingRun,
) -> Remaining:
    records = model.image_records_
    gone = [number for number, record in enumerate(records) if record.sha256 in sha256s]
    _check(model, sha256s, gone)
    numbers = np.cumsum([number not in set(gone) for number in range(len(records))]) - 1
    taught = model.full_bank_.taught_images
    built = [number for number in gone if number not in taught]
    total = model.full_bank_.total_patches - sum(_patches(model, records[number]) for number in built)
    bank = _renumbered(model.full_bank_.without_images(set(gone)), numbers, total)
    if not bank.built:
        raise SettingsError("Every row of the bank comes from these images; build again on the others.")
    in_use = model.bank_.without_images(set(gone)).built
    left = [record for record in records if record.sha256 not in sha256s]
    groups = CopyGroups.of(
        [record.near_copy_of for record in left],
        [int(numbers[number]) for number in taught if number not in set(gone)],
    )
    scored = model.copy_groups_.stand_ins(model.profile_.images.tolist(), set(gone))
    wanted = {records[i].sha256: int(numbers[i]) for i in scored if numbers[i] in groups.scored}
    calibration, check = Calibration(run, wanted), model.picture_check_
    scores = score_by_groups(bank, calibration.patches(good), SessionGroups.kinds(left, groups))
    return Remaining(
        bank,
        bank.taught + max(1, in_use),
        left,
        scores,
        check and check.without_images(set(gone), numbers),
        calibration.absent(records),
        tuple(records[number].sha256 for number in gone if number not in taught),
    )


def _check(model: PatchCore, sha256s: frozenset[str], gone: list[int]) -> None:
    unknown = sha256s - {record.sha256 for record in model.image_records_}
    if unknown or not sha256s:
        raise SettingsError(
            f"This inspector was built without {len(unknown)} of the {len(sha256s)} images to remove."
            if unknown
            else "No image was named to be removed; choose at least one."
        )
    taught = model.full_bank_.taught_images
    built_from, found = len(model.image_records_) - len(taught), len(set(gone) - taught)
    if built_from - found < LEAST_IMAGES:
        raise SettingsError(
            f"An inspector needs at least {LEAST_IMAGES} good images; removing {found} of "
            f"{built_from} leaves too few. Add good images and build again."
        )
    if not model.self_test_.passed:
        raise SettingsError(model.self_test_.sentence)


def _renumbered(bank: MemoryBank, numbers: NDArray[np.int64], total: int) -> MemoryBank:
    return replace(bank, images=numbers[bank.images].astype(np.int32), total_patches=total)


def _patches(model: PatchCore, record: ImageRecord) -> int:
    """Number of patches of an image before the coreset, from the image's size alone."""
    placement = place((record.height, record.width), model.settings.geometry_of_input(), model.roi_)
    return int(inspected_patches(placement.valid, model.grid_).sum())
