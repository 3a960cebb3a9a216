"""Owns the choice: image AUROC of a network on held-out procedural products."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from patchcore.small_resnet import image_net_normalised
from pretraining.dice import Dice
from pretraining.held_out import SCENES, HeldOut, held_out_product

Features = Callable[[Tensor], Tensor]  # pictures in 0..1 [n, 3, S, S] -> features [n, d, h, w]
Network = Callable[[Tensor], dict[str, Tensor]]


def joined(maps: list[Tensor], unit_depths: bool) -> Tensor:
    """Locally aware features (paper §3.1): 3x3 means, deeper maps resized to the first, concatenated."""
    means = [functional.avg_pool2d(m.float(), 3, 1, 1) for m in maps]
    size = means[0].shape[-2:]
    means = [means[0], *(functional.interpolate(m, size, mode="bilinear") for m in means[1:])]
    return torch.cat([functional.normalize(m, dim=1) for m in means] if unit_depths else means, 1)


def features_of(network: Network, gains: tuple[float, float]) -> Features:
    """Make a function from pictures to joined features, ``layer2`` and ``layer3`` each times its gain."""

    def features(pictures: Tensor) -> Tensor:
        maps = network(image_net_normalised(pictures))
        return joined([maps["layer2"] * gains[0], maps["layer3"] * gains[1]], False)

    return features


def _rows(features: Features, pictures: Tensor) -> Tensor:
    """Features [n, patches, d]."""
    with torch.no_grad():
        parts = [features(part).flatten(2).transpose(1, 2) for part in pictures.split(16)]
    return torch.cat(parts)


def image_scores(features: Features, train: Tensor, tests: Tensor, share: float = 0.1) -> Tensor:
    """Score pictures by their largest patch distance to a random share of the good patches."""
    rows = _rows(features, train).flatten(0, 1)
    bank = rows[Dice(0, 7).order(len(rows))[: int(len(rows) * share)].to(rows.device)]
    return torch.stack([torch.cdist(patches, bank).amin(1).amax() for patches in _rows(features, tests)])


def auroc(good: Tensor, defective: Tensor) -> float:
    """Share of (good, defective) pairs in the right order, ties half."""
    difference = defective[:, None] - good[None, :]
    return float(((difference > 0).float() + 0.5 * (difference == 0).float()).mean())


def held_out_products(size: int = 224, train: int = 24, test: int = 24, seed: int = 0) -> dict[str, HeldOut]:
    """Render all held-out products."""
    return {name: held_out_product(name, train, test, size, seed) for name in SCENES}


def held_out_auroc(features: Features, products: dict[str, HeldOut]) -> dict[str, float]:
    """Image AUROC on each held-out product."""
    result = {}
    for name, product in products.items():
        scores = image_scores(features, product.train, torch.cat([product.good, product.defective]))
        result[name] = auroc(scores[: len(product.good)], scores[len(product.good) :])
    return result


def held_out_means(features: Features, drawings: list[dict[str, HeldOut]]) -> dict[str, object]:
    """Judge by several drawings of the held-out products: each product's mean over them, and the mean of those."""
    areas = [held_out_auroc(features, products) for products in drawings]
    means = {name: sum(each[name] for each in areas) / len(areas) for name in areas[0]}
    return {
        "held_out": {name: round(area, 4) for name, area in means.items()},
        "held_out_mean": round(sum(means.values()) / len(means), 4),
    }
