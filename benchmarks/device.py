"""A GPU beside the processor: the greedy order, the network, one score, builds, and what less precision would do.

All of it takes a few minutes at most: long works are given so many seconds, and what has not been begun when
`ALLOWED` is over is left out. Times include copies from and to the GPU unless a row says that it is the network alone.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.building import Build, apart
from benchmarks.device_precision import accuracy, networks
from benchmarks.inputs import pictures, points, wide_weights
from benchmarks.measuring import Row, Work, in_turn, seconds, timed, timed_on, to_dicts
from benchmarks.scoring import QUICK_ROWS, ROWS, coreset_bank, flat
from patchcore.backbones import DEFAULT, Backbone, load_backbone
from patchcore.bank import MemoryBank
from patchcore.coreset import greedy_k_centre
from patchcore.features import patch_features

ALLOWED = 200.0  # seconds after which no further part is begun
ONE_BUILD = 40.0  # seconds that a build may take
SIZES, QUICK_SIZES = ((160_720, 0.01), (160_720, 0.10), (500_000, 0.01)), ((6_000, 0.01), (6_000, 0.10))
FEW_THREADS = 2  # of a small machine that has a GPU

Part = Callable[[Path, str, bool], Iterator[Row]]


def measure(folder: Path, quick: bool, device: str = "cuda") -> Iterator[Row]:
    """Measure every part; nothing where the device is not there.

    Parameters
    ----------
    folder
        Where inputs are kept.
    quick
        Small sizes.
    device
        'cuda'; 'cpu' to try the benchmark itself.
    """
    if device.startswith("cuda") and not torch.cuda.is_available():
        print("device is left out: this machine has no GPU.")
        return
    began = time.perf_counter()
    parts: tuple[Part, ...] = (networks, coresets, one_score, accuracy, builds)
    for part in parts:
        if time.perf_counter() - began > ALLOWED:
            print(f"{part.__name__} is left out: {ALLOWED:.0f} s are over.")
        else:
            yield from part(folder, device, quick)


def coresets(folder: Path, device: str, quick: bool) -> Iterator[Row]:
    """The greedy order here and there, beside the plain loop of the paper there."""
    sizes = QUICK_SIZES if quick else SIZES
    cloud = points(max(size for size, _ in sizes), folder, device)
    for size, share in sizes:
        yield _coreset(np.ascontiguousarray(cloud[:size]), int(size * share), device)


def _coreset(cloud: NDArray[np.float32], picks: int, device: str) -> Row:
    first = int(greedy_k_centre(cloud, 1).indices[0])
    there = torch.from_numpy(cloud).to(device)
    works: dict[str, Work] = {
        "device": timed(lambda: greedy_k_centre(cloud, picks, device=device)),
        "processor": timed(lambda: greedy_k_centre(cloud, picks)),
        "few": timed(lambda: _on_few_threads(cloud, picks)),
        "plain": timed_on(device, lambda: plain_on(there, picks, first)),
    }
    taken = in_turn(works, 3, allowed=5)
    order = greedy_k_centre(cloud, picks).indices
    same = bool((greedy_k_centre(cloud, picks, device=device).indices == order).all())
    plain = plain_on(there, picks, first).cpu().numpy()
    equal, shared = int((plain == order).sum()), len(np.intersect1d(plain, order))
    here = taken["device"].median
    return Row(
        f"coreset {len(cloud):,} x {cloud.shape[1]}, {picks:,} picks, compared on {device}",
        f"{taken['device']}; its picks {'are' if same else 'ARE NOT'} the processor's",
        f"processor, {torch.get_num_threads()} threads: {taken['processor']}; {FEW_THREADS} threads: {taken['few']}; "
        f"plain loop on {device}: {taken['plain']}, {equal:,} of its picks the same, {shared:,} in any order",
        "; ".join(f"{taken[name].median / here:.2f}" for name in ("processor", "few", "plain")),
        values={
            "size": len(cloud),
            "picks": picks,
            "same": same,
            "plain_equal": equal,
            "plain_shared": shared,
            "taken": to_dicts(taken),
        },
    )


def _on_few_threads(cloud: NDArray[np.float32], picks: int) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(FEW_THREADS)
    try:
        greedy_k_centre(cloud, picks)
    finally:
        torch.set_num_threads(threads)


def plain_on(cloud: torch.Tensor, picks: int, first: int) -> torch.Tensor:
    """Algorithm 1 of the paper on the cloud's device: each pick reads every point once, and nothing waits for it.

    Squares are expanded, |x|² - 2 x·y + |y|², in single precision; near ties may come out in any order.
    """
    norms = cloud.square().sum(1)
    nearest = torch.full_like(norms, torch.inf)
    chosen = torch.empty(picks, dtype=torch.int64, device=cloud.device)
    pick = torch.tensor([first], device=cloud.device)
    for k in range(picks):
        chosen[k : k + 1] = pick
        squares = torch.addmv(norms, cloud, cloud.index_select(0, pick)[0], alpha=-2)
        torch.minimum(nearest, squares + norms.index_select(0, pick), out=nearest)
        nearest.index_fill_(0, pick, -torch.inf)
        pick = nearest.argmax(0, keepdim=True)
    return chosen


def one_score(folder: Path, device: str, quick: bool) -> Iterator[Row]:
    """One image against a bank, here and there, and what the search is of it."""
    weights, rows = wide_weights(folder), QUICK_ROWS if quick else ROWS
    there = load_backbone("wide_resnet50_2", weights, device=device, engine="torch")
    here = load_backbone("wide_resnet50_2", weights, device="cpu", engine="torch")
    bank, picture = coreset_bank(there, rows, folder), next(pictures(1, seed=7))
    queries = flat(patch_features(there, picture))
    taken = in_turn(
        {
            "score": timed(lambda: score(there, bank, picture)),
            "processor": timed(lambda: score(here, bank, picture)),
            "features": timed(lambda: patch_features(there, picture)),
            "search": timed(lambda: bank.nearest(queries, device=device)),
            "its search": timed(lambda: bank.nearest(queries)),
        },
        10,
        allowed=8,
    )
    ours, theirs = taken["score"], taken["processor"]
    found, expected = bank.nearest(queries, device=device), bank.nearest(queries)
    same = bool((found.rows == expected.rows).all() and (found.distances == expected.distances).all())
    off = score(there, bank, picture) / score(here, bank, picture) - 1
    yield Row(
        f"score of one image, WideResNet-50-2, {rows:,} rows, {device}",
        f"{ours}, off the processor's by {abs(off):.1e}; features {taken['features']}; search {taken['search']}, "
        f"{'equal to' if same else 'NOT EQUAL TO'} the processor's",
        f"processor {theirs}; its search {taken['its search']}",
        f"{theirs.median / ours.median:.1f}",
        values={"rows": rows, "off": off, "same": same, "taken": to_dicts(taken)},
    )


def score(backbone: Backbone, bank: MemoryBank, picture: NDArray[np.float32]) -> float:
    """Score an image where the backbone runs."""
    found = bank.nearest(flat(patch_features(backbone, picture)), device=backbone.device)
    return float(found.distances.max())


def builds(folder: Path, device: str, quick: bool) -> Iterator[Row]:
    """Whole builds from files, each in a process of its own."""
    count = 12 if quick else 1000
    for backbone, share in ((DEFAULT, 0.01), ("wide_resnet50_2", 0.1)):
        try:
            yield _build(apart(Build(folder, count, backbone, 224, share, device, ONE_BUILD)), device)
        except subprocess.TimeoutExpired as error:
            print(f"The build with {backbone} on {device} was stopped after {error.timeout:.0f} s.")
        except subprocess.CalledProcessError as error:
            print(f"The build with {backbone} on {device} broke off:\n{error.stderr}")


def _build(found: dict[str, Any], device: str) -> Row:
    told = ", ".join(f"{stage} {seconds(took)}" for stage, took in found["stages"].items())
    if "reached" in found:
        stage, (done, total) = list(found["reached"].items())[-1]
        told += f"; stopped there after {ONE_BUILD:.0f} s, at {done:,} of {total:,} ({stage})"
    chosen = found.get("coreset_on_the_processor")
    return Row(
        f"build, {found['backbone']}, {found['images']:,} images of 224 px, {found['share']:.0%}, {device}",
        f"{seconds(found['seconds'])}: {told}; then {seconds(found['score'])} a score",
        "" if chosen is None else f"coreset on the processor, from the same features: {seconds(chosen)}",
        limit=f"network alone: {seconds(found['forward'] * found['images'])}",
        values={"device": device, **found},
    )
