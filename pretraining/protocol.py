"""Owns the model card's table: every backbone on every set, several seeds, by the project's own build and evaluate.

``python -m pretraining.protocol --set NAME=FOLDER [...] --out docs/backbone_table.json``; each finished row is kept
at once and not measured again, so the command can be stopped and repeated.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from patchcore.backbones import Backbone, load_backbone, names, spec
from patchcore.detector import PatchCore
from patchcore.evaluation import evaluate
from patchcore.images import list_images
from patchcore.mvtec_layout import read_layout
from pretraining.baselines import FilterBank, calibrated, random_network, rendered_pictures


class Measured(PatchCore):
    """A detector with default settings upon a given backbone."""

    def __init__(self, backbone: Backbone, seed: int) -> None:
        super().__init__(seed=seed)
        self.measured = backbone

    @property
    def backbone_(self) -> Backbone:
        """The backbone that is measured."""
        return self.measured


def _wrapped(name: str, like: str, network: nn.Module, layers: tuple[str, ...]) -> Backbone:
    """Give a network the feature settings of a registered backbone."""
    entry = replace(spec(like), name=name, layers=layers)
    return Backbone(entry, network, layers, torch.device("cpu"), name)


def _random(name: str) -> Callable[[int], Backbone]:
    return lambda seed: _wrapped(
        f"random {name} {seed}", name, random_network(name, seed, rendered_pictures()), ("layer2", "layer3")
    )


def _filters(seed: int) -> Backbone:
    backbone = _wrapped("filter bank", "builtin", calibrated(FilterBank(), rendered_pictures()), ("layer2",))
    return replace(backbone, spec=replace(backbone.spec, unit_depths=False))


def _from_file(name: str, path: str) -> Callable[[int], Backbone]:
    like = name if name in names() else "builtin"
    return lambda seed: load_backbone(like, path, device="cpu")


BACKBONES: dict[str, Callable[[int], Backbone]] = {
    "builtin": lambda seed: load_backbone("builtin", device="cpu"),
    "builtin_context": lambda seed: load_backbone("builtin_context", device="cpu"),
    "builtin_metric": lambda seed: load_backbone("builtin_metric", device="cpu"),
    "builtin_texture": lambda seed: load_backbone("builtin_texture", device="cpu"),
    "builtin_whole": lambda seed: load_backbone("builtin_whole", device="cpu"),
    "filters": _filters,
    "random_resnet18": _random("resnet18"),
    "random_wide_resnet50_2": _random("wide_resnet50_2"),
}


def measure(backbone: Backbone, folder: Path, seed: int) -> dict[str, Any]:
    """Build on a set's good images and evaluate on its labelled ones, with default settings.

    Returns
    -------
    dict
        Image AUROC (overall and per defect type), pixel AUROC, AUPRO, seconds.
    """
    good = folder / "train" / "good"
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        images = [(str(path.relative_to(good)), path) for path in list_images(good)]
        model = Measured(backbone, seed).fit(images, scratch=Path(scratch))
    built = time.perf_counter()
    result = evaluate(model, read_layout(folder)).to_dict()
    return {
        "image": result["image"],
        "pixel": result["pixel"],
        "types": {name: value["image"] for name, value in result["types"].items()},
        "build_seconds": round(built - started, 1),
        "evaluate_seconds": round(time.perf_counter() - built, 1),
    }


def main(argv: list[str] | None = None) -> None:
    """Measure what the table lacks."""
    parser = argparse.ArgumentParser(prog="python -m pretraining.protocol", description=__doc__)
    parser.add_argument("--set", action="append", required=True, metavar="NAME=FOLDER", help="a labelled set")
    parser.add_argument("--backbone", action="append", metavar="NAME[=FILE]", help="all by default")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args(argv)
    rows = json.loads(arguments.out.read_text()) if arguments.out.exists() else {}
    for choice in arguments.backbone or BACKBONES:
        name, _, file = choice.partition("=")
        make = _from_file(name, file) if file else BACKBONES[name]
        for entry in arguments.set:
            label, _, folder = entry.partition("=")
            for seed in range(arguments.seeds):
                key = f"{name}/{label}/{seed}"
                if key in rows:
                    continue
                rows[key] = measure(make(seed), Path(folder), seed)
                arguments.out.write_text(json.dumps(rows, indent=1, sort_keys=True) + "\n")
                sys.stdout.write(f"{key}: image AUROC {rows[key]['image'].get('auroc')}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
