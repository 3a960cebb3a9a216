"""One image at a time: the backbone, its features, the search, and the whole score, with each engine and the peer."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.inputs import pictures, wide_weights
from benchmarks.measuring import Peaks, Row, in_turn, seconds, timed
from benchmarks.peers import Peer
from patchcore.backbones import Backbone, load_backbone
from patchcore.bank import MemoryBank
from patchcore.coreset import greedy_k_centre, projection_matrix
from patchcore.features import patch_features
from patchcore.search import RunningSearch
from patchcore.small_resnet import image_net_normalised

ROWS, QUICK_ROWS = 16_000, 4_000
TOLERANCE = 1e-3  # of scores beside the reference: it adds 9 numbers in another order and leaves squares


def measure(folder: Path, peers: dict[str, Peer], peak: Peaks, quick: bool) -> Iterator[Row]:
    """Measure backbone, features, search and score with the paper's network."""
    weights = wide_weights(folder)
    torches = load_backbone("wide_resnet50_2", weights, device="cpu", engine="torch")
    engines = {"torch": torches}
    if find_spec("openvino"):
        engines["openvino"] = load_backbone("wide_resnet50_2", weights, device="cpu", engine="openvino")
    bank = coreset_bank(torches, QUICK_ROWS if quick else ROWS, folder)
    picture = next(pictures(1, seed=7))
    queries = flat(patch_features(torches, picture))
    rounds = 5 if quick else 15
    works = {"backbone": timed(lambda: torches.maps(_batch(picture)))}
    for name, backbone in engines.items():
        works[f"{name} features"] = timed(lambda backbone=backbone: patch_features(backbone, picture))
        works[f"{name} score"] = timed(lambda backbone=backbone: _score(backbone, bank, picture))
    works["search"] = timed(lambda: bank.nearest(queries))
    works["whole search"] = timed(lambda: _whole_search(bank, queries))
    theirs = {}
    reference = peers.get("reference")
    if reference is not None:
        asked = _request(folder, weights, bank, picture)
        works["reference"] = lambda: float(reference.ask(**asked)["seconds"])
        theirs = reference.ask(**asked)
    taken = in_turn(works, rounds)
    least = _flops(torches, picture) / peak.flops
    base, own = taken["backbone"].median, _score(torches, bank, picture)
    yield Row("backbone alone, WideResNet-50-2, 224 px", str(taken["backbone"]), limit=seconds(least))
    for name in engines:
        features = taken[f"{name} features"]
        yield Row(f"features, {name}", f"{features}, {features.median / base:.2f} x the backbone in torch")
    plain, short = taken["whole search"], taken["search"]
    products = 2 * len(queries) * len(bank) * bank.dims / peak.flops
    yield Row(
        f"search, {len(queries)} patches among {len(bank):,} rows of {bank.dims}",
        f"{short}; by whole products {plain.median / short.median:.1f} x that",
        limit=f"whole products: {seconds(products)}",
    )
    for name, backbone in engines.items():
        score = taken[f"{name} score"]
        row = Row(
            f"score of one image, {name}, {len(bank):,} rows",
            f"{score}, {score.median / base:.2f} x the backbone in torch; score off torch's by "
            f"{abs(_score(backbone, bank, picture) / own - 1):.1e}",
            values={"seconds": score.to_dict(), "backbone": base},
        )
        if theirs:
            off = abs(np.sqrt(theirs["score"]) / own - 1)
            row.peers = f"reference {taken['reference']}; root of its score off ours by {off:.1e}"
            row.ratio = f"{taken['reference'].median / score.median:.1f}"
            assert off < TOLERANCE
        yield row


def flat(features: NDArray[np.float32]) -> NDArray[np.float32]:
    return features.reshape(-1, features.shape[2])


def _batch(picture: NDArray[np.float32]) -> torch.Tensor:
    return torch.from_numpy(picture).permute(2, 0, 1)[None]


def _score(backbone: Backbone, bank: MemoryBank, picture: NDArray[np.float32]) -> float:
    return float(bank.nearest(flat(patch_features(backbone, picture))).distances.max())


def _whole_search(bank: MemoryBank, queries: NDArray[np.float32]) -> None:
    search = RunningSearch(queries)
    search.add(bank.features, row_bounds=bank.bounds)


def _flops(backbone: Backbone, picture: NDArray[np.float32]) -> int:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        backbone.network(_batch(picture))
    return int(counter.get_total_flops())


def coreset_bank(backbone: Backbone, rows: int, folder: Path) -> MemoryBank:
    """A coreset of the photographs' patches, as a build would make it; kept in a file."""
    path = folder / f"bank-{rows}.npy"
    if not path.exists():
        every = np.concatenate([flat(patch_features(backbone, p)) for p in pictures(-(-5 * rows // 784))])
        order = greedy_k_centre(every @ projection_matrix(every.shape[1], 0), rows).indices
        np.save(path, every[order])
    numbers = np.zeros(rows, np.int32)
    return MemoryBank(np.load(path), numbers, numbers, 10 * rows)


def _request(
    folder: Path, weights: Path, bank: MemoryBank, picture: NDArray[np.float32]
) -> dict[str, object]:
    image = folder / "image.npy"
    np.save(image, image_net_normalised(_batch(picture)).numpy())
    return {
        "do": "score",
        "weights": str(weights),
        "bank": str(folder / f"bank-{len(bank)}.npy"),
        "image": str(image),
        "threads": torch.get_num_threads(),
    }
