"""The first stage: images become patch features in a store, one image in memory at a time (paper, section 3.1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from patchcore.errors import ImageError, NoImagesError
from patchcore.fitting.batching import AtOnce
from patchcore.fitting.feature_store import FeatureStore
from patchcore.fitting.run import FittingRun
from patchcore.fitting.sources import Source, named, source_sha256
from patchcore.images.geometry import Prepared, prepare
from patchcore.images.harmless_copies import harmless_copies
from patchcore.images.reading import ImageRecord, exact_copy, in_work, read_image
from patchcore.kernels.prefetch import done_ahead
from patchcore.plausibility.measures import measure
from patchcore.scoring import inspected_patches

SAMPLED = 3  # images of which harmless copies are rendered
READ_AHEAD = 6  # images decoded before the network asks for them

Harmless = tuple[list[NDArray[np.float32]], list[NDArray[np.float32]]]
"""Gentle and rough copies of an image, each as the network sees it, [S, S, 3]."""


@dataclass(frozen=True)
class Extracted:
    """Results of extraction beside the features.

    Attributes
    ----------
    records
        The images in the store, in its order.
    skipped
        The images that could not be used, each with its reason.
    grid
        (rows, cols) of the feature map.
    sample
        One good image as the network saw it, for the self-test.
    harmless
        For each of the first images in the store, its gentle and its rough copies.
    """

    records: list[ImageRecord]
    skipped: list[ImageError]
    grid: tuple[int, int]
    sample: NDArray[np.float32]
    harmless: list[Harmless]


def extract(run: FittingRun, images: Iterable[Source | tuple[str, Source]], store: FeatureStore) -> Extracted:
    """Fill the store with the images' features, in their order.

    Raises
    ------
    NoImagesError
        If no image could be used.
    Cancelled
        If the caller asked to stop.
    """
    total = len(images) if isinstance(images, Sized) else 0
    settings = run.settings
    at_once = AtOnce(run.backbone, settings.image_size, settings.dims, total)
    extraction = _Extraction(run, store, at_once)
    for number, read in enumerate(_read_ahead(run, images, store), start=1):
        run.report("features", number - 1, total)
        extraction.take(read)
    extraction.finish()
    if extraction.sample is None:
        reasons = "; ".join(str(error) for error in extraction.skipped[:3])
        raise NoImagesError(
            "No image could be used to build on." + (f" {reasons}" if reasons else " Add good images.")
        )
    run.report("features", total, total)
    records = [ImageRecord.from_dict(image.record) for image in store.images]
    return Extracted(records, extraction.skipped, extraction.grid, extraction.sample, extraction.harmless)


@dataclass
class _Extraction:
    """Puts images' features into the store, in the images' order, a batch at a time."""

    run: FittingRun
    store: FeatureStore
    at_once: AtOnce
    skipped: list[ImageError] = field(default_factory=list)
    grid: tuple[int, int] = (0, 0)
    sample: NDArray[np.float32] | None = None
    harmless: list[Harmless] = field(default_factory=list)
    _names: dict[str, str] = field(default_factory=dict)  # by the hash of the pixels
    _waiting: list[tuple[ImageRecord, Prepared]] = field(default_factory=list)

    def take(self, read: _Read) -> None:
        """Take an image; its features may be computed later, in a batch with the next images."""
        sampled = len(self.harmless) == SAMPLED
        if read.stored and sampled and self.store.pixels_of(read.stored) not in self._names:
            self._names[self.store.pixels_of(read.stored)] = read.name
            self.finish()
            self.store.reuse(read.stored)
            return
        try:
            record, prepared = read.finished(self.run)
            if (twin := self._names.get(record.pixel_sha256)) is not None:
                raise ImageError(read.name, exact_copy(twin))
            self._names[record.pixel_sha256] = read.name
            if isinstance(prepared, ImageError):
                raise prepared
        except ImageError as error:
            self.skipped.append(error)
            return
        if self.sample is None:
            self.sample = prepared.input
        if not sampled:
            self.harmless.append(_harmless(self.run, read.source))
        if self.store.knows(record.sha256):
            self.finish()
            if self.grid == (0, 0):  # no image has been computed in this run
                self.grid = self.run.features(prepared).shape[:2]
            self.store.reuse(record.sha256)
        else:
            self._waiting.append((record, prepared))
            if len(self._waiting) == self.at_once.size:
                self.finish()

    def finish(self) -> None:
        """Compute and store the features of the waiting images."""
        waiting, self._waiting = self._waiting, []
        found = self.at_once.features([prepared.input for _, prepared in waiting])
        for (record, prepared), features in zip(waiting, found, strict=True):
            self.grid = (features.shape[0], features.shape[1])
            kept = inspected_patches(prepared.valid, self.grid)
            measures = measure(prepared.input, prepared.valid)
            self.store.append(record.sha256, features, kept, record.to_dict(), measures)


@dataclass(frozen=True)
class _Read:
    """An image read ahead: decoded and prepared, known to the store, or the reason why neither."""

    name: str
    source: Source
    stored: str | None = None  # SHA-256 of an image whose features an interrupted run left
    result: tuple[ImageRecord, Prepared | ImageError] | ImageError | None = None

    def finished(self, run: FittingRun) -> tuple[ImageRecord, Prepared | ImageError]:
        """Return record and prepared image, or the error of preparing; an image known to the store is read now."""
        if self.result is None:
            return _decode(run, self.name, self.source)
        if isinstance(self.result, ImageError):
            raise self.result
        return self.result


def _decode(run: FittingRun, name: str, source: Source) -> tuple[ImageRecord, Prepared | ImageError]:
    with in_work(source_sha256(source), name):
        image = read_image(source, name=name, value_range=run.settings.value_range)
        try:
            return image.hashed_record, prepare(image.pixels, run.settings.geometry_of_input(), run.roi)
        except ImageError as error:
            return image.hashed_record, error


def _harmless(run: FittingRun, source: Source) -> Harmless:
    """Return harmless copies of an image that could be used, as the network sees them."""
    pixels = read_image(source, value_range=run.settings.value_range).pixels
    geometry = run.settings.geometry_of_input()
    return harmless_copies(pixels, lambda copy: prepare(copy, geometry, run.roi).input)


def _read_ahead(
    run: FittingRun, images: Iterable[Source | tuple[str, Source]], store: FeatureStore
) -> Iterator[_Read]:
    """Decode and prepare the next few images in a thread of their own while the network works, order kept."""

    def read(item: tuple[str, Source]) -> _Read:
        name, source = item
        if store.resumes and (sha256 := source_sha256(source)) and store.knows(sha256):
            return _Read(name, source, stored=sha256)
        try:
            return _Read(name, source, result=_decode(run, name, source))
        except ImageError as error:
            return _Read(name, source, result=error)

    return done_ahead(read, map(named, images, range(1, 1 << 62)), threads=1, waiting=READ_AHEAD)
