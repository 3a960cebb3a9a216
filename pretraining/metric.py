"""Owns the trained map of the built-in backbone: ``python -m pretraining.metric --out FOLDER`` makes its weight file.

Network and filters stay as they are, so their answers are computed once; what is trained is the map that patch
features go through, so that patches with a defect come to lie further from a bank of good ones than any good
patch does. Run again, it takes the kept pool and answers.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from patchcore.backbones import PACKAGED_WEIGHTS
from patchcore.metric_resnet import HIDDEN, MetricResNet, PatchMap, metric_resnet
from patchcore.small_resnet import image_net_normalised
from patchcore.weight_files import file_sha256
from pretraining.batches import inspections, learning_rate
from pretraining.dice import Dice
from pretraining.evaluate import joined
from pretraining.objectives import rank
from pretraining.products import Pool, kept_pool
from pretraining.textured import LEAST_SPREAD, save
from pretraining.training import GRADIENT_LIMIT


@dataclass(frozen=True)
class MetricRecipe:
    """Everything that decides the map, beside the network it is trained upon."""

    seed: int = 0
    procedural: int = 2000
    photographed: int = 150
    views: int = 7
    view_size: int = 176
    drawn: int = 1500  # inspections whose answers are kept
    size: int = 144
    good: int = 5
    defective: int = 4
    steps: int = 700
    at_once: int = 4  # inspections in a step
    bank_share: float = 0.3
    rate: float = 1e-3
    warmup: int = 20
    falling_from: float = 0.5
    pull: float = 0.05  # decay of the map towards the one that changes nothing
    kept: float = (
        0.7  # share of what was trained that is kept; the rest of the way is what one set of products taught
    )


SMOKE = MetricRecipe(
    procedural=4, photographed=1, views=3, view_size=80, drawn=3, size=64, good=3, defective=2, steps=4,
    at_once=2, warmup=2,
)  # fmt: skip

PATCH = 8  # px from one patch to the next
Answers = tuple[
    Tensor, Tensor
]  # half [drawn, pictures, patches, dims]; bytes [drawn, defective, S, S], change in 1/255


def answers(network: MetricResNet, pool: Pool, recipe: MetricRecipe) -> Answers:
    """Draw inspections and keep the patch features of all their pictures, before the map."""
    pictures, side = recipe.good + recipe.defective, recipe.size // PATCH
    dims = network.metric.straight.in_channels
    features = torch.empty(recipe.drawn, pictures, side * side, dims, dtype=torch.half)
    changes = torch.empty(recipe.drawn, recipe.defective, recipe.size, recipe.size, dtype=torch.uint8)
    for i in range(recipe.drawn):
        dice = Dice(recipe.seed, 6, i)
        drawn = inspections(dice, pool, 1, recipe.size, recipe.good, recipe.defective)
        with torch.no_grad():
            maps = joined([network(image_net_normalised(drawn.pictures[0]))["metric"]], False)
        features[i] = maps.flatten(2).transpose(1, 2)
        changes[i] = (drawn.change[0] * 255).round()
    return features, changes


class _Shared(nn.Module):
    """The map as it is trained: in changes from the one that does nothing, the hidden layer fed even numbers."""

    def __init__(self, features: Tensor, seed: int) -> None:
        super().__init__()
        some = features[::10, 0, ::5].float().flatten(0, 1)
        self.mean, self.spread = some.mean(0), some.std(0) + LEAST_SPREAD
        dims = features.shape[-1]
        self.change = nn.Parameter(torch.zeros(dims, dims))
        self.inner = nn.Parameter(Dice(seed, 8).normal(HIDDEN, dims) * dims**-0.5)
        self.bias = nn.Parameter(torch.zeros(HIDDEN))
        self.outer = nn.Parameter(torch.zeros(dims, HIDDEN))

    def forward(self, rows: Tensor) -> Tensor:
        even = (rows - self.mean) / self.spread
        return rows + rows @ self.change.t() + torch.relu(even @ self.inner.t() + self.bias) @ self.outer.t()

    def patch_map(self, kept: float = 1.0) -> PatchMap:
        """Write a share of the trained changes as the network's layer."""
        result = PatchMap(len(self.mean))
        inner = self.inner / self.spread
        values = {
            "straight.weight": torch.eye(len(self.mean)) + kept * self.change,
            "inner.weight": inner,
            "inner.bias": self.bias - inner @ self.mean,
            "outer.weight": kept * self.outer,
        }
        shapes = result.state_dict()
        result.load_state_dict(
            {name: value.detach().reshape(shapes[name].shape) for name, value in values.items()}
        )
        return result


def train(
    kept: Answers, recipe: MetricRecipe, progress: Callable[[dict[str, object]], None] | None = None
) -> PatchMap:
    """Train the map on kept answers."""
    features, changes = kept
    shared = _Shared(features, recipe.seed)
    optimiser = torch.optim.AdamW(shared.parameters(), lr=recipe.rate, weight_decay=recipe.pull)
    lately = dict.fromkeys(("loss", "auroc"), 0.0)
    for step in range(recipe.steps):
        dice = Dice(recipe.seed, 7, step)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, recipe.steps, recipe.rate, recipe.warmup, recipe.falling_from)
        chosen = dice.integers(recipe.at_once, below=len(features))
        mapped = shared(features[chosen].float())
        loss, area = rank(mapped, changes[chosen].float() / 255, recipe.bank_share, dice)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(shared.parameters(), GRADIENT_LIMIT)
        optimiser.step()
        keep = min(0.98, step / (step + 1))
        for name, value in (("loss", loss.detach()), ("auroc", area.nan_to_num(1.0))):
            lately[name] = keep * lately[name] + (1 - keep) * float(value)
        if progress and (step + 1) % 100 == 0:
            progress({"step": step + 1} | {name: round(value, 3) for name, value in lately.items()})
    return shared.patch_map(recipe.kept)


def _say(text: object) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _kept_answers(network: MetricResNet, base: Path, folder: Path, recipe: MetricRecipe) -> Answers:
    """Take the answers an earlier start computed, or compute them."""
    numbers = (recipe.seed, recipe.procedural, recipe.photographed, recipe.views, recipe.view_size)
    drawn = (recipe.drawn, recipe.size, recipe.good, recipe.defective)
    path, made_by = folder / "answers.safetensors", f"{numbers} {drawn} {file_sha256(base)}"
    pool = kept_pool(*numbers, folder=folder, progress=lambda n, of: _say(f"rendered {n} of {of} products"))
    if path.exists() and (folder / "answers.txt").read_text() == made_by:
        state = load_file(path)
        return state["features"], state["changes"]
    features, changes = answers(network, pool, recipe)
    save_file({"features": features, "changes": changes}, path)
    (folder / "answers.txt").write_text(made_by)
    return features, changes


def main(argv: list[str] | None = None) -> Path:
    """Render, compute, train, write; return the path of the weights."""
    parser = argparse.ArgumentParser(prog="python -m pretraining.metric", description=__doc__)
    parser.add_argument("--network", type=Path, default=PACKAGED_WEIGHTS / "builtin_texture.safetensors")
    parser.add_argument("--out", type=Path, default=Path("build/metric"), help="folder")
    parser.add_argument("--smoke", action="store_true", help="a few tiny steps, to see that all of it runs")
    parser.add_argument("--steps", type=int, default=None)
    arguments = parser.parse_args(argv)
    recipe = SMOKE if arguments.smoke else MetricRecipe()
    if arguments.steps:
        recipe = replace(recipe, steps=arguments.steps)
    torch.set_num_threads(1)  # the same sums in the same order
    state = load_file(arguments.network)
    network = metric_resnet(state["stem.0.weight"].shape[0])
    network.load_state_dict(state, strict=False)
    arguments.out.mkdir(parents=True, exist_ok=True)
    kept = _kept_answers(network, arguments.network, arguments.out, recipe)
    network.metric.load_state_dict(train(kept, recipe, _say).state_dict())
    path = arguments.out / "builtin_metric.safetensors"
    save(network, path)
    _say(f"{path} sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}")
    return path


if __name__ == "__main__":
    main()
