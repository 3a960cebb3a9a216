"""Owns the look at what limits a backbone on a labelled set: ``python -m pretraining.limits --set FOLDER``.

Every good image there is or every n-th builds a plain bank of patches drawn by chance; said is which kinds of defect
are told, where the patch lies that decides a score, and what the score would be worth without the outermost patches.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from patchcore.backbones import Backbone, load_backbone
from patchcore.features import patch_features
from patchcore.geometry import Geometry, prepare
from patchcore.images import list_images, read_image
from patchcore.mvtec_layout import GOOD, read_layout
from pretraining.dice import Dice
from pretraining.evaluate import auroc

RIM = 2  # outermost rows and columns of patches
SHARE = 0.0625  # of the good patches in the bank


def distances(backbone: Backbone, paths: list[Path], bank: Tensor | None) -> Tensor:
    """Distances [images, rows, cols] of every patch to a bank; the features themselves if there is none."""
    found = []
    for path in paths:
        pixels: NDArray[np.float32] = prepare(read_image(path).pixels, Geometry()).input
        rows = torch.from_numpy(patch_features(backbone, pixels))
        found.append(
            rows if bank is None else torch.cdist(rows.flatten(0, 1), bank).amin(1).view(rows.shape[:2])
        )
    return torch.stack(found)


def on_rim(away: Tensor) -> Tensor:
    """Whether each image's furthest patch lies in its outermost rows or columns: bool [images]."""
    worst = away.flatten(1).argmax(1)
    row, column = worst // away.shape[2], worst % away.shape[2]
    low = torch.minimum(
        torch.minimum(row, column), torch.minimum(away.shape[1] - 1 - row, away.shape[2] - 1 - column)
    )
    return low < RIM


def limits(away: dict[str, Tensor]) -> dict[str, object]:
    """Sum up distances [images, rows, cols] of the good images and of each kind of defect."""
    kinds = [kind for kind in away if kind != GOOD]
    whole = {kind: d.flatten(1).amax(1) for kind, d in away.items()}
    inner = {kind: d[:, RIM:-RIM, RIM:-RIM].flatten(1).amax(1) for kind, d in away.items()}
    return {
        "auroc": round(auroc(whole[GOOD], torch.cat([whole[kind] for kind in kinds])), 3),
        "auroc_of_each_kind": {kind: round(auroc(whole[GOOD], whole[kind]), 3) for kind in kinds},
        "decided_on_the_rim": {kind: round(float(on_rim(d).float().mean()), 2) for kind, d in away.items()},
        "auroc_without_the_rim": round(auroc(inner[GOOD], torch.cat([inner[kind] for kind in kinds])), 3),
    }


def main(argv: list[str] | None = None) -> None:
    """Measure one backbone, or one of its layers, on one set."""
    parser = argparse.ArgumentParser(prog="python -m pretraining.limits", description=__doc__)
    parser.add_argument("--set", type=Path, required=True, help="a labelled set's folder")
    parser.add_argument("--backbone", default="builtin_texture")
    parser.add_argument("--layer", action="append", help="its own layers by default")
    parser.add_argument("--every", type=int, default=2, help="build on every n-th good image")
    arguments = parser.parse_args(argv)
    layers = tuple(arguments.layer) if arguments.layer else None
    backbone = load_backbone(arguments.backbone, layers=layers, device="cpu")
    good = sorted(list_images(arguments.set / "train" / "good"))[:: arguments.every]
    rows = distances(backbone, good, None).flatten(0, 2)
    bank = rows[Dice(0, 7).order(len(rows))[: max(1, int(SHARE * len(rows)))]]
    images = read_layout(arguments.set)
    kinds = sorted({image.defect_type for image in images})
    paths = {kind: [image.path for image in images if image.defect_type == kind] for kind in kinds}
    away = {kind: distances(backbone, of_kind, bank) for kind, of_kind in paths.items()}
    sys.stdout.write(json.dumps(limits(away), indent=1) + "\n")


if __name__ == "__main__":
    main()
