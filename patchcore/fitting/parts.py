"""Extraction in numbered parts by an executor; the features come out as if one process had extracted them.

Parts follow from the hashes of the images alone: sorted by SHA-256, `IN_A_PART` at a time. Each part fills a folder of
features of its own. Afterwards the ordinary extraction goes over all images in the caller's order and finds the
features there, so order, names, twins and skipped images are the same as in a build without parts.

Equality to the bit:

- Builds in parts give the same bank, scores and file (apart from times) for any number of processes, also after a
  process died or the build was interrupted. The features of an image depend on the image alone.
- A build without an executor gives the same bytes if torch computes with one thread there, for any number of parts.
  Torch otherwise uses as many threads as there are cores, and adds in another order: the last bit of a feature may
  differ.

Selection and calibration stay in the process of the build, whose threads take all cores for them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from patchcore.backbones import Backbone
from patchcore.disk import work_notes
from patchcore.disk.work_notes import WorkNotes
from patchcore.errors import NoImagesError
from patchcore.executors import Executor, Report, Run
from patchcore.fitting.extraction import Extracted, extract
from patchcore.fitting.feature_store import FeatureStore
from patchcore.fitting.run import FittingRun
from patchcore.fitting.sources import Source, named, source_sha256
from patchcore.images.reading import array_sha256
from patchcore.kernels.threads import use_threads
from patchcore.settings import Settings

IN_A_PART = 100  # images: few enough that two processes share a small build, enough that batches pay
THREADS = 1  # in the process of a part, on every machine: the last bit of a feature depends on their number


@dataclass(frozen=True)
class ImagePart:
    """One part: its images, and the folder that their features go to."""

    folder: Path
    images: list[tuple[str, Source]]


@dataclass(frozen=True)
class PartExtraction:
    """Extracts parts in a process of their own; calling it loads the backbone there, once.

    Attributes
    ----------
    load
        Loads the backbone; picklable.
    settings, roi
        As for the build.
    key
        Identifies the settings that make the features.
    notes
        Folder of the notes of files in work; None for none.
    """

    load: Callable[[], Backbone]
    settings: Settings
    roi: NDArray[np.bool_] | None
    key: str
    notes: Path | None = None

    def __call__(self) -> Run[ImagePart, None]:
        """Load the backbone; return a function that extracts one part."""
        use_threads(THREADS)
        work_notes.use(None if self.notes is None else WorkNotes(self.notes))
        return partial(_extract_part, FittingRun(self.load(), self.settings, self.roi), self.key)


def _extract_part(run: FittingRun, key: str, part: ImagePart, report: Report) -> None:
    run = replace(run, progress=lambda stage, done, total: report(done))
    with contextlib.suppress(NoImagesError):  # the other parts may hold images that can be used
        extract(run, part.images, FeatureStore(part.folder, key))


def store_with_parts(folder: Path, key: str) -> FeatureStore:
    """Open the store of a build, with the features that parts of an earlier run left beside it."""
    store = FeatureStore(folder, key)
    for part in sorted(folder.glob("part-*")):
        store.include(FeatureStore(part, key))
    return store


def extract_in_parts(
    run: FittingRun,
    images: Iterable[Source | tuple[str, Source]],
    folder: Path,
    key: str,
    executor: Executor,
) -> tuple[FeatureStore, Extracted]:
    """Extract the images' features in parts, then return a store with all of them.

    The images are listed before the first is extracted: paths take least memory.

    Raises
    ------
    NoImagesError
        If no image could be used.
    Cancelled
        If the caller asked to stop.
    WorkerLost
        If the process of a part keeps dying.
    """
    listed = list(map(named, images, count(1)))
    earlier = store_with_parts(folder, key)
    parts, stored = [], 0
    for number, hashes in enumerate(_parts(by_hash := _by_hash(run, listed))):
        missing = [by_hash[sha256] for sha256 in hashes if not earlier.knows(sha256)]
        stored += len(hashes) - len(missing)
        if missing:
            parts.append(ImagePart(folder / f"part-{number:05d}", missing))
    notes = work_notes.of_process()
    work = PartExtraction(
        run.backbone.loader, run.settings, run.roi, key, None if notes is None else notes.folder
    )
    executor.run(work, parts, lambda done: run.report("features", stored + done, len(listed)))
    store = store_with_parts(folder, key)
    extracted = extract(replace(run, progress=None), listed, store)
    run.report("features", len(listed), len(listed))
    return store, extracted


def _by_hash(run: FittingRun, images: list[tuple[str, Source]]) -> dict[str, tuple[str, Source]]:
    """Return the first image of every hash; unreadable files are left to the pass over all images."""
    found: dict[str, tuple[str, Source]] = {}
    for name, source in images:
        run.report("features", 0, len(images))
        sha256 = array_sha256(source) if isinstance(source, np.ndarray) else source_sha256(source)
        if sha256 is not None:
            found.setdefault(sha256, (name, source))
    return found


def _parts(hashes: Iterable[str]) -> list[list[str]]:
    """Divide hashes into parts, by their order."""
    ordered = sorted(hashes)
    return [ordered[start : start + IN_A_PART] for start in range(0, len(ordered), IN_A_PART)]
