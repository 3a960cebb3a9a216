"""From good images to stored features; every method learns from these (paper, section 3.1).

Features go to disk as they are computed: one image at a time is in memory.
"""

import contextlib
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from patchcore.executors import Executor
from patchcore.fitting.extraction import Extracted, extract
from patchcore.fitting.feature_store import FeatureStore
from patchcore.fitting.parts import extract_in_parts, store_with_parts
from patchcore.fitting.run import FittingRun
from patchcore.fitting.sources import Source


@contextlib.contextmanager
def prepare_store(
    run: FittingRun,
    images: Iterable[Source | tuple[str, Source]],
    scratch: Path | None = None,
    executor: Executor | None = None,
) -> Iterator[tuple[FeatureStore, Extracted]]:
    """Yield the store with the features of good images, and the other results of extraction.

    Parameters
    ----------
    run
        Backbone, settings, callbacks.
    images
        Sources, or (name, source) pairs.
    scratch
        Folder of the features; an interrupted run goes on from the features that it holds. By default a temporary
        folder, which is removed afterwards.
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
        with tempfile.TemporaryDirectory(prefix="patchcore-", ignore_cleanup_errors=True) as folder:
            yield Path(folder)
