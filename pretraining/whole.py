"""Owns the last stage of the built-in backbone: ``python -m pretraining.whole --out FOLDER`` makes its weight file.

What the stages before made one after the other, network and map, learns together here: the ranking reaches the network
through the map. Filters, gains and batch-norm statistics stay. All steps take 8 minutes on one H200 GPU with 15
``--workers``, and about 12 hours on two processor cores with one (7.5 s a step). Run again, it takes the kept products
and goes on from its last checkpoint.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.utils.data import DataLoader

from patchcore.backbones import PACKAGED_WEIGHTS
from patchcore.context_resnet import ContextResNet, whole_resnet
from patchcore.weight_files import file_sha256
from pretraining.batches import DrawnInspections
from pretraining.context import InspectionRun, Learner, answers, features_by, judged_on
from pretraining.held_out import HeldOut
from pretraining.products import Pool
from pretraining.recipe import InspectionRecipe, smoke
from pretraining.runs import Progress, pool_of, say

UNDECIDED = 10**9  # steps of a run whose length is set on the way


@dataclass(frozen=True)
class WholeRecipe(InspectionRecipe):
    """Everything that decides the finished network, beside the one it starts from."""

    seed: int = 1  # other products than those of the stages before
    procedural: int = 6000
    photographed: int = 400
    views: int = 9
    view_size: int = 176
    good: int = 8
    defective: int = 4
    steps: int = 5618
    at_once: int = 16
    network_rate: float = 3e-4
    map_rate: float = 5e-4
    warmup: int = 100
    falling_from: float = 0.6
    averaging: float = 0.998
    look_every: int = 1000


SMOKE = smoke(WholeRecipe())


class Drawn(DrawnInspections):
    """Inspections by number: pictures, uint8 [pictures, 3, S, S], and change [defective, S, S]."""

    def __init__(self, pool: Pool, recipe: WholeRecipe, first: int) -> None:
        super().__init__(pool, recipe, first, stream=11)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        """Draw one."""
        pictures, change = self.draw(i)
        return (pictures * 255).round().byte(), change


class WholeTraining(InspectionRun):
    """The run that trains network and map together.

    Parameters
    ----------
    start : Path
        Weights of a network with its map (``pretraining/context.py``).
    pool : Pool
        The products.
    recipe : WholeRecipe
        The numbers.
    folder : Path
        Where log, checkpoint and weights go.
    device : str
        ``"cpu"`` or ``"cuda"``.
    seconds : float
        If given, how long the training takes, about: the recipe's steps give way to those there is time for.
    """

    recipe: WholeRecipe

    def __init__(
        self,
        start: Path,
        pool: Pool,
        recipe: WholeRecipe,
        folder: Path,
        device: str = "cpu",
        seconds: float = 0.0,
    ) -> None:
        recipe = replace(recipe, steps=UNDECIDED) if seconds else recipe
        super().__init__(recipe, folder, device, file_sha256(start))
        self.pool, self.seconds = pool, seconds
        self.network = self._network(load_file(start))
        learner = self._learner().to(device)
        self.network.to(device, memory_format=torch.channels_last).add_module("context", learner)
        trunk = [weight for name, weight in self.network.named_parameters() if not name.startswith("context")]
        self.trains(
            self.network,
            [
                {"params": trunk, "peak": recipe.network_rate, "weight_decay": 0.0},
                {
                    "params": list(learner.parameters()),
                    "peak": recipe.map_rate,
                    "weight_decay": recipe.pull,
                },
            ],
        )

    @staticmethod
    def _network(state: dict[str, Tensor]) -> ContextResNet:
        network = whole_resnet(state["stem.0.weight"].shape[0])
        network.load_state_dict(state)
        return network

    def _learner(self) -> Learner:
        """Make what the network's map is trained as, even for the good pictures of the first inspections."""
        drawn = Drawn(self.pool, self.recipe, 0)
        good = (drawn[i][0][: self.recipe.good].float() / 255 for i in range(min(40, len(drawn))))
        learner = Learner(torch.cat([answers(self.network, pictures) for pictures in good]))
        learner.start_from(self.network.context)
        return learner

    def run(self, held_out: list[dict[str, HeldOut]], progress: Progress, workers: int = 0) -> None:
        """Train to the recipe's last step, looking at the held-out products, if any, now and then."""
        self._steps(self._batches(workers), held_out, progress)

    def _batches(self, workers: int) -> Iterator[tuple[Tensor, Tensor]]:
        left = Drawn(self.pool, self.recipe, self.step * self.recipe.at_once)
        loader = DataLoader(
            left, self.recipe.at_once, num_workers=workers, pin_memory=self.device != "cpu",
            prefetch_factor=4 if workers else None,
        )  # fmt: skip
        for pictures, change in loader:
            self._decide()
            yield (
                pictures.to(self.device, non_blocking=True),
                change.to(self.device, non_blocking=True),
            )

    def _decide(self) -> None:
        """Once the time in which the rate stays is over, set the step at which the run ends."""
        falling_from, passed = self.recipe.falling_from, self.passed()
        if self.step and self.recipe.steps == UNDECIDED and passed >= falling_from * self.seconds:
            self.recipe = replace(self.recipe, steps=math.ceil(self.step / falling_from))
            say(f"{self.step} steps in {passed:.0f} s: the run ends at {self.recipe.steps}")

    def _takes_up(self, before: dict[str, object], step: int) -> bool:
        """Take up a checkpoint as any run does, with the number of steps if that was set on the way."""
        steps = before.get("steps")
        if self.recipe.steps == UNDECIDED and isinstance(steps, int):
            self.recipe = replace(self.recipe, steps=steps)
        return super()._takes_up(before, step)

    def _one_step(self, pictures: Tensor, change: Tensor) -> None:
        features = features_by(self.network)(pictures.flatten(0, 1).float() / 255)
        self._learn_ranking(features, change, stream=12)

    def averaged_network(self) -> ContextResNet:
        """Build the network of the averaged weights, on the processor."""
        network = whole_resnet(self.network.width)
        learner = Learner(torch.zeros(2, len(self.averaged["context.mean"]), 1, 1))
        network.add_module("context", learner)
        network.load_state_dict(self.averaged)
        network.context = learner.written()
        return network


def make(
    start: Path,
    folder: Path,
    recipe: WholeRecipe,
    device: str = "cpu",
    workers: int = 0,
    seconds: float = 0.0,
    judged: bool = True,
) -> Path:
    """Train a network together with its map, or go on training it, and write the finished weight file.

    Parameters
    ----------
    start : Path
        Weights of a network with its map (``pretraining/context.py``).
    folder : Path
        Where products, log, checkpoint and ``builtin_whole.safetensors`` go.
    recipe : WholeRecipe
        The numbers.
    device : str
        ``"cpu"`` or ``"cuda"``.
    workers : int
        Processes that render products, and draw inspections beside the training; they change no number.
    seconds : float
        As in :class:`WholeTraining`.
    judged : bool
        Whether the looks judge the averaged weights on held-out products, or only keep them.
    """
    torch.set_num_threads(1)  # the same sums in the same order
    pool = pool_of(recipe, folder, workers)
    training = WholeTraining(start, pool, recipe, folder, device, seconds)
    if training.resume():
        say(f"whole: going on from step {training.step}")
    training.run(judged_on(recipe.pieces) if judged else [], say, workers)
    path = folder / "builtin_whole.safetensors"
    training.save_weights(path)
    say(f"{path} sha256 {file_sha256(path)}")
    return path


def main(argv: list[str] | None = None) -> Path:
    """Train upon given weights; return the path of the finished ones."""
    parser = argparse.ArgumentParser(prog="python -m pretraining.whole", description=__doc__)
    parser.add_argument("--network", type=Path, default=PACKAGED_WEIGHTS / "builtin_context.safetensors")
    parser.add_argument("--out", type=Path, default=Path("build/whole"), help="folder")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--smoke", action="store_true", help="a few tiny steps, to see that all of it runs")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--steps", type=int, default=None)
    length.add_argument("--seconds", type=float, default=0.0, help="sets the number of steps on the way")
    parser.add_argument("--procedural", type=int, default=None, help="products")
    parser.add_argument(
        "--workers", type=int, default=0, help="processes that render and draw; they change no number"
    )
    parser.add_argument("--unjudged", action="store_true", help="leave out the looks at held-out products")
    arguments = parser.parse_args(argv)
    recipe = SMOKE if arguments.smoke else WholeRecipe()
    given = {name: getattr(arguments, name) for name in ("steps", "procedural")}
    recipe = replace(recipe, **{name: value for name, value in given.items() if value})
    return make(
        arguments.network,
        arguments.out,
        recipe,
        arguments.device,
        arguments.workers,
        arguments.seconds,
        not arguments.unjudged,
    )


if __name__ == "__main__":
    main()
