"""Owns the trained map of the built-in backbone: ``python -m pretraining.context --out FOLDER`` makes its weight file.

Network and filters stay as they are; what is trained is the map that their answers go through, so that patches with
a defect come to lie further from a bank of good ones than any good patch does. Every inspection is drawn anew. Run
again, it takes the kept pool and goes on from its last checkpoint.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from patchcore.backbones import PACKAGED_WEIGHTS
from patchcore.context_resnet import ContextMap, ContextResNet, context_resnet
from patchcore.small_resnet import image_net_normalised
from patchcore.textured_resnet import side_by_side
from patchcore.weight_files import file_sha256
from pretraining.batches import inspections, learning_rate
from pretraining.dice import Dice
from pretraining.evaluate import held_out_auroc
from pretraining.held_out import SCENES, HeldOut, held_out_product
from pretraining.objectives import rank
from pretraining.products import Pool, kept_pool
from pretraining.recipe import Recipe
from pretraining.textured import LEAST_SPREAD, save
from pretraining.training import GRADIENT_LIMIT, follow, keep_checkpoint

HELD_OUT_SEEDS = (1, 2)
Progress = Callable[[dict[str, object]], None]


@dataclass(frozen=True)
class ContextRecipe:
    """Everything that decides the map, beside the network it is trained upon."""

    seed: int = 0
    procedural: int = 2000
    photographed: int = 150
    views: int = 7
    view_size: int = 176
    size: int = 144
    good: int = 6
    defective: int = 4
    cracks: float = 0.12  # share of the defects
    steps: int = 2800
    at_once: int = 4  # inspections in a step
    rate: float = 1e-3
    warmup: int = 30
    falling_from: float = 0.6
    pull: float = 0.01  # decay of the map towards the one that changes nothing
    averaging: float = 0.995  # exponential moving average of the weights, a step
    look_every: int = 700  # steps between looks at the held-out products
    pieces: tuple[int, int, int] = (16, 42, 224)  # of those: to build on, good as well as defective, px


SMOKE = ContextRecipe(
    procedural=6, photographed=2, views=6, view_size=80, size=64, good=3, defective=2, steps=4, at_once=2,
    warmup=2, look_every=2, pieces=(2, 2, 64),
)  # fmt: skip


def answers(network: ContextResNet, pictures: Tensor) -> Tensor:
    """What the map is fed for pictures [n, 3, S, S] in 0..1: [n, dims, S/8, S/8]."""
    normalised = image_net_normalised(pictures).contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        return side_by_side(super(ContextResNet, network).forward(normalised))


class Drawn(Dataset[tuple[Tensor, Tensor]]):
    """Inspections by number: answers [pictures, dims, rows, cols], and change [defective, S, S]."""

    def __init__(self, network: ContextResNet, pool: Pool, recipe: ContextRecipe, first: int) -> None:
        self.network, self.pool, self.recipe, self.first = network, pool, recipe, first

    def __len__(self) -> int:
        """Count those that are left."""
        return self.recipe.steps * self.recipe.at_once - self.first

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        """Draw one."""
        recipe = self.recipe
        dice = Dice(recipe.seed, 9, self.first + i)
        drawn = inspections(dice, self.pool, 1, recipe.size, recipe.good, recipe.defective, recipe.cracks)
        return answers(self.network, drawn.pictures[0]), drawn.change[0]


class Learner(nn.Module):
    """The map as it is trained: in changes from the one that does nothing, its hidden layers fed even numbers.

    Parameters
    ----------
    some : Tensor [n, dims, rows, cols]
        Answers whose means and deviations make numbers even.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, some: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", some.mean((0, 2, 3))[:, None, None])
        self.register_buffer("spread", some.std((0, 2, 3))[:, None, None] + LEAST_SPREAD)
        self.map = ContextMap(some.shape[1])
        nn.init.zeros_(self.map.straight.weight)

    def start_from(self, written: ContextMap) -> None:
        """Take a layer's weights; :meth:`written` would give the layer back."""
        self.map.load_state_dict(written.state_dict())
        with torch.no_grad():
            self.map.straight.weight -= nn.init.dirac_(torch.empty_like(self.map.straight.weight))
            for layer in (self.map.inner, self.map.narrow):
                layer.bias += layer.weight[:, :, 0, 0] @ self.mean[:, 0, 0]
                layer.weight *= self.spread

    def forward(self, x: Tensor) -> Tensor:
        """Map answers [n, dims, rows, cols]."""
        mapped: Tensor = x + self.map.straight(x) + self.map.added((x - self.mean) / self.spread)
        return mapped

    def written(self) -> ContextMap:
        """Build the network's layer, which is fed the answers as they are."""
        result = ContextMap(len(self.mean))
        result.load_state_dict(self.map.state_dict())
        with torch.no_grad():
            result.straight.weight += nn.init.dirac_(torch.empty_like(result.straight.weight))
            for layer in (result.inner, result.narrow):
                layer.weight /= self.spread
                layer.bias -= layer.weight[:, :, 0, 0] @ self.mean[:, 0, 0]
        return result


class ContextTraining:
    """A run that can stop at any look and go on from there.

    Parameters
    ----------
    network : ContextResNet
        With its network, filters and gains; its map is what is trained.
    pool : Pool
        The products.
    recipe : ContextRecipe
        The numbers.
    folder : Path
        Where log, checkpoint and weights go.
    made_by : str
        What else decides the map: a checkpoint of another one is refused.
    """

    def __init__(
        self, network: ContextResNet, pool: Pool, recipe: ContextRecipe, folder: Path, made_by: str = ""
    ) -> None:
        torch.manual_seed(recipe.seed)
        self.network, self.pool, self.recipe, self.folder = network, pool, recipe, folder
        self.made_by = f"{made_by} {asdict(recipe)}"
        first = Drawn(network, pool, recipe, 0)
        self.learner = Learner(torch.cat([first[i][0][: recipe.good] for i in range(min(40, len(first)))]))
        self.averaged = {name: value.clone() for name, value in self.learner.state_dict().items()}
        self.optimiser = torch.optim.AdamW(
            self.learner.parameters(), lr=recipe.rate, weight_decay=recipe.pull
        )
        self.step = 0
        self.log: list[dict[str, object]] = []
        self._recent: dict[str, float] = {}
        self._seconds = 0.0

    def run(self, held_out: list[dict[str, HeldOut]], progress: Progress, workers: int = 0) -> None:
        """Train to the recipe's last step, looking at the held-out products now and then."""
        recipe, started = self.recipe, time.perf_counter()
        left = Drawn(self.network, self.pool, recipe, self.step * recipe.at_once)
        for fed, change in DataLoader(left, recipe.at_once, num_workers=workers):
            self._one_step(fed, change)
            self.step += 1
            if self.step % recipe.look_every == 0 or self.step == recipe.steps:
                self._seconds += time.perf_counter() - started
                progress(self._look(held_out))
                started = time.perf_counter()

    def _one_step(self, fed: Tensor, change: Tensor) -> None:
        recipe = self.recipe
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(
                self.step, recipe.steps, recipe.rate, recipe.warmup, recipe.falling_from
            )
        mapped = functional.avg_pool2d(self.learner(fed.flatten(0, 1)), 3, 1, 1)
        rows = mapped.flatten(2).transpose(1, 2).unflatten(0, fed.shape[:2])
        loss, area = rank(rows, change, 1.0, Dice(recipe.seed, 10, self.step))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.learner.parameters(), GRADIENT_LIMIT)
        self.optimiser.step()
        follow(self.averaged, self.learner.state_dict(), recipe.averaging, self.step)
        keep = min(0.99, self.step / (self.step + 1))
        for name, now in (("loss", loss.detach()), ("auroc", area.nan_to_num(1.0))):
            self._recent[name] = keep * self._recent.get(name, 0.0) + (1 - keep) * float(now)

    def averaged_map(self) -> ContextMap:
        """Build the layer of the averaged weights."""
        learner = Learner(torch.zeros(2, len(self.learner.mean), 1, 1))
        learner.load_state_dict(self.averaged)
        return learner.written()

    def _look(self, held_out: list[dict[str, HeldOut]]) -> dict[str, object]:
        """Judge the averaged map on the held-out products; log; keep a checkpoint."""
        layer = self.averaged_map()

        def features(pictures: Tensor) -> Tensor:
            return functional.avg_pool2d(layer(answers(self.network, pictures)), 3, 1, 1)

        areas = [held_out_auroc(features, products) for products in held_out]
        means = {name: sum(each[name] for each in areas) / len(areas) for name in areas[0]}
        entry: dict[str, object] = {"step": self.step, "seconds": round(self._seconds, 1)}
        entry |= {name: round(value, 4) for name, value in self._recent.items()}
        entry["held_out"] = {name: round(value, 4) for name, value in means.items()}
        entry["held_out_mean"] = round(sum(means.values()) / len(means), 4)
        self.log.append(entry)
        text = json.dumps({"recipe": asdict(self.recipe), "log": self.log}, indent=1)
        (self.folder / "log.json").write_text(text + "\n")
        self._keep_checkpoint()
        return entry

    def _keep_checkpoint(self) -> None:
        state = {
            "made_by": self.made_by, "step": self.step, "log": self.log, "recent": self._recent,
            "seconds": self._seconds, "learner": self.learner.state_dict(), "averaged": self.averaged,
            "optimiser": self.optimiser.state_dict(),
        }  # fmt: skip
        keep_checkpoint(state, self.folder)

    def resume(self) -> bool:
        """Go on from the folder's checkpoint; False when there is none.

        Raises
        ------
        ValueError
            The checkpoint belongs to another recipe or another network.
        """
        path = self.folder / "checkpoint.pt"
        if not path.exists():
            return False
        state = torch.load(path, weights_only=True)
        if state["made_by"] != self.made_by:
            raise ValueError(f"{path} belongs to another recipe; choose another folder or remove it")
        self.learner.load_state_dict(state["learner"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.averaged, self.step, self.log = state["averaged"], state["step"], state["log"]
        self._recent, self._seconds = state["recent"], state["seconds"]
        return True


def say(text: object) -> None:
    """Tell the terminal at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def pool_of(recipe: Recipe | ContextRecipe, folder: Path) -> Pool:
    """Take the products that an earlier start rendered into a folder for the same numbers, or render them."""
    numbers = (recipe.seed, recipe.procedural, recipe.photographed, recipe.views, recipe.view_size)
    return kept_pool(*numbers, folder=folder, progress=lambda n, of: say(f"rendered {n} of {of} products"))


def make(start: Path, folder: Path, recipe: ContextRecipe, pool: Pool, workers: int = 0) -> Path:
    """Train the map upon a textured network, or go on training it, and write the finished weight file.

    Parameters
    ----------
    start : Path
        Weights of a textured network (``pretraining/textured.py``).
    folder : Path
        Where log, checkpoint and ``builtin_context.safetensors`` go.
    recipe : ContextRecipe
        The numbers.
    pool : Pool
        The products.
    workers : int
        Processes that draw inspections beside the training; they change no number.
    """
    torch.set_num_threads(1)  # the same sums in the same order
    state = load_file(start)
    network = context_resnet(state["stem.0.weight"].shape[0])
    network.load_state_dict(state, strict=False)
    folder.mkdir(parents=True, exist_ok=True)
    training = ContextTraining(network, pool, recipe, folder, file_sha256(start))
    if training.resume():
        say(f"map: going on from step {training.step}")
    build_on, test_on, size = recipe.pieces
    held_out = [
        {name: held_out_product(name, build_on, test_on, size, seed) for name in SCENES}
        for seed in HELD_OUT_SEEDS
    ]
    training.run(held_out, say, workers)
    network.context.load_state_dict(training.averaged_map().state_dict())
    path = folder / "builtin_context.safetensors"
    save(network, path)
    say(f"{path} sha256 {file_sha256(path)}")
    return path


def main(argv: list[str] | None = None) -> Path:
    """Make the map upon given weights; return the path of the finished ones."""
    parser = argparse.ArgumentParser(prog="python -m pretraining.context", description=__doc__)
    parser.add_argument("--network", type=Path, default=PACKAGED_WEIGHTS / "builtin_texture.safetensors")
    parser.add_argument("--out", type=Path, default=Path("build/context"), help="folder")
    parser.add_argument("--smoke", action="store_true", help="a few tiny steps, to see that all of it runs")
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--workers", type=int, default=0, help="processes that draw; they change no number")
    arguments = parser.parse_args(argv)
    recipe = SMOKE if arguments.smoke else ContextRecipe()
    if arguments.steps:
        recipe = replace(recipe, steps=arguments.steps)
    pool = pool_of(recipe, arguments.out)
    return make(arguments.network, arguments.out, recipe, pool, arguments.workers)


if __name__ == "__main__":
    main()
