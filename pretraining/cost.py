"""Owns the cost figures of the model card: ``python -m pretraining.cost`` times the networks in turn, on one image."""

from __future__ import annotations

import json
import statistics
import sys
import time

import torch
from torch import nn
from torchvision import models

from patchcore.backbones import Trunk
from patchcore.context_resnet import context_resnet, whole_resnet
from patchcore.metric_resnet import metric_resnet
from patchcore.small_resnet import parameter_count, small_resnet
from patchcore.textured_resnet import textured_resnet

LAYERS = ("layer2", "layer3")


def networks() -> dict[str, nn.Module]:
    """Return the built-in networks and the paper's, cut after their last used layer; the weights do not matter."""
    wide = Trunk(models.wide_resnet50_2(weights=None), LAYERS)
    return {
        "builtin": small_resnet(),
        "builtin_texture": textured_resnet(),
        "builtin_metric": metric_resnet(),
        "builtin_context": context_resnet(),
        "builtin_whole": whole_resnet(),
        "wide_resnet50_2": wide.eval(),
    }


def measure(size: int = 224, rounds: int = 10) -> dict[str, dict[str, float]]:
    """Median wall and processor time of one image, in turn, and the size of the weights.

    Returns
    -------
    dict
        For each network milliseconds, processor milliseconds, millions of parameters, MiB of float32 weights.
    """
    nets = {name: net.to(memory_format=torch.channels_last) for name, net in networks().items()}
    image = torch.rand(1, 3, size, size).contiguous(memory_format=torch.channels_last)
    wall: dict[str, list[float]] = {name: [] for name in nets}
    processor: dict[str, list[float]] = {name: [] for name in nets}
    with torch.inference_mode():
        for turn in range(rounds + 2):
            for name, net in nets.items():
                started, used = time.perf_counter(), time.process_time()
                net(image)
                if turn >= 2:  # the first two warm up
                    wall[name].append(time.perf_counter() - started)
                    processor[name].append(time.process_time() - used)
    return {
        name: {
            "milliseconds": round(1000 * statistics.median(wall[name]), 1),
            "processor_milliseconds": round(1000 * statistics.median(processor[name]), 1),
            "parameters_millions": round(parameter_count(net) / 1e6, 2),
            "weights_mib": round(parameter_count(net) * 4 / 2**20, 1),
        }
        for name, net in nets.items()
    }


if __name__ == "__main__":
    torch.set_num_threads(2)
    sys.stdout.write(json.dumps(measure(), indent=1) + "\n")
