"""Owns the gains of the textured backbone: ``python -m pretraining.textured --out FILE`` makes its weight file.

No training: the network's weights are taken as they are, and each of its parts is scaled by what good patches differ
by on rendered training products. The weights of the parts were chosen on the held-out products.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from patchcore.backbones import PACKAGED_WEIGHTS
from patchcore.small_resnet import image_net_normalised
from patchcore.textured_resnet import TexturedResNet, textured_resnet
from pretraining.evaluate import joined
from pretraining.products import fill_pool

PARTS = {"layer2": 1.0, "layer3": 0.5, "texture": 1.0, "colour": 0.25}  # weight of each in a patch feature
TEXTURE_CHANNELS = 33  # of the filters; what follows is colour contrast
TESTED, EVERY = 2, 4  # views whose every fourth patch is looked up among those of the other views
LEAST_SPREAD = 1e-3

Parts = dict[str, Tensor]  # name -> [views, channels, rows, cols]


def patch_parts(network: TexturedResNet, views: Tensor) -> Parts:
    """Locally aware features of one product's views [n, 3, S, S] in 0..1, one map for each part."""
    with torch.no_grad():
        maps = network(image_net_normalised(views))
    shallow = maps["layer2"]
    names = {"layer2": shallow, "layer3": maps["layer3"], "filters": maps["filters"]}
    means = {name: joined([shallow, m], False)[:, shallow.shape[1] :] for name, m in names.items()}
    texture, colour = means["filters"].split(
        [TEXTURE_CHANNELS, means["filters"].shape[1] - TEXTURE_CHANNELS], 1
    )
    return {"layer2": means["layer2"], "layer3": means["layer3"], "texture": texture, "colour": colour}


def spread(maps: list[Tensor]) -> Tensor:
    """Deviation of each channel over all patches of all products: [channels]."""
    rows = torch.cat([m.transpose(0, 1).flatten(1) for m in maps], 1)
    return rows.std(1).clamp_min(LEAST_SPREAD)


def typical_distance(maps: Tensor) -> float:
    """Mean distance of a good patch to the nearest patch of the product's other views [n, c, h, w]."""
    rows = maps.flatten(2).transpose(1, 2)
    tests, others = rows[:TESTED].flatten(0, 1)[::EVERY], rows[TESTED:].flatten(0, 1)
    return float(torch.cdist(tests, others).amin(1).mean())


def set_gains(network: TexturedResNet, products: list[Tensor]) -> None:
    """Scale every filter to unit deviation, then every part to its weight at the typical distance's median.

    Parameters
    ----------
    network
        With gains of one; they are set.
    products
        For each product its views, float32 [n, 3, S, S] in 0..1, n > 2.
    """
    measured = [patch_parts(network, views) for views in products]
    for name, weight in PARTS.items():
        maps = [parts[name] for parts in measured]
        channels = torch.ones(maps[0].shape[1])
        if name in ("texture", "colour"):
            channels = 1 / spread(maps)
        scaled = [m * channels[:, None, None] for m in maps]
        typical = torch.tensor([typical_distance(m) for m in scaled]).median()
        _store(network, name, channels * weight / typical)


def _store(network: TexturedResNet, part: str, gains: Tensor) -> None:
    if part in ("layer2", "layer3"):
        network.gains[("layer2", "layer3").index(part)] = gains[0]
    elif part == "texture":
        network.filters.gains[:TEXTURE_CHANNELS] = gains
    else:
        network.filters.gains[TEXTURE_CHANNELS:] = gains


def save(network: TexturedResNet, path: Path) -> None:
    """Write the weights; the trained ones in half precision, filters and gains in single."""
    fixed = {name for name, _ in network.filters.named_buffers(prefix="filters")} | {"gains"}
    state = network.state_dict().items()
    halved = {name: v.half() if v.is_floating_point() and name not in fixed else v for name, v in state}
    save_file({name: value.contiguous() for name, value in halved.items()}, path)


def make(start: Path, products: int, size: int, path: Path) -> Path:
    """Measure the gains of a network's parts on rendered products and write the file."""
    torch.set_num_threads(1)  # the same sums in the same order
    trained = load_file(start)
    network = textured_resnet(trained["stem.0.weight"].shape[0])
    network.load_state_dict(trained, strict=False)
    pool = fill_pool(1, products, 0, 6, size)
    set_gains(network, [views.float() / 255 for views in pool.pictures])
    save(network, path)
    return path


def main(argv: list[str] | None = None) -> None:
    """Measure the gains and write the file."""
    parser = argparse.ArgumentParser(prog="python -m pretraining.textured", description=__doc__)
    parser.add_argument("--network", type=Path, default=PACKAGED_WEIGHTS / "builtin.safetensors")
    parser.add_argument("--products", type=int, default=40)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args(argv)
    make(arguments.network, arguments.products, arguments.size, arguments.out)
    sys.stdout.write(f"{arguments.out} sha256 {hashlib.sha256(arguments.out.read_bytes()).hexdigest()}\n")


if __name__ == "__main__":
    main()
