"""Owns the comparison by which a built-in backbone is chosen: ``python -m pretraining.compare --seed 1 --seed 2``.

Each held-out product is built as an inspector is, features to greedy coreset, and its pieces are scored by their
largest patch distance.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from patchcore.backbones import Backbone, load_backbone, names, spec
from patchcore.bank import MemoryBank
from patchcore.coreset import greedy_order
from patchcore.features import embed
from pretraining.evaluate import auroc
from pretraining.held_out import SCENES, HeldOut, held_out_product

BUILD_ON, TEST_ON = 16, 42  # good pieces; good and as many defective ones, seven of each defect
SHARE = 0.1


def _rows(backbone: Backbone, pictures: Tensor) -> NDArray[np.float32]:
    """Patch features [n, patches, dims]; pictures go through one by one, as they do in a build."""
    return np.stack([embed(backbone, one[None])[0].flatten(0, 1).numpy() for one in pictures])


def product_auroc(backbone: Backbone, product: HeldOut, share: float = SHARE) -> float:
    """Image AUROC on one product with a bank of a share of its good patches."""
    good = np.concatenate(list(_rows(backbone, product.train)))
    order = greedy_order(good, max(1, int(share * len(good))), seed=0)
    bank = MemoryBank(good[order], np.zeros(len(order), np.int32), order.astype(np.int32), len(good))
    pieces = (*_rows(backbone, product.good), *_rows(backbone, product.defective))
    scores = torch.tensor([float(bank.nearest(piece).distances.max()) for piece in pieces])
    return auroc(scores[: len(product.good)], scores[len(product.good) :])


def compare(backbones: list[Backbone], products: dict[str, HeldOut]) -> dict[str, dict[str, float]]:
    """Image AUROC of every backbone on every product, and their mean."""
    table = {}
    for backbone in backbones:
        areas = {name: product_auroc(backbone, product) for name, product in products.items()}
        table[backbone.spec.name] = areas | {"mean": statistics.fmean(areas.values())}
    return table


def main(argv: list[str] | None = None) -> None:
    """Compare those in the repository, for each seed of the products in turn."""
    parser = argparse.ArgumentParser(prog="python -m pretraining.compare", description=__doc__)
    parser.add_argument("--seed", type=int, action="append", required=True, help="of the held-out products")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--build-on", type=int, default=BUILD_ON)
    parser.add_argument("--test-on", type=int, default=TEST_ON)
    arguments = parser.parse_args(argv)
    backbones = [load_backbone(name, device="cpu") for name in names() if spec(name).builtin]
    for seed in arguments.seed:
        drawn = (arguments.build_on, arguments.test_on, arguments.size, seed)
        table = compare(backbones, {name: held_out_product(name, *drawn) for name in SCENES})
        rounded = {name: {k: round(v, 3) for k, v in row.items()} for name, row in table.items()}
        sys.stdout.write(json.dumps({"seed": seed, **rounded}) + "\n")


if __name__ == "__main__":
    main()
