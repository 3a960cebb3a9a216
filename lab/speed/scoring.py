"""One image at a time: the backbone, its features, the search, and the whole score, with each engine and the peer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.flop_counter import FlopCounterMode

from lab.speed.inputs import flat, pictures, projected, wide_weights
from lab.speed.peers import Peer
from lab.speed.rows import Row
from lab.speed.timing import Peaks, Taken, Work, in_turn, seconds, timed
from patchcore.backbones import DEFAULT, Backbone, load_backbone, spec
from patchcore.bank import MemoryBank
from patchcore.coreset import greedy_k_centre
from patchcore.features import patch_features
from patchcore.kernels.search import RunningSearch

PAPERS = "wide_resnet50_2"
ROWS, QUICK_ROWS = 16_000, 4_000
TOLERANCE = (
    1e-3  # tolerance of scores beside the reference, which adds 9 numbers in another order and leaves squares
)


@dataclass(frozen=True)
class Subject:
    """A measured network: in torch and with the installed engines, and its bank."""

    name: str
    weights: Path | None
    engines: dict[str, Backbone]
    bank: MemoryBank

    @classmethod
    def load(cls, name: str, rows: int, folder: Path) -> Subject:
        """Load the network with each engine and make its bank."""
        weights = wide_weights(folder) if name == PAPERS else None
        engines = {
            engine: load_backbone(name, weights, device="cpu", engine=engine)
            for engine in ("torch", "openvino")
            if find_spec(engine)
        }
        return cls(name, weights, engines, coreset_bank(engines["torch"], rows, folder))

    def works(self, picture: NDArray[np.float32]) -> dict[str, Work]:
        """The timed works, by names that begin with the network's."""
        torches, bank = self.engines["torch"], self.bank
        queries = flat(patch_features(torches, picture))
        works = {f"{self.name} alone": timed(lambda: torches.maps(_batch(picture)))}
        for engine, backbone in self.engines.items():
            works[f"{self.name} {engine} features"] = timed(partial(patch_features, backbone, picture))
            works[f"{self.name} {engine} score"] = timed(partial(_score, backbone, bank, picture))
        works[f"{self.name} search"] = timed(lambda: bank.nearest(queries))
        works[f"{self.name} whole search"] = timed(lambda: _whole_search(bank, queries))
        return works


def measure(folder: Path, peers: dict[str, Peer], peak: Peaks, quick: bool) -> Iterator[Row]:
    """Measure network, features, search and score with the paper's network and the default one, in one run."""
    rows = QUICK_ROWS if quick else ROWS
    subjects = [Subject.load(name, rows, folder) for name in (PAPERS, DEFAULT)]
    picture = next(pictures(1, seed=7))
    works = {name: work for subject in subjects for name, work in subject.works(picture).items()}
    theirs = {}
    if reference := peers.get("reference"):
        asked = _request(folder, subjects[0], picture)
        works["reference"] = lambda: float(reference.ask(**asked)["seconds"])
        theirs = reference.ask(**asked)
    taken = in_turn(works, 5 if quick else 15)
    papers = taken[f"{PAPERS} torch score"].median
    for subject in subjects:
        peer = (theirs["score"], taken["reference"]) if theirs and subject.name == PAPERS else None
        yield from _rows(subject, taken, peak, picture, papers, peer)


def _rows(
    subject: Subject,
    taken: dict[str, Taken],
    peak: Peaks,
    picture: NDArray[np.float32],
    papers: float,
    peer: tuple[float, Taken] | None,
) -> Iterator[Row]:
    name, bank, torches = subject.name, subject.bank, subject.engines["torch"]
    base, own = taken[f"{name} alone"], _score(torches, bank, picture)
    least = seconds(_flops(torches, picture) / peak.flops)
    yield Row(f"network alone, {name}, 224 px", str(base), limit=least)
    for engine in subject.engines:
        features = taken[f"{name} {engine} features"]
        yield Row(
            f"features, {name}, {engine}",
            f"{features}, {features.median / base.median:.2f} x the network alone",
        )
    plain, short = taken[f"{name} whole search"], taken[f"{name} search"]
    products = 2 * int(np.prod(_grid(torches, picture))) * len(bank) * bank.dims / peak.flops
    yield Row(
        f"search, {name}, one image's patches among {len(bank):,} rows of {bank.dims}",
        f"{short}; by whole products {plain.median / short.median:.1f} x that",
        limit=f"whole products: {seconds(products)}",
    )
    for engine, backbone in subject.engines.items():
        score = taken[f"{name} {engine} score"]
        beside = ratio = ""
        if peer:
            off = abs(np.sqrt(peer[0]) / own - 1)
            assert off < TOLERANCE
            beside = f"reference {peer[1]}; root of its score off ours by {off:.1e}"
            ratio = f"{peer[1].median / score.median:.1f}"
        yield Row(
            f"score of one image, {name}, {engine}, {len(bank):,} rows",
            f"{score}, {score.median / base.median:.2f} x and {seconds(score.median - base.median)} more than the "
            f"network alone; {papers / score.median:.1f} times as quick as the paper's network in torch; score off "
            f"torch's by {abs(_score(backbone, bank, picture) / own - 1):.1e}",
            beside,
            ratio,
        )


def _grid(backbone: Backbone, picture: NDArray[np.float32]) -> tuple[int, int]:
    rows, columns, _ = patch_features(backbone, picture).shape
    return rows, columns


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
    path = _bank_path(folder, backbone.spec.name, rows)
    if not path.exists():
        every = np.concatenate([flat(patch_features(backbone, p)) for p in pictures(-(-5 * rows // 784))])
        order = greedy_k_centre(projected(every), rows).indices
        np.save(path, every[order])
    numbers = np.zeros(rows, np.int32)
    return MemoryBank(np.load(path), numbers, numbers, 10 * rows)


def _bank_path(folder: Path, name: str, rows: int) -> Path:
    return folder / f"bank-{name}-{rows}.npy"


def _request(folder: Path, subject: Subject, picture: NDArray[np.float32]) -> dict[str, object]:
    image = folder / "image.npy"
    np.save(image, spec(subject.name).normalisation(_batch(picture)).numpy())
    return {
        "do": "score",
        "weights": str(subject.weights),
        "bank": str(_bank_path(folder, subject.name, len(subject.bank))),
        "image": str(image),
        "threads": torch.get_num_threads(),
    }
