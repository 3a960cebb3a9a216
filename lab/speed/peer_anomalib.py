"""Run by another Python that has anomalib: its greedy loop, on the same points. Started by `lab.speed.peers`."""

import importlib.util
import json
import sys
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import torch

PACKAGES = ("", ".models", ".models.components", ".models.components.sampling")
REDUCTION = ".models.components.dimensionality_reduction"


def sampler():
    """Import the sampler and its needs, without the rest of the package, which requires a training framework."""
    root = Path(importlib.util.find_spec("anomalib").submodule_search_locations[0])
    for name in (*PACKAGES, REDUCTION):
        package = ModuleType(f"anomalib{name}")
        package.__path__ = [str(root.joinpath(*name.split(".")[1:]))]
        sys.modules[package.__name__] = package
    from importlib import import_module

    projection = import_module(f"anomalib{REDUCTION}.random_projection")
    sys.modules[f"anomalib{REDUCTION}"].SparseRandomProjection = projection.SparseRandomProjection
    return import_module("anomalib.models.components.sampling.k_center_greedy").KCenterGreedy


def main() -> None:
    greedy = sampler()
    for line in sys.stdin:
        request = json.loads(line)
        torch.set_num_threads(request["threads"])
        points = torch.from_numpy(np.load(request["points"])[: request["rows"]])
        picking = greedy(points, request["picks"] / len(points) + 1e-9)
        began = time.perf_counter()
        picks = len(picking.select_coreset_idxs())
        taken = time.perf_counter() - began
        answer = {"seconds": taken, "picks": picks, "dims": picking.features.shape[1]}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
