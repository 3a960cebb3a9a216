"""Owns the last stage of the built-in backbone: ``python -m pretraining.whole --out FOLDER`` trains all of it at once.

What the stages before made by itself, network and map, learns together here: the ranking reaches the network through
the map. Filters, gains and batch-norm statistics stay. Best on a GPU, with as many ``--workers`` as there are cores.
Run again, it takes the kept products and goes on from its last checkpoint.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from patchcore.backbones import PACKAGED_WEIGHTS
from patchcore.context_resnet import ContextResNet, whole_resnet
from patchcore.small_resnet import image_net_normalised
from patchcore.textured_resnet import side_by_side
from patchcore.weight_files import file_sha256
from pretraining.batches import inspections, learning_rate
from pretraining.context import HELD_OUT_SEEDS, Learner, Progress, say
from pretraining.dice import Dice
from pretraining.evaluate import held_out_auroc
from pretraining.held_out import SCENES, HeldOut, held_out_product
from pretraining.objectives import rank
from pretraining.products import Pool, kept_pool
from pretraining.textured import save
from pretraining.training import GRADIENT_LIMIT, follow, keep_checkpoint


@dataclass(frozen=True)
class WholeRecipe:
    """Everything that decides the finished network, beside the one it starts from."""

    seed: int = 1  # other products than those of the stages before
    procedural: int = 6000
    photographed: int = 400
    views: int = 9
    view_size: int = 176
    size: int = 144
    good: int = 8
    defective: int = 4
    cracks: float = 0.12  # share of the defects
    steps: int = 6000
    at_once: int = 16  # inspections in a step
    network_rate: float = 3e-4
    map_rate: float = 5e-4
    warmup: int = 100
    falling_from: float = 0.6
    pull: float = 0.01  # decay of the map towards the one that changes nothing
    averaging: float = 0.998  # exponential moving average of the weights, a step
    look_every: int = 1000  # steps between looks at the held-out products
    pieces: tuple[int, int, int] = (16, 42, 224)  # of those: to build on, good as well as defective, px


SMOKE = WholeRecipe(
    procedural=6, photographed=2, views=6, view_size=80, size=64, good=3, defective=2, steps=4, at_once=2,
    warmup=2, look_every=2, pieces=(2, 2, 64),
)  # fmt: skip


class Drawn(Dataset[tuple[Tensor, Tensor]]):
    """Inspections by number: pictures, uint8 [pictures, 3, S, S], and where defects show, bool [defective, S, S]."""

    def __init__(self, pool: Pool, recipe: WholeRecipe, first: int) -> None:
        self.pool, self.recipe, self.first = pool, recipe, first

    def __len__(self) -> int:
        """Count those that are left."""
        return self.recipe.steps * self.recipe.at_once - self.first

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        """Draw one."""
        recipe = self.recipe
        dice = Dice(recipe.seed, 11, self.first + i)
        drawn = inspections(dice, self.pool, 1, recipe.size, recipe.good, recipe.defective, recipe.cracks)
        return (drawn.pictures[0] * 255).round().byte(), drawn.change[0]


def answers(network: ContextResNet, pictures: Tensor) -> Tensor:
    """What the map is fed for pictures, uint8 [n, 3, S, S] or float in 0..1: [n, dims, S/8, S/8]."""
    pictures = pictures.float() / 255 if pictures.dtype == torch.uint8 else pictures
    normalised = image_net_normalised(pictures).contiguous(memory_format=torch.channels_last)
    return side_by_side(super(ContextResNet, network).forward(normalised))


class WholeTraining:
    """A run that can stop at any look and go on from there.

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
    """

    def __init__(
        self, start: Path, pool: Pool, recipe: WholeRecipe, folder: Path, device: str = "cpu"
    ) -> None:
        torch.manual_seed(recipe.seed)
        self.pool, self.recipe, self.folder, self.device = pool, recipe, folder, device
        self.made_by = f"{file_sha256(start)} {asdict(replace(recipe, steps=0))}"
        state = load_file(start)
        self.network = whole_resnet(state["stem.0.weight"].shape[0])
        self.network.load_state_dict(state)
        drawn = Drawn(pool, recipe, 0)
        with torch.no_grad():
            some = torch.cat(
                [answers(self.network, drawn[i][0][: recipe.good]) for i in range(min(40, len(drawn)))]
            )
        self.learner = Learner(some)
        self.learner.start_from(self.network.context)
        self.network.to(device, memory_format=torch.channels_last)
        self.learner.to(device)
        self.averaged = {name: value.clone() for name, value in self._weights().items()}
        trunk = [
            weight for name, weight in self.network.named_parameters() if not name.startswith("context.")
        ]
        self.optimiser = torch.optim.AdamW(
            [
                {"params": trunk, "peak": recipe.network_rate, "weight_decay": 0.0},
                {
                    "params": list(self.learner.parameters()),
                    "peak": recipe.map_rate,
                    "weight_decay": recipe.pull,
                },
            ]
        )
        self.trained = [*trunk, *self.learner.parameters()]
        self.step = 0
        self.log: list[dict[str, object]] = []
        self._recent: dict[str, float] = {}
        self._seconds = 0.0

    def _weights(self) -> dict[str, Tensor]:
        """Everything that is averaged, by its name: the network without its map, and the learner."""
        network = {
            f"network.{k}": v for k, v in self.network.state_dict().items() if not k.startswith("context.")
        }
        return network | {f"learner.{k}": v for k, v in self.learner.state_dict().items()}

    def run(
        self, held_out: list[dict[str, HeldOut]], progress: Progress, workers: int = 0, seconds: float = 0.0
    ) -> None:
        """Train to the recipe's last step, looking at the held-out products now and then.

        Parameters
        ----------
        held_out : list of dict of HeldOut
            What the looks judge; where empty they only keep log, checkpoint and weights.
        progress : callable
            Called with each look.
        workers : int
            Processes that draw inspections beside the training; they change no number.
        seconds : float
            If given, the number of steps is set on the way so that the run takes about as long.
        """
        started = time.perf_counter()
        left = Drawn(self.pool, self.recipe, self.step * self.recipe.at_once)
        loader = DataLoader(
            left, self.recipe.at_once, num_workers=workers, pin_memory=self.device != "cpu",
            prefetch_factor=4 if workers else None,
        )  # fmt: skip
        for pictures, change in loader:
            self._one_step(
                pictures.to(self.device, non_blocking=True), change.to(self.device, non_blocking=True)
            )
            self.step += 1
            passed = self._seconds + time.perf_counter() - started
            if seconds and passed >= self.recipe.falling_from * seconds:
                self.recipe = replace(self.recipe, steps=int(self.step / self.recipe.falling_from))
                say(f"{self.step} steps in {passed:.0f} s: the run ends at {self.recipe.steps}")
                seconds = 0.0
            if self.step % self.recipe.look_every == 0 or self.step == self.recipe.steps:
                self._seconds += time.perf_counter() - started
                progress(self._look(held_out))
                started = time.perf_counter()
            if self.step == self.recipe.steps:
                break

    def _one_step(self, pictures: Tensor, change: Tensor) -> None:
        recipe = self.recipe
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(
                self.step, recipe.steps, group["peak"], recipe.warmup, recipe.falling_from
            )
        mapped = functional.avg_pool2d(self.learner(answers(self.network, pictures.flatten(0, 1))), 3, 1, 1)
        rows = mapped.flatten(2).transpose(1, 2).unflatten(0, pictures.shape[:2])
        loss, area = rank(rows, change, 1.0, Dice(recipe.seed, 12, self.step))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.trained, GRADIENT_LIMIT)
        self.optimiser.step()
        follow(self.averaged, self._weights(), recipe.averaging, self.step)
        keep = min(0.99, self.step / (self.step + 1))
        for name, now in (("loss", loss.detach()), ("auroc", area.nan_to_num(1.0))):
            self._recent[name] = keep * self._recent.get(name, 0.0) + (1 - keep) * float(now)

    def averaged_network(self) -> ContextResNet:
        """Build the network of the averaged weights, on the processor."""
        averaged = {name: value.cpu() for name, value in self.averaged.items()}
        network, learner = (
            {name.removeprefix(part): value for name, value in averaged.items() if name.startswith(part)}
            for part in ("network.", "learner.")
        )
        finished = whole_resnet(self.network.width)
        finished.load_state_dict(network, strict=False)
        again = Learner(torch.zeros(2, len(self.learner.mean), 1, 1))
        again.load_state_dict(learner)
        finished.context.load_state_dict(again.written().state_dict())
        return finished

    def _look(self, held_out: list[dict[str, HeldOut]]) -> dict[str, object]:
        """Judge the averaged weights on the held-out products; log; keep a checkpoint and the weights."""
        network = self.averaged_network()

        def features(pictures: Tensor) -> Tensor:
            return functional.avg_pool2d(network.context(answers(network, pictures)), 3, 1, 1)

        entry: dict[str, object] = {"step": self.step, "seconds": round(self._seconds, 1)}
        entry |= {name: round(value, 4) for name, value in self._recent.items()}
        if held_out:
            areas = [held_out_auroc(features, products) for products in held_out]
            means = {name: sum(each[name] for each in areas) / len(areas) for name in areas[0]}
            entry["held_out"] = {name: round(value, 4) for name, value in means.items()}
            entry["held_out_mean"] = round(sum(means.values()) / len(means), 4)
        self.log.append(entry)
        self.folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"recipe": asdict(self.recipe), "log": self.log}, indent=1)
        (self.folder / "log.json").write_text(text + "\n")
        save(network, self.folder / f"step_{self.step:06d}.safetensors")
        self._keep_checkpoint()
        return entry

    def _keep_checkpoint(self) -> None:
        state = {
            "made_by": self.made_by, "step": self.step, "log": self.log, "recent": self._recent,
            "seconds": self._seconds, "weights": self._weights(), "averaged": self.averaged,
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
        state = torch.load(path, map_location=self.device, weights_only=True)
        if state["made_by"] != self.made_by:
            raise ValueError(f"{path} belongs to another recipe; choose another folder or remove it")
        for part, module in (("network.", self.network), ("learner.", self.learner)):
            theirs = {k.removeprefix(part): v for k, v in state["weights"].items() if k.startswith(part)}
            module.load_state_dict(theirs, strict=False)
        self.optimiser.load_state_dict(state["optimiser"])
        self.averaged, self.step, self.log = state["averaged"], state["step"], state["log"]
        self._recent, self._seconds = state["recent"], state["seconds"]
        return True


def main(argv: list[str] | None = None) -> Path:
    """Train upon given weights; return the path of the finished ones."""
    parser = argparse.ArgumentParser(prog="python -m pretraining.whole", description=__doc__)
    parser.add_argument("--network", type=Path, default=PACKAGED_WEIGHTS / "builtin_context.safetensors")
    parser.add_argument("--out", type=Path, default=Path("build/whole"), help="folder")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--smoke", action="store_true", help="a few tiny steps, to see that all of it runs")
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--seconds", type=float, default=0.0, help="sets the number of steps on the way")
    parser.add_argument("--procedural", type=int, default=None, help="products")
    parser.add_argument("--workers", type=int, default=0, help="processes that draw; they change no number")
    parser.add_argument("--unjudged", action="store_true", help="leave out the looks at held-out products")
    arguments = parser.parse_args(argv)
    recipe = SMOKE if arguments.smoke else WholeRecipe()
    given = {name: getattr(arguments, name) for name in ("steps", "procedural")}
    recipe = replace(recipe, **{name: value for name, value in given.items() if value})
    torch.set_num_threads(1)  # the same sums in the same order
    numbers = (recipe.seed, recipe.procedural, recipe.photographed, recipe.views, recipe.view_size)
    pool = kept_pool(
        *numbers, folder=arguments.out, workers=arguments.workers,
        progress=lambda n, of: say(f"rendered {n} of {of} products"),
    )  # fmt: skip
    training = WholeTraining(arguments.network, pool, recipe, arguments.out, arguments.device)
    if training.resume():
        say(f"whole: going on from step {training.step}")
    build_on, test_on, size = recipe.pieces
    held_out = [
        {name: held_out_product(name, build_on, test_on, size, seed) for name in SCENES}
        for seed in (() if arguments.unjudged else HELD_OUT_SEEDS)
    ]
    training.run(held_out, say, arguments.workers, arguments.seconds)
    path: Path = arguments.out / "builtin_whole.safetensors"
    save(training.averaged_network(), path)
    say(f"{path} sha256 {file_sha256(path)}")
    return path


if __name__ == "__main__":
    main()
