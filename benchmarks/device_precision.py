"""The network on a GPU in full and in less precision: seconds, distances, and how well defects are told from good."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.inputs import WASHERS, pictures, wide_weights
from benchmarks.lowered import PRECISIONS, Upon, lowered
from benchmarks.measuring import Row, Work, in_turn, timed, timed_on, to_dicts
from benchmarks.scoring import flat
from patchcore import PatchCore
from patchcore.backbones import DEFAULT, Backbone, load_backbone
from patchcore.bank import MemoryBank
from patchcore.features import patch_features
from patchcore.images import list_images
from patchcore.metrics import image_metrics
from patchcore.mvtec_layout import LabelledImage, read_layout

PRODUCTS = WASHERS.parents[2]
BATCHES = (1, 16)
ROUNDS, ALLOWED = 15, 3.0  # seconds for each row
BANK_PICTURES = 8


def networks(folder: Path, device: str, quick: bool) -> Iterator[Row]:
    """Time features and network of both backbones, and tell how far less precision moves features and distances."""
    for name in (DEFAULT,) if quick else ("wide_resnet50_2", DEFAULT):
        weights = wide_weights(folder) if name == "wide_resnet50_2" else None
        here, full = (load_backbone(name, weights, device=where, engine="torch") for where in ("cpu", device))
        there = {precision: lowered(full, precision) for precision in PRECISIONS}
        yield _features(here, there)
        for batch in BATCHES:
            yield _network(here, there, batch)
        yield from _differences(here, there)
        yield _on_even_ground(here, there["float32"])


def _features(here: Backbone, there: dict[str, Backbone]) -> Row:
    picture = next(pictures(1, seed=7))
    works = {name: timed(lambda b=b: patch_features(b, picture)) for name, b in there.items()}
    works["processor"] = timed(lambda: patch_features(here, picture))
    return _timed_row(f"features of one image, {here.spec.name}", works, there)


def _network(here: Backbone, there: dict[str, Backbone], batch: int) -> Row:
    images = torch.from_numpy(np.stack(list(pictures(batch, seed=7)))).permute(0, 3, 1, 2)
    works: dict[str, Work] = {}
    for name, backbone in there.items():
        given = images.to(backbone.device)
        works[name] = timed_on(backbone.device, lambda b=backbone, given=given: b.maps(given))
    works["processor"] = timed(lambda: here.maps(images))
    return _timed_row(f"network alone, {here.spec.name}, {batch} at once", works, there)


def _timed_row(work: str, works: dict[str, Work], there: dict[str, Backbone]) -> Row:
    taken = in_turn(works, ROUNDS, allowed=ALLOWED)
    return Row(
        f"{work}, {there['float32'].device}",
        "; ".join(f"{name} {taken[name]}" for name in there),
        f"processor, {torch.get_num_threads()} threads: {taken['processor']}",
        f"{taken['processor'].median / taken['float32'].median:.1f}",
        values={"work": work, "taken": to_dicts(taken)},
    )


def _differences(here: Backbone, there: dict[str, Backbone]) -> Iterator[Row]:
    """How far features and distances are from the processor's."""
    picture, good = next(pictures(1, seed=7)), list(pictures(BANK_PICTURES, seed=1))
    features = flat(patch_features(here, picture))
    bank = _bank(here, good)
    exact = bank.nearest(features).distances[:, 0]
    for precision, backbone in there.items():
        found = flat(patch_features(backbone, picture))
        moved = float(np.linalg.norm(found - features) / np.linalg.norm(features))
        loaded = _apart(bank.nearest(found).distances[:, 0], exact)
        built = _apart(_bank(backbone, good).nearest(found).distances[:, 0], exact)
        yield Row(
            f"{here.spec.name} in {precision} on {backbone.device}, beside float32 on the processor",
            f"features moved by {moved:.1e} of their length; distances by {loaded:.1e} of the largest from the "
            f"processor's bank, {built:.1e} from its own",
            values={"precision": precision, "features": moved, "loaded": loaded, "built": built},
        )


def _on_even_ground(here: Backbone, there: Backbone) -> Row:
    """What rounding alone decides shows where every pixel is alike: the upper half of the picture is white."""
    picture = next(pictures(1, seed=7)).copy()
    picture[: len(picture) // 2] = 1
    features, found = flat(patch_features(here, picture)), flat(patch_features(there, picture))
    length = float(np.linalg.norm(features, axis=1).mean())
    worst = float(np.linalg.norm(found - features, axis=1).max()) / length
    return Row(
        f"{here.spec.name} in float32 on {there.device}, half of the picture an even white",
        f"the patch that differs most from the processor's moved by {worst:.1e} of a feature's mean length",
        values={"worst": worst},
    )


def _bank(backbone: Backbone, good: list[NDArray[np.float32]]) -> MemoryBank:
    rows = np.concatenate([flat(patch_features(backbone, picture)) for picture in good])
    numbers = np.zeros(len(rows), np.int32)
    return MemoryBank(rows, numbers, numbers, len(rows))


def _apart(found: NDArray[np.float32], exact: NDArray[np.float32]) -> float:
    return float(np.abs(found - exact).max() / exact.max())


def _upon(backbone: Backbone, model: Upon) -> Upon:
    """Give the same inspector, its bank as it is, upon another backbone."""
    other = copy(model)
    other.given = backbone
    return other


def accuracy(_folder: Path, device: str, quick: bool) -> Iterator[Row]:
    """Build on the sample products and score them at each precision, beside the processor."""
    here, full = (load_backbone(DEFAULT, device=where, engine="torch") for where in ("cpu", device))
    for product in sorted(path.parents[1] for path in PRODUCTS.glob("*/train/good")):
        good, labelled = list_images(product / "train" / "good"), read_layout(product)
        if quick:
            good, labelled = good[:4], labelled[::6]
        model = Upon(here)
        model.fit(good)
        exact = _Scored.by(model, labelled)
        yield _accuracy(f"{product.name} on the processor", exact, {})
        for precision in PRECISIONS:
            backbone = lowered(full, precision)
            own = _Scored.by(Upon(backbone).fit(good), labelled)
            loaded = _Scored.by(_upon(backbone, model), labelled)
            others = {"built so": exact.beside(own), "only scored so": exact.beside(loaded)}
            yield _accuracy(f"{product.name} in {precision} on {device}", own, others)


@dataclass(frozen=True)
class _Scored:
    """What a model says of labelled images."""

    scores: list[float]
    defects: list[bool]
    maps: list[NDArray[np.float32]]

    @classmethod
    def by(cls, model: PatchCore, labelled: list[LabelledImage]) -> _Scored:
        results = [model.score(image.path) for image in labelled]
        return cls([r.score for r in results], [i.is_defect for i in labelled], [r.map for r in results])

    @property
    def auroc(self) -> float:
        return float(image_metrics(self.scores, self.defects).auroc)

    def beside(self, other: _Scored) -> dict[str, float]:
        """How far another model's scores are from these at most, and its maps, relative to the largest value."""
        largest = max(float(values.max()) for values in self.maps)
        maps = [float(np.abs(a - b).max()) / largest for a, b in zip(self.maps, other.maps, strict=True)]
        scores = max(abs(b / a - 1) for a, b in zip(self.scores, other.scores, strict=True))
        return {"auroc": other.auroc, "scores": scores, "maps": max(maps), "map": float(np.median(maps))}


def _accuracy(work: str, found: _Scored, others: dict[str, dict[str, float]]) -> Row:
    told = [
        f"{how}: image AUROC {off['auroc']:.4f}, scores off the processor's by {off['scores']:.1e} at most, maps by "
        f"{off['maps']:.1e} of the largest value, {off['map']:.1e} in the median image"
        for how, off in others.items()
    ]
    return Row(
        f"build and score, {DEFAULT}, {work}",
        "; ".join(told) or f"image AUROC {found.auroc:.4f}",
        values={"work": work, "auroc": found.auroc, "beside": others},
    )
