"""The third stage: scores of the good images by a bank without their own rows.

This stage is never divided among processes: its threads already keep all cores busy, and it takes a twentieth of a
build (docs/performance.md), less than the start of a process.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patchcore.bank import MemoryBank
from patchcore.errors import DataError
from patchcore.fitting.feature_store import FeatureStore
from patchcore.fitting.run import FittingRun
from patchcore.images.copy_groups import CopyGroups
from patchcore.leave_one_out import GoodGroups, GoodScores, score_by_groups
from patchcore.scoring import Comparison

LARGEST_CALIBRATION = 400  # good images that are scored leave-one-out; more are sampled by the seed


Compare = Callable[[NDArray[np.float32], NDArray[np.bool_], frozenset[int]], Comparison]
"""Compares features [P, dims] at inspected positions [rows, cols] with the good images except the given numbers."""


@dataclass(frozen=True)
class LeftOut:
    """Scores of good images by the others alone.

    Attributes
    ----------
    images
        [n] int32: numbers of the good images that were scored.
    scores
        [n] float32: their scores, distances before any re-weighting; infinite where no other image is left.
    """

    images: NDArray[np.int32]
    scores: NDArray[np.float32]

    @classmethod
    def of(cls, tensors: Mapping[str, NDArray[Any]]) -> "tuple[LeftOut, LeftOut | None]":
        """Read the scores by the other images, and those by other sessions, from the arrays of a file."""
        images, by_sessions = tensors["good_scores.images"], tensors.get("session_scores.values")
        alone = cls(images, tensors["good_scores.values"])
        return alone, None if by_sessions is None else cls(images, by_sessions)

    def at_least(self, floor: np.float32) -> "LeftOut":
        """Return the same scores, none below a floor."""
        return replace(self, scores=np.maximum(self.scores, floor))


def calibrate(
    run: FittingRun,
    store: FeatureStore,
    bank: MemoryBank,
    groups: CopyGroups,
    kinds: Sequence[GoodGroups],
) -> list[GoodScores]:
    """Score good images without their own rows, with each kind of groups; a seeded sample where there are very many."""
    chosen = calibration_sample(run, groups)
    patches = ((int(i), store.rows(store.images[i])) for i in chosen)
    return score_by_groups(bank, patches, kinds, lambda done: run.report("calibration", done, len(chosen)))


def calibration_sample(run: FittingRun, groups: CopyGroups) -> NDArray[np.int64]:
    """Choose the good images to score, one of each group of near copies: [n] int64 numbers, ascending."""
    shuffled = np.random.default_rng(run.settings.seed).permutation(groups.scored)
    return np.sort(shuffled[:LARGEST_CALIBRATION])


def score_by_others(
    run: FittingRun,
    store: FeatureStore,
    grid: tuple[int, int],
    chosen: NDArray[np.int64],
    groups: GoodGroups,
    compare: Compare,
) -> LeftOut:
    """Score chosen good images with maps of size `grid`, each without the images that `groups` leaves out with it."""
    scores = np.full(len(chosen), np.inf, np.float32)
    for done, number in enumerate(chosen.tolist()):
        run.report("calibration", done, len(chosen))
        image = store.images[number]
        inspected = np.zeros(grid, bool)
        inspected.flat[image.positions] = True
        try:
            found = compare(store.rows(image), inspected, groups.left_out_with(number))
            scores[done] = found.distances.max()
        except DataError:
            continue  # no other image to compare with
    run.report("calibration", len(chosen), len(chosen))
    return LeftOut(chosen.astype(np.int32), scores)
