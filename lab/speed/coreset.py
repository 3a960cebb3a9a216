"""The greedy order: time beside the peers' loops, memory, and equality of its picks with the plain algorithm's."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray

from lab.speed.inputs import points
from lab.speed.peers import Peer
from lab.speed.rows import Row
from lab.speed.timing import Peaks, Work, in_turn, seconds, timed
from patchcore.coreset import greedy_k_centre
from patchcore.fitting.divided_coreset import divided_k_centre
from patchcore.kernels.distances import square_distance

SIZES, QUICK_SIZES = (10_000, 50_000, 160_720, 500_000), (10_000, 30_000)
SHARES = (0.01, 0.10)
PLAIN = 4e8  # points times picks up to which the plain algorithm runs beside it
WHOLE = 160_720  # points up to which --full lets a peer's loop run to its end
PEER_PICKS = 500  # picks of a longer loop otherwise: each costs the same


@njit(cache=True, nogil=True)
def plain_greedy(points: NDArray[np.float32], count: int, first: int) -> NDArray[np.int64]:
    """Algorithm 1 of the paper: every point against every pick; of equals the first."""
    nearest, picks, pick = np.full(points.shape[0], np.inf), np.empty(count, np.int64), first
    for k in range(count):
        picks[k] = pick
        nearest[pick] = -1.0
        for i in range(points.shape[0]):
            square = square_distance(points[i], points[pick])
            nearest[i] = min(nearest[i], square)
        pick = int(np.argmax(nearest))
    return picks


def measure(folder: Path, peers: dict[str, Peer], peak: Peaks, quick: bool, full: bool) -> Iterator[Row]:
    """Measure every size and share."""
    for size in QUICK_SIZES if quick else SIZES:
        cloud = points(size, folder)
        for share in SHARES:
            yield _row(cloud, share, folder / f"points-{size}.npy", peers, peak, full)
    cloud = points((QUICK_SIZES if quick else SIZES)[-2], folder)
    yield _unstructured(len(cloud))
    yield _divided(cloud)


def _row(
    cloud: NDArray[np.float32], share: float, path: Path, peers: dict[str, Peer], peak: Peaks, full: bool
) -> Row:
    size, picks = len(cloud), int(len(cloud) * share)
    asked = picks if full and size <= WHOLE else min(picks, PEER_PICKS)
    works: dict[str, Work] = {"here": timed(lambda: greedy_k_centre(cloud, picks))}
    for name, peer in peers.items():
        works[name] = _asking(peer, path, size, asked)
    long = size * picks > PLAIN
    once = size > WHOLE or (long and full)
    taken = in_turn(works, 1 if once else 3, warm_up=not long)
    here = taken.pop("here").median
    theirs = {name: found.median * picks / asked for name, found in taken.items()}
    compared = min(picks, max(1, int(PLAIN / size)))
    order = greedy_k_centre(cloud, picks).indices
    same = bool((plain_greedy(cloud, compared, order[0]) == order[:compared]).all())
    extra = _extra_memory(cloud, picks)
    streamed = cloud.nbytes * picks / peak.bytes
    how = "" if asked == picks else f" (from {asked} picks)"
    return Row(
        f"coreset {size:,} x {cloud.shape[1]}, {picks:,} picks",
        f"{seconds(here)}; {extra / cloud.nbytes:.2f} x the features beside them; first {compared:,} picks "
        f"{'are' if same else 'ARE NOT'} the plain algorithm's",
        "; ".join(f"{name} {seconds(value)}{how}" for name, value in theirs.items()),
        "; ".join(f"{value / here:.0f}" for value in theirs.values()),
        f"reading every point for every pick: {seconds(streamed)}",
        grows=f"patches, {share:.0%}",
        size=size,
        coreset=here,
        **theirs,
    )


def _asking(peer: Peer, path: Path, rows: int, picks: int) -> Work:
    request = {"do": "pick", "points": str(path), "rows": rows, "picks": picks}
    return lambda: float(peer.ask(**request, threads=torch.get_num_threads())["seconds"])


def _extra_memory(cloud: NDArray[np.float32], picks: int) -> int:
    tracemalloc.start()
    greedy_k_centre(cloud, picks)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def _unstructured(size: int) -> Row:
    noise = np.random.default_rng(0).standard_normal((size, 128)).astype(np.float32)
    picks = size // 100
    here = in_turn({"": timed(lambda: greedy_k_centre(noise, picks))}, 1, warm_up=False)[""].median
    return Row(
        f"coreset {size:,} x 128 of pure noise, {picks:,} picks",
        f"{seconds(here)}; the worst case: no coordinate says more than another",
    )


def _divided(cloud: NDArray[np.float32]) -> Row:
    picks, parts = len(cloud) // 100, 5
    exact = greedy_k_centre(cloud, picks).indices
    pieces = [lambda part=part: part for part in np.array_split(cloud, parts)]
    found = divided_k_centre(pieces, picks, 2**32)
    of_exact, of_parts = (_cover_radius(cloud, order) for order in (exact, found.order.indices))
    return Row(
        f"the same in {parts} parts, {len(cloud):,} points, {picks:,} picks",
        f"cover radius {of_parts / of_exact:.3f} x the exact one's; its bound said {found.bound / of_exact:.2f}",
    )


def _cover_radius(cloud: NDArray[np.float32], picks: NDArray[np.int64]) -> float:
    kept = cloud[picks].astype(np.float64)
    squares, farthest = (kept**2).sum(1), 0.0
    for start in range(0, len(cloud), 2048):
        part = cloud[start : start + 2048].astype(np.float64)
        found = (part**2).sum(1)[:, None] + squares - 2 * part @ kept.T
        farthest = max(farthest, float(found.min(1).max()))
    return float(np.sqrt(farthest))
