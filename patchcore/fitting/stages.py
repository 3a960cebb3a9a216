"""From good images to a bank: extract, choose, calibrate (paper, sections 3.1 and 3.2).

Features go to disk as they are computed. What stays in memory is one image at a time, the projected features during
the greedy search, and the rows that are kept. Another method learns from the same features: :func:`prepare_store`
gives them.
"""

import contextlib
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import numpy as np
from numpy.typing import NDArray

from patchcore.bank import MemoryBank
from patchcore.coreset import compile_ahead
from patchcore.errors import ImageError
from patchcore.executors import Executor
from patchcore.fitting.calibration import calibrate
from patchcore.fitting.extraction import Extracted, extract
from patchcore.fitting.feature_store import FeatureStore
from patchcore.fitting.parts import extract_in_parts, store_with_parts
from patchcore.fitting.run import FittingRun
from patchcore.fitting.selection import choose
from patchcore.fitting.sources import Source
from patchcore.images.reading import ImageRecord
from patchcore.leave_one_out import GoodScores


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


def fit(
    run: FittingRun,
    images: Iterable[Source | tuple[str, Source]],
    scratch: Path | None = None,
    executor: Executor | None = None,
) -> Fitted:
    """Build a bank from good images.

    Parameters
    ----------
    run
        Backbone, settings, callbacks.
    images, scratch, executor
        As for :func:`prepare_store`.

    Raises
    ------
    NoImagesError
        If no image could be used.
    Cancelled
        If the caller asked to stop.
    """
    Thread(target=compile_ahead, daemon=True).start()  # ready when the features are
    with prepare_store(run, images, scratch, executor) as (store, extracted):
        bank = choose(run, store)
        scores = calibrate(run, store, bank)
    return Fitted(bank, scores, extracted.records, extracted.skipped, extracted.grid, extracted.sample)


@contextlib.contextmanager
def prepare_store(
    run: FittingRun,
    images: Iterable[Source | tuple[str, Source]],
    scratch: Path | None = None,
    executor: Executor | None = None,
) -> Iterator[tuple[FeatureStore, Extracted]]:
    """Give the features of good images on disk, and what was found while extracting them.

    Parameters
    ----------
    run
        Backbone, settings, callbacks.
    images
        Sources, or (name, source) pairs.
    scratch
        Folder of the features; a run that was interrupted goes on from the features that are there. By default
        a temporary folder, which is removed afterwards.
    executor
        Where parts of the images are extracted, see :mod:`patchcore.fitting.parts`; None for this process, image by
        image.

    Raises
    ------
    NoImagesError
        If no image could be used.
    Cancelled
        If the caller asked to stop.
    WorkerLost
        If the process of a part keeps dying.
    """
    roi = b"" if run.roi is None else np.packbits(run.roi).tobytes() + str(run.roi.shape).encode()
    key = run.settings.features_key(run.backbone.sha256, roi)
    with _folder(scratch) as folder:
        if executor is None:
            store = store_with_parts(folder, key)
            yield store, extract(run, images, store)
        else:
            yield extract_in_parts(run, images, folder, key, executor)


@contextlib.contextmanager
def _folder(scratch: Path | None) -> Iterator[Path]:
    if scratch is not None:
        yield scratch
    else:
        with tempfile.TemporaryDirectory(prefix="patchcore-") as folder:
            yield Path(folder)
