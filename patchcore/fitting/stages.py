"""From good images to a bank: stream, extract, choose, calibrate (paper §3.1 and §3.2).

Features go to disk as they are computed. What stays in memory is one image at a time, the projected features during
the greedy search, and the rows that are kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patchcore.backbones import Backbone, file_sha256
from patchcore.bank import MemoryBank
from patchcore.coreset import compile_ahead, coreset_size, greedy_k_centre, projection_matrix
from patchcore.errors import Cancelled, ImageError, NoImagesError
from patchcore.features import patch_features
from patchcore.fitting.batching import AtOnce
from patchcore.fitting.divided_coreset import divided_k_centre, parts_needed
from patchcore.fitting.feature_store import FeatureStore, StoredImage
from patchcore.images.geometry import Prepared, prepare
from patchcore.images.reading import ImageRecord, read_image
from patchcore.kernels.matmul import product
from patchcore.kernels.prefetch import done_ahead
from patchcore.leave_one_out import GoodScores, score_good_images
from patchcore.scoring import inspected_patches
from patchcore.settings import Settings

Source = str | os.PathLike[str] | bytes | NDArray[Any]
"""Whatever an image can be read from."""

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total); total is 0 while unknown."""

CORESET_MEMORY = 4 * 2**30  # bytes while choosing: 7 million patches; of more the choice is made in parts
READ_AHEAD = 6  # images decoded before the network asks for them
LARGEST_CALIBRATION = 400  # good images that are scored leave-one-out; more are sampled by the seed


@dataclass(frozen=True)
class Fitted:
    """What fitting learned.

    Attributes
    ----------
    bank
        At the largest share.
    good_scores
        Leave-one-image-out scores and cover radius at every size of the bank.
    records
        The images that built the bank; their numbers are the bank's `images`.
    skipped
        The images that could not be used, each with its reason.
    grid
        (rows, cols) of the feature map.
    sample
        One good image as the network saw it, for the self-test.
    """

    bank: MemoryBank
    good_scores: GoodScores
    records: list[ImageRecord]
    skipped: list[ImageError]
    grid: tuple[int, int]
    sample: NDArray[np.float32]


@dataclass(frozen=True)
class FittingRun:
    """The things every stage needs."""

    backbone: Backbone
    settings: Settings
    roi: NDArray[np.bool_] | None = None
    progress: Progress | None = None
    cancelled: Callable[[], bool] | None = None
    coreset_memory: int = CORESET_MEMORY

    def report(self, stage: str, done: int, total: int) -> None:
        """Tell the caller how far it is, and stop if the caller asks to."""
        if self.progress:
            self.progress(stage, done, total)
        if self.cancelled and self.cancelled():
            raise Cancelled(f"Stopped while working on {stage}.")

    def features(self, prepared: Prepared) -> NDArray[np.float32]:
        """Patch features of a prepared image: [rows, cols, dims]."""
        return patch_features(self.backbone, prepared.input, self.settings.dims)


def fit(
    run: FittingRun, images: Iterable[Source | tuple[str, Source]], scratch: Path | None = None
) -> Fitted:
    """Build a bank from good images.

    Parameters
    ----------
    run
        Backbone, settings, callbacks.
    images
        Sources, or (name, source) pairs.
    scratch
        Where features are kept while building; a run that was interrupted goes on from what is there. By default
        a temporary folder.

    Raises
    ------
    NoImagesError
        If no image could be used.
    Cancelled
        If the caller asked to stop.
    """
    roi = b"" if run.roi is None else np.packbits(run.roi).tobytes() + str(run.roi.shape).encode()
    key = run.settings.features_key(run.backbone.sha256, roi)
    Thread(target=compile_ahead, daemon=True).start()  # ready when the features are
    with _folder(scratch) as folder:
        store = FeatureStore(folder, key)
        skipped, grid, sample = _extract(run, images, store)
        bank = _choose(run, store)
        scores = _calibrate(run, store, bank)
        records = [ImageRecord.from_dict(image.record) for image in store.images]
    return Fitted(bank, scores, records, skipped, grid, sample)


@contextlib.contextmanager
def _folder(scratch: Path | None) -> Iterator[Path]:
    if scratch is not None:
        yield scratch
    else:
        with tempfile.TemporaryDirectory(prefix="patchcore-") as folder:
            yield Path(folder)


def _extract(
    run: FittingRun, images: Iterable[Source | tuple[str, Source]], store: FeatureStore
) -> tuple[list[ImageError], tuple[int, int], NDArray[np.float32]]:
    """Fill the store; returns what was left out, the feature map's size, and one image as the network saw it."""
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
    return extraction.skipped, extraction.grid, extraction.sample


@dataclass
class _Extraction:
    """Brings images into the store, in their order, a few at once through the network."""

    run: FittingRun
    store: FeatureStore
    at_once: AtOnce
    skipped: list[ImageError] = field(default_factory=list)
    grid: tuple[int, int] = (0, 0)
    sample: NDArray[np.float32] | None = None
    _seen: dict[str, str] = field(default_factory=dict)
    _waiting: list[tuple[ImageRecord, Prepared]] = field(default_factory=list)

    def take(self, read: _Read) -> None:
        """Take an image; its features may have to wait for those of the next ones."""
        if read.stored and self.sample is not None and read.stored not in self._seen:
            self._seen[read.stored] = read.name
            self.finish()
            self.store.reuse(read.stored)
            return
        try:
            record, prepared = read.finished(self.run)
            if (twin := self._seen.setdefault(record.sha256, read.name)) != read.name:
                raise ImageError(read.name, f"the same file as {twin}; each image counts once.")
            if isinstance(prepared, ImageError):
                raise prepared
        except ImageError as error:
            self.skipped.append(error)
            return
        if self.sample is None:
            self.sample = prepared.input
        if self.store.knows(record.sha256):
            self.finish()
            if self.grid == (0, 0):  # nothing has been computed that tells it
                self.grid = self.run.features(prepared).shape[:2]
            self.store.reuse(record.sha256)
        else:
            self._waiting.append((record, prepared))
            if len(self._waiting) == self.at_once.size:
                self.finish()

    def finish(self) -> None:
        """Compute the features of those that wait and store them."""
        waiting, self._waiting = self._waiting, []
        found = self.at_once.features([prepared.input for _, prepared in waiting])
        for (record, prepared), features in zip(waiting, found, strict=True):
            self.grid = (features.shape[0], features.shape[1])
            kept = inspected_patches(prepared.valid, self.grid)
            self.store.append(record.sha256, features, kept, record.to_dict())


def named(item: Source | tuple[str, Source], number: int) -> tuple[str, Source]:
    """Give an image a name if it came without: its file's, or its place in the list."""
    if isinstance(item, tuple):
        return item
    return (f"image {number}" if isinstance(item, bytes | np.ndarray) else Path(item).name), item


@dataclass(frozen=True)
class _Read:
    """An image as read ahead: decoded and prepared, or known to the store, or why neither."""

    name: str
    source: Source
    stored: str | None = None  # SHA-256 of an image whose features an interrupted run left
    result: tuple[ImageRecord, Prepared | ImageError] | ImageError | None = None

    def finished(self, run: FittingRun) -> tuple[ImageRecord, Prepared | ImageError]:
        """Give what was read, reading it now where that was put off; what keeps it from being prepared comes back."""
        if self.result is None:
            return _decode(run, self.name, self.source)
        if isinstance(self.result, ImageError):
            raise self.result
        return self.result


def _decode(run: FittingRun, name: str, source: Source) -> tuple[ImageRecord, Prepared | ImageError]:
    image = read_image(source, name=name, value_range=run.settings.value_range)
    try:
        return image.record, prepare(image.pixels, run.settings.geometry_of_input(), run.roi)
    except ImageError as error:
        return image.record, error


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


def source_sha256(source: Source) -> str | None:
    """Hash a file or its bytes without decoding; None for an array or a file that cannot be read."""
    if isinstance(source, np.ndarray):
        return None
    try:
        return hashlib.sha256(source).hexdigest() if isinstance(source, bytes) else file_sha256(Path(source))
    except OSError:
        return None  # reading it properly will say what is wrong


def _choose(run: FittingRun, store: FeatureStore) -> MemoryBank:
    """Pick the coreset at the largest share, in greedy order."""
    order, total = _greedy_order(run, store), len(store)
    number, within = store.locate(order)
    kept = {i: store.images[i].positions for i in set(number.tolist())}
    positions = np.array([kept[i][j] for i, j in zip(number.tolist(), within, strict=True)], np.int32)
    return MemoryBank(store.take(order), number.astype(np.int32), positions, total)


def _greedy_order(run: FittingRun, store: FeatureStore) -> NDArray[np.int64]:
    """Order the rows on their projection; in parts where it is larger than memory is allowed for it."""
    settings, total = run.settings, len(store)
    matrix = projection_matrix(store.dims, settings.seed)
    count, dims = coreset_size(total, settings.coreset), store.dims if matrix is None else matrix.shape[1]
    progress = partial(run.report, "coreset")
    progress(0, count)  # projecting is the first part of it
    divided = parts_needed(total, dims, run.coreset_memory)
    if divided == 1:
        points = _projected(store, store.images, matrix, dims)
        return greedy_k_centre(points, count, settings.seed, progress, run.cancelled).indices
    ends = [len(store.images) * i // divided for i in range(divided + 1)]
    parts = [
        partial(_projected, store, store.images[start:end], matrix, dims)
        for start, end in pairwise(ends)
        if end > start
    ]
    found = divided_k_centre(parts, count, run.coreset_memory, settings.seed, progress, run.cancelled)
    return found.order.indices


def _projected(
    store: FeatureStore, images: list[StoredImage], matrix: NDArray[np.float32] | None, dims: int
) -> NDArray[np.float32]:
    out = np.empty((sum(image.count for image in images), dims), np.float32)
    start = 0
    for image in images:
        rows = store.rows(image)
        out[start : start + len(rows)] = rows if matrix is None else product(rows, matrix)
        start += len(rows)
    return out


def _calibrate(run: FittingRun, store: FeatureStore, bank: MemoryBank) -> GoodScores:
    """Score good images without their own rows; a seeded sample of them where there are very many."""
    count = min(len(store.images), LARGEST_CALIBRATION)
    chosen = np.sort(np.random.default_rng(run.settings.seed).permutation(len(store.images))[:count])
    patches = ((int(i), store.rows(store.images[i])) for i in chosen)
    return score_good_images(bank, patches, lambda done: run.report("calibration", done, count))
