"""The price of a smaller bank: every share of the coreset measured in one scoring pass over a labelled set.

The order of the rows is nested, so a patch's distance at one share is its distance at the smaller share before, or its
distance to a row between the two if that is smaller. An image's features are computed once, and every row is searched
once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
from numpy.typing import NDArray

from patchcore.bank import MemoryBank
from patchcore.coreset import coreset_size
from patchcore.detector import Detector
from patchcore.errors import Cancelled, DataError, ImageError, SettingsError
from patchcore.evaluation.labelled_image import Labelled
from patchcore.evaluation.metrics import GOOD, image_metrics
from patchcore.evaluation.pixel_metrics import PixelMetrics
from patchcore.evaluation.share_point import GoodSummary, SharePoint
from patchcore.labels.masks import note, sentences
from patchcore.methods import SHARE
from patchcore.patchcore import PatchCore, with_bank
from patchcore.scoring import ImagePatches, anomaly_map
from patchcore.thresholds.decision import recalibrate
from patchcore.thresholds.operating_point import Evidence, OperatingPoint

SMALLEST_SHARE = 0.001
STEPS = 10
TIMED = 5  # images whose search is timed at every share; more images change the median little
PIXEL_SCORES = 2**18  # distinct scores kept at each of ten shares, 60 bytes each


def default_shares(model: PatchCore) -> list[float]:
    """Return about ten shares with equal ratios, from 0.1 % to the largest; the share in use is among them."""
    bank = model.full_bank_
    smallest = min(max(1.0, SMALLEST_SHARE * bank.total_patches), bank.built)
    sizes = {int(size + 1e-9) for size in np.geomspace(smallest, bank.built, STEPS)}
    return [size / bank.total_patches for size in sorted(sizes | {bank.built, model.bank_.built})]


def sweep(
    detector: Detector,
    images: Sequence[Labelled],
    shares: Sequence[float] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    problem: Callable[[str], None] | None = None,
) -> list[SharePoint]:
    """Measure the model at several shares in one pass.

    Parameters
    ----------
    detector
        A fitted model.
    images
        A labelled set, or an empty list. Where labels, good parts, defects or masks are missing, the metrics are
        undefined with the reason. An image that built the bank is scored without its own rows.
    shares
        Each above 0 and at most the largest built; None for `default_shares`.
    progress
        Called with ("scoring", done, total).
    cancelled
        Asked before every image whether to stop.
    problem
        Called with a sentence for every image or mask that could not be used.

    Returns
    -------
    list of SharePoint
        From the smallest share to the largest, each once.

    Raises
    ------
    SettingsError
        No share, or one out of range, or the method keeps no coreset.
    Cancelled
        If `cancelled` said so.
    """
    model = with_bank(detector, SHARE)
    total = model.full_bank_.total_patches
    wanted = {coreset_size(total, share) for share in (default_shares(model) if shares is None else shares)}
    if not wanted:
        raise SettingsError("Name at least one share to measure.")
    levels = [_Level.at(model, size) for size in sorted(wanted)]
    scan = _Scan(model, levels, any(image.is_defect for image in images))
    for done, image in enumerate(images):
        _report(progress, cancelled, done, len(images))
        try:
            scan.add(image)
        except ImageError as fault:
            if problem:
                problem(f"Left out {image.name}: {fault.reason}")
        except DataError as fault:
            if problem:
                problem(f"{image.name}: its mask was not counted. {fault}")
    for sentence in sentences(scan.notes):
        if problem:
            problem(sentence)
    _report(progress, cancelled, len(images), len(images))
    return [scan.point(level) for level in levels]


@dataclass
class _Level:
    """One share, and its scores, pixel counts and search times."""

    model: PatchCore
    scores: list[float]
    pixels: PixelMetrics
    searches: list[float]  # seconds

    @classmethod
    def at(cls, model: PatchCore, rows: int) -> _Level:
        smaller = model.with_coreset(rows / model.full_bank_.total_patches)
        return cls(smaller, [], PixelMetrics(limit=PIXEL_SCORES), [])

    @property
    def bank(self) -> MemoryBank:
        return self.model.bank_


class _Scan:
    """Goes over the images once; levels hold the results of each share, the scan holds the results of all shares."""

    def __init__(self, model: PatchCore, levels: list[_Level], has_defects: bool) -> None:
        self.model, self.levels, self.has_defects = model, levels, has_defects
        starts = [0, *(len(level.bank) for level in levels)]
        self.segments = [
            (start, level.bank.rows(slice(start, None))) for start, level in zip(starts, levels, strict=False)
        ]
        self.types: list[str | None] = []
        self.sha256s: list[str] = []
        self.notes: dict[str, list[str]] = {}
        self.features_took: list[float] = []
        self.maps_took: list[float] = []

    def add(self, image: Labelled) -> None:
        """Score one image at every share.

        Raises
        ------
        ImageError
            It cannot be read; nothing was counted.
        DataError
            Its mask cannot be read or does not fit: its scores were counted, its pixels not.
        """
        began = time.perf_counter()
        loaded = self.model.read(image.source)
        patches = self.model.patches(loaded)
        self.features_took.append(time.perf_counter() - began)
        self.types.append(image.defect_type)
        self.sha256s.append(patches.record.sha256)
        own = set(self.model.numbers_of(loaded))
        at_levels = self._distances(patches, own)
        if len(self.types) <= TIMED:
            self._time(patches)
        self._count_pixels(image, patches, at_levels)

    def _distances(self, patches: ImagePatches, own: set[int]) -> list[NDArray[np.float32]]:
        """Return the patches' distances [P] at every share, and note the scores."""
        nearest = np.full(len(patches.features), np.inf, np.float32)
        rows = np.full(len(nearest), -1, np.int64)
        found = []
        for (start, segment), level in zip(self.segments, self.levels, strict=True):
            others = np.flatnonzero(~np.isin(segment.images, list(own)))
            if len(others):
                part = segment.without_images(own) if own else segment
                new = part.nearest(patches.features, device=self.model.backbone_.device)
                nearer = new.distances[:, 0] < nearest
                nearest = np.where(nearer, new.distances[:, 0], nearest)
                rows = np.where(nearer, start + others[new.rows[:, 0]], rows)
            level.scores.append(self._score(level.bank, own, patches, nearest, rows))
            found.append(nearest)
        return found

    def _score(
        self,
        bank: MemoryBank,
        own: set[int],
        patches: ImagePatches,
        distances: NDArray[np.float32],
        rows: NDArray[np.int64],
    ) -> float:
        worst = int(distances.argmax())
        row, distance = int(rows[worst]), float(distances[worst])
        if row < 0:
            return distance  # infinite: the bank holds only this image's own rows
        if own:
            row = int(np.count_nonzero(~np.isin(bank.images[:row], list(own))))
            bank = bank.without_images(own)
        return self.model.image_score(bank, patches.features[worst], row, distance)

    def _time(self, patches: ImagePatches) -> None:
        """Time a whole search at every share, as in scoring; the pass itself searches each row only once."""
        for level in self.levels:
            began = time.perf_counter()
            level.bank.nearest(patches.features, device=self.model.backbone_.device)
            level.searches.append(time.perf_counter() - began)
        began = time.perf_counter()
        anomaly_map(patches.patch_scores(np.zeros(len(patches.features), np.float32)), patches.placement)
        self.maps_took.append(time.perf_counter() - began)

    def _count_pixels(
        self, image: Labelled, patches: ImagePatches, at_levels: list[NDArray[np.float32]]
    ) -> None:
        """Count pixels at every share; a set without defects, or a defect without a mask, has none to count."""
        try:
            marks = image.mask(patches.placement.original_size) if image.is_defect else None
        except ImageError as fault:
            raise DataError(str(fault)) from fault
        note(self.notes, image.name, marks)
        if not self.has_defects or image.defect_type is None or (image.is_defect and marks is None):
            return
        mask = None if marks is None else marks.pixels
        for level, distances in zip(self.levels, at_levels, strict=True):
            if np.isfinite(distances).all():
                level.pixels.add(anomaly_map(patches.patch_scores(distances), patches.placement), mask)

    def point(self, level: _Level) -> SharePoint:
        """Sum up one share."""
        model, bank = level.model, level.bank
        counted = [
            (score, kind)
            for score, kind in zip(level.scores, self.types, strict=True)
            if kind is not None and np.isfinite(score)
        ]
        threshold, reason = self._threshold(level)
        return SharePoint(
            share=bank.share,
            rows=len(bank),
            megabytes=bank.nbytes / 1e6,
            in_use=len(bank) == len(self.model.bank_),
            cover_radius=model.cover_radius_,
            threshold=threshold,
            reason=reason,
            good_scores=GoodSummary.of(model.profile_.at(len(bank))),
            image=image_metrics([score for score, _ in counted], [kind != GOOD for _, kind in counted]),
            pixels=level.pixels.result(),
            milliseconds=self._milliseconds(level),
        )

    def _milliseconds(self, level: _Level) -> float | None:
        if not level.searches:
            return None
        return 1e3 * (median(self.features_took) + median(self.maps_took) + median(level.searches))

    def _threshold(self, level: _Level) -> tuple[float | None, str]:
        """Apply the reject threshold's own rule to the scores, at this share, of the images that it was set from."""
        point = self.model.operating_point_
        if point is None:
            return None, "No threshold has been set."
        if len(level.bank) == len(self.model.bank_):
            return (None, point.stale) if point.stale else (point.reject, "")
        fresh = recalibrate(_reject_alone(point), self._evidence(point, level), level.model.bank_id_)
        return (None, fresh.stale) if fresh.stale else (fresh.reject, "")

    def _evidence(self, point: OperatingPoint, level: _Level) -> Evidence:
        here = {sha: s for sha, s in zip(self.sha256s, level.scores, strict=True) if np.isfinite(s)}
        good = {sha: score for sha, score in here.items() if sha in point.evidence.good}
        defect = {sha: score for sha, score in here.items() if sha in point.evidence.defect}
        own = level.model.evidence_
        return replace(own, good=good | dict(own.good), defect=defect)


def _reject_alone(point: OperatingPoint) -> OperatingPoint:
    """Return the point without its pixel threshold, which would need every good image's map at every share."""
    return replace(point, pixel=None, pixel_rule=None, judge_by="score")


def _report(
    progress: Callable[[str, int, int], None] | None,
    cancelled: Callable[[], bool] | None,
    done: int,
    total: int,
) -> None:
    if progress:
        progress("scoring", done, total)
    if cancelled and cancelled():
        raise Cancelled("Stopped while measuring the shares.")
