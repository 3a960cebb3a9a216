"""Owns the trained map of the built-in backbone: ``python -m pretraining.context --out FOLDER`` makes its weight file.

Network and filters stay as they are; what is trained is the map that their answers go through, so that patches with
a defect come to lie further from a bank of good ones than any good patch does. Every inspection is drawn anew. Run
again, it takes the kept pool and goes on from its last checkpoint.
"""

from __future__ import annotations

import argparse
from abc import abstractmethod
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader

from patchcore.backbones import PACKAGED_WEIGHTS
from patchcore.context_resnet import ContextMap, ContextResNet, context_resnet
from patchcore.small_resnet import image_net_normalised
from patchcore.textured_resnet import side_by_side
from patchcore.weight_files import file_sha256
from pretraining.batches import DrawnInspections
from pretraining.dice import Dice
from pretraining.evaluate import Features, held_out_products
from pretraining.held_out import HeldOut
from pretraining.objectives import rank
from pretraining.products import Pool
from pretraining.recipe import InspectionRecipe, smoke
from pretraining.runs import Progress, Run, pool_of, say
from pretraining.textured import LEAST_SPREAD, save

HELD_OUT_SEEDS = (1, 2)


@dataclass(frozen=True)
class ContextRecipe(InspectionRecipe):
    """Everything that decides the map, beside the network it is trained upon."""

    seed: int = 0
    procedural: int = 2000
    photographed: int = 150
    views: int = 7
    view_size: int = 176
    good: int = 6
    defective: int = 4
    steps: int = 2800
    at_once: int = 4
    rate: float = 1e-3
    warmup: int = 30
    falling_from: float = 0.6
    averaging: float = 0.995
    look_every: int = 700


SMOKE = smoke(ContextRecipe())


def normalised(pictures: Tensor) -> Tensor:
    """Prepare pictures [n, 3, S, S] in 0..1 for the network."""
    return image_net_normalised(pictures).contiguous(memory_format=torch.channels_last)


def answers(network: ContextResNet, pictures: Tensor) -> Tensor:
    """What the map is fed for pictures [n, 3, S, S] in 0..1: [n, dims, S/8, S/8]."""
    with torch.no_grad():
        return side_by_side(super(ContextResNet, network).forward(normalised(pictures)))


def features_by(network: ContextResNet) -> Features:
    """Make the function from pictures to their mapped features, each patch's the mean with those around it."""
    return lambda pictures: functional.avg_pool2d(network(normalised(pictures))["context"], 3, 1, 1)


def judged_on(pieces: tuple[int, int, int]) -> list[dict[str, HeldOut]]:
    """Draw the held-out products that looks judge, once for each seed."""
    build_on, test_on, size = pieces
    return [held_out_products(size, build_on, test_on, seed) for seed in HELD_OUT_SEEDS]


class Drawn(DrawnInspections):
    """Inspections by number: answers [pictures, dims, rows, cols], and change [defective, S, S]."""

    def __init__(self, network: ContextResNet, pool: Pool, recipe: ContextRecipe, first: int) -> None:
        super().__init__(pool, recipe, first, stream=9)
        self.network = network

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        """Draw one."""
        pictures, change = self.draw(i)
        return answers(self.network, pictures), change


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


class InspectionRun(Run):
    """A run that ranks the patches of whole inspections; a subclass says what of the network is trained."""

    recipe: InspectionRecipe

    @abstractmethod
    def averaged_network(self) -> ContextResNet:
        """Build the network of the averaged weights, on the processor."""

    def features(self) -> Features:
        """Map by the averaged weights."""
        return features_by(self.averaged_network())

    def save_weights(self, path: Path) -> None:
        """Write the network of the averaged weights."""
        save(self.averaged_network(), path)

    def _learn_ranking(self, features: Tensor, change: Tensor, stream: int) -> None:
        """Rank patches [inspections * pictures, dims, rows, cols], the bank being all good ones, and learn from it."""
        rows = features.flatten(2).transpose(1, 2).unflatten(0, (len(change), -1))
        loss, area = rank(rows, change, 1.0, Dice(self.recipe.seed, stream, self.step))
        self._learn(loss)
        self._note(min(0.99, self.step / (self.step + 1)), loss=loss, auroc=area.nan_to_num(1.0))


class ContextTraining(InspectionRun):
    """The run that trains the map.

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
    start : str
        SHA-256 of the network's weights.
    """

    recipe: ContextRecipe

    def __init__(
        self, network: ContextResNet, pool: Pool, recipe: ContextRecipe, folder: Path, start: str = ""
    ) -> None:
        super().__init__(recipe, folder, start=start)
        self.network, self.pool = network, pool
        first = Drawn(network, pool, recipe, 0)
        self.learn_by(Learner(torch.cat([first[i][0][: recipe.good] for i in range(min(40, len(first)))])))

    def learn_by(self, learner: Learner) -> None:
        """Train this one, from its present state on."""
        self.learner = learner
        group = {
            "params": list(learner.parameters()), "peak": self.recipe.rate, "weight_decay": self.recipe.pull
        }  # fmt: skip
        self.trains(learner, [group])

    def run(self, held_out: list[dict[str, HeldOut]], progress: Progress, workers: int = 0) -> None:
        """Train to the recipe's last step, looking at the held-out products now and then."""
        left = Drawn(self.network, self.pool, self.recipe, self.step * self.recipe.at_once)
        self._steps(DataLoader(left, self.recipe.at_once, num_workers=workers), held_out, progress)

    def _one_step(self, fed: Tensor, change: Tensor) -> None:
        mapped = functional.avg_pool2d(self.learner(fed.flatten(0, 1)), 3, 1, 1)
        self._learn_ranking(mapped, change, stream=10)

    def averaged_network(self) -> ContextResNet:
        """Build the network with the map of the averaged weights."""
        learner = Learner(torch.zeros(2, len(self.learner.mean), 1, 1))
        learner.load_state_dict(self.averaged)
        network = deepcopy(self.network)
        network.context = learner.written()
        return network


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
    training = ContextTraining(network, pool, recipe, folder, file_sha256(start))
    if training.resume():
        say(f"map: going on from step {training.step}")
    training.run(judged_on(recipe.pieces), say, workers)
    path = folder / "builtin_context.safetensors"
    training.save_weights(path)
    say(f"{path} sha256 {file_sha256(path)}")
    return path


def main(argv: list[str] | None = None) -> Path:
    """Make the map upon given weights; return the path of the finished ones."""
    parser = argparse.ArgumentParser(prog="python -m pretraining.context", description=__doc__)
    parser.add_argument("--network", type=Path, default=PACKAGED_WEIGHTS / "builtin_texture.safetensors")
    parser.add_argument("--out", type=Path, default=Path("build/context"), help="folder")
    parser.add_argument("--smoke", action="store_true", help="a few tiny steps, to see that all of it runs")
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument(
        "--workers", type=int, default=0, help="processes that render and draw; they change no number"
    )
    arguments = parser.parse_args(argv)
    recipe = SMOKE if arguments.smoke else ContextRecipe()
    if arguments.steps:
        recipe = replace(recipe, steps=arguments.steps)
    pool = pool_of(recipe, arguments.out, arguments.workers)
    return make(arguments.network, arguments.out, recipe, pool, arguments.workers)


if __name__ == "__main__":
    main()
