"""A GPU beside the processor: the networks, one score, builds.

The whole takes a few minutes at most: parts that have not begun after `ALLOWED` are left out. Times include copies from
and to the GPU, except for rows of the network alone.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from lab.speed.building import Build, apart
from lab.speed.inputs import flat, pictures, wide_weights
from lab.speed.rows import Row
from lab.speed.scoring import PAPERS, QUICK_ROWS, ROWS, coreset_bank
from lab.speed.timing import Work, in_turn, seconds, timed, timed_on
from patchcore.backbones import DEFAULT, Backbone, load_backbone
from patchcore.bank import MemoryBank
from patchcore.features import patch_features

ALLOWED = 200.0  # seconds after which no further part is begun
ONE_BUILD = 140.0  # seconds that a build may take
ROUNDS, ROW_ALLOWED = 15, 3.0  # seconds for each row of the networks
BATCHES = (1, 16)
BANK_PICTURES = 8

Part = Callable[[Path, str, bool], Iterator[Row]]


def measure(folder: Path, quick: bool, device: str = "cuda") -> Iterator[Row]:
    """Measure every part; nothing if the machine lacks the device.

    Parameters
    ----------
    folder
        Folder of the inputs.
    quick
        Small sizes.
    device
        'cuda'; 'cpu' to try the command itself.
    """
    if device.startswith("cuda") and not torch.cuda.is_available():
        print("device is left out: this machine has no GPU.")
        return
    began = time.perf_counter()
    parts: tuple[Part, ...] = (networks, scores, builds)
    for part in parts:
        if time.perf_counter() - began > ALLOWED:
            print(f"{part.__name__} is left out: {ALLOWED:.0f} s are over.")
        else:
            yield from part(folder, device, quick)


def _both(name: str, folder: Path, device: str) -> tuple[Backbone, Backbone]:
    """Load a network on the processor and on the device."""
    weights = wide_weights(folder) if name == PAPERS else None
    here, there = (load_backbone(name, weights, device=where, engine="torch") for where in ("cpu", device))
    return here, there


def networks(folder: Path, device: str, quick: bool) -> Iterator[Row]:
    """Time features and network on both devices, and compare features and distances with the processor's."""
    for name in (DEFAULT,) if quick else (PAPERS, DEFAULT):
        here, there = _both(name, folder, device)
        picture = next(pictures(1, seed=7))
        works = [timed(partial(patch_features, backbone, picture)) for backbone in (here, there)]
        yield _timed(f"features of one image, {name}, {device}", *works)
        for batch in BATCHES:
            images = torch.from_numpy(np.stack(list(pictures(batch, seed=7)))).permute(0, 3, 1, 2)
            alone = timed_on(device, partial(there.maps, images.to(device)))
            yield _timed(
                f"network alone, {name}, {batch} at once, {device}", timed(partial(here.maps, images)), alone
            )
        yield _difference(here, there)


def _timed(work: str, here: Work, there: Work) -> Row:
    taken = in_turn({"here": here, "there": there}, ROUNDS, allowed=ROW_ALLOWED)
    ratio = taken["here"].median / taken["there"].median
    processor = f"processor, {torch.get_num_threads()} threads: {taken['here']}"
    return Row(work, str(taken["there"]), processor, f"{ratio:.1f}")


def _difference(here: Backbone, there: Backbone) -> Row:
    picture, good = next(pictures(1, seed=7)), list(pictures(BANK_PICTURES, seed=1))
    features, found = (flat(patch_features(backbone, picture)) for backbone in (here, there))
    bank, own = _bank(here, good), _bank(there, good)
    exact = bank.nearest(features).distances[:, 0]
    moved = float(np.linalg.norm(found - features) / np.linalg.norm(features))
    loaded, built = (
        np.abs(b.nearest(found).distances[:, 0] - exact).max() / exact.max() for b in (bank, own)
    )
    return Row(
        f"{here.spec.name} in float32 on {there.device}, beside float32 on the processor",
        f"features moved by {moved:.1e} of their length; distances by {loaded:.1e} of the largest from the "
        f"processor's bank, {built:.1e} from its own",
    )


def _bank(backbone: Backbone, good: list[NDArray[np.float32]]) -> MemoryBank:
    rows = np.concatenate([flat(patch_features(backbone, picture)) for picture in good])
    numbers = np.zeros(len(rows), np.int32)
    return MemoryBank(rows, numbers, numbers, len(rows))


def scores(folder: Path, device: str, quick: bool) -> Iterator[Row]:
    """Time one image against a bank on both devices, and the share of the search."""
    rows, picture = QUICK_ROWS if quick else ROWS, next(pictures(1, seed=7))
    for name in (PAPERS, DEFAULT):
        here, there = _both(name, folder, device)
        bank, queries = coreset_bank(there, rows, folder), flat(patch_features(there, picture))
        works = {
            "score": timed(partial(score, there, bank, picture)),
            "processor": timed(partial(score, here, bank, picture)),
            "features": timed(partial(patch_features, there, picture)),
            "search": timed(partial(bank.nearest, queries, device=device)),
            "its search": timed(partial(bank.nearest, queries)),
        }
        taken = in_turn(works, 10, allowed=8)
        found, expected = bank.nearest(queries, device=device), bank.nearest(queries)
        same = bool((found.rows == expected.rows).all() and (found.distances == expected.distances).all())
        off = score(there, bank, picture) / score(here, bank, picture) - 1
        yield Row(
            f"score of one image, {name}, {rows:,} rows, {device}",
            f"{taken['score']}, off the processor's by {abs(off):.1e}; features {taken['features']}; search "
            f"{taken['search']}, {'equal to' if same else 'NOT EQUAL TO'} the processor's",
            f"processor {taken['processor']}; its search {taken['its search']}",
            f"{taken['processor'].median / taken['score'].median:.1f}",
        )


def score(backbone: Backbone, bank: MemoryBank, picture: NDArray[np.float32]) -> float:
    """Score an image where the backbone runs."""
    found = bank.nearest(flat(patch_features(backbone, picture)), device=backbone.device)
    return float(found.distances.max())


def builds(folder: Path, device: str, quick: bool) -> Iterator[Row]:
    """Time whole builds from files, each in a separate process."""
    count = 12 if quick else 1000
    for backbone, share in ((DEFAULT, 0.01), (PAPERS, 0.1)):
        try:
            found = apart(Build(str(folder), count, backbone, 224, share, device), ONE_BUILD)
        except subprocess.TimeoutExpired as error:
            print(f"The build with {backbone} on {device} was stopped after {error.timeout:.0f} s.")
        except subprocess.CalledProcessError as error:
            print(f"The build with {backbone} on {device} broke off:\n{error.stderr}")
        else:
            told = ", ".join(f"{stage} {seconds(took)}" for stage, took in found["stages"].items())
            yield Row(
                f"build, {backbone}, {count:,} images of 224 px, {share:.0%}, {device}",
                f"{seconds(found['seconds'])}: {told}; then {seconds(found['score'])} a score",
                limit=f"network alone: {seconds(found['forward'] * count)}",
            )
