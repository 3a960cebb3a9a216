"""Owns what every training run does alike: steps and looks, averaged weights, log, checkpoint, products in a folder."""

from __future__ import annotations

import json
import math
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, nn

from pretraining.batches import learning_rate
from pretraining.evaluate import Features, held_out_means
from pretraining.held_out import HeldOut
from pretraining.products import Pool, kept_pool
from pretraining.recipe import StageRecipe

GRADIENT_LIMIT = 2.0
Progress = Callable[[dict[str, object]], None]


def say(text: object) -> None:
    """Tell the terminal at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def pool_of(recipe: StageRecipe, folder: Path, workers: int = 0) -> Pool:
    """Take the products that an earlier start rendered into a folder for the same numbers, or render them."""
    numbers = (recipe.seed, recipe.procedural, recipe.photographed, recipe.views, recipe.view_size)
    return kept_pool(
        *numbers, folder=folder, workers=workers, progress=lambda n, of: say(f"rendered {n} of {of} products")
    )


def _copied(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


class Run(ABC):
    """A training run that can stop at any look and go on from there; a subclass says what it trains.

    Parameters
    ----------
    recipe : StageRecipe
        The numbers.
    folder : Path
        Where log, checkpoint and weights go.
    device : str
        ``"cpu"`` or ``"cuda"``.
    start : str
        SHA-256 of the weights it goes on from. A checkpoint of other weights or another recipe is refused.
    """

    def __init__(self, recipe: StageRecipe, folder: Path, device: str = "cpu", start: str = "") -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.folder, self.device, self.start = recipe, folder, device, start
        self.step = 0
        self.log: list[dict[str, object]] = []
        self._recent: dict[str, float] = {}
        self._seconds, self._since = 0.0, time.perf_counter()

    @abstractmethod
    def features(self) -> Features:
        """Make what the looks judge: patch features by the averaged weights."""

    @abstractmethod
    def save_weights(self, path: Path) -> None:
        """Write the averaged weights."""

    @abstractmethod
    def _one_step(self, *batch: Tensor) -> None:
        """Compute the loss of a batch and learn from it."""

    def trains(self, model: nn.Module, groups: list[dict[str, object]], **beside: nn.Module) -> None:
        """Say what is trained.

        Parameters
        ----------
        model : nn.Module
            What averaged weights are kept of.
        groups : list of dict
            AdamW's groups of weights, each with the ``peak`` of its rate.
        **beside : nn.Module
            What else a checkpoint must hold.
        """
        self.optimiser = torch.optim.AdamW(groups)
        self._kept: dict[str, nn.Module | torch.optim.Optimizer] = {
            "model": model, **beside, "optimiser": self.optimiser
        }  # fmt: skip
        self._model, self.averaged = model, _copied(model)

    def passed(self) -> float:
        """Seconds of training so far, looks not counted."""
        return self._seconds + time.perf_counter() - self._since

    def _steps(
        self,
        batches: Iterable[tuple[Tensor, ...]],
        held_out: list[dict[str, HeldOut]],
        progress: Progress,
        until: int | None = None,
    ) -> None:
        """Take a step with each batch, to the recipe's last one or ``until``, and look now and then."""
        self._since = time.perf_counter()
        for batch in batches:
            self._one_step(*batch)
            self.step += 1
            last = self.step == (until or self.recipe.steps)
            if last or self.step % self.recipe.look_every == 0:
                progress(self._look(held_out))
            if last:
                break

    def _learn(self, loss: Tensor) -> None:
        """Step down a loss at the rate that is due; the averaged weights follow, closely in the first steps."""
        recipe, groups = self.recipe, self.optimiser.param_groups
        for group in groups:
            group["lr"] = learning_rate(
                self.step, recipe.steps, group["peak"], recipe.warmup, recipe.falling_from
            )
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_([weight for group in groups for weight in group["params"]], GRADIENT_LIMIT)
        self.optimiser.step()
        keep = min(recipe.averaging, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            for name, value in self._model.state_dict().items():
                if value.is_floating_point():
                    self.averaged[name].lerp_(value, 1 - keep)

    def _note(self, keep: float, **values: Tensor) -> None:
        """Let the running means that are logged follow values, but for one that is not a number."""
        for name, value in values.items():
            now = float(value.detach())
            if not math.isnan(now):
                self._recent[name] = keep * self._recent.get(name, now) + (1 - keep) * now

    def _look(self, held_out: list[dict[str, HeldOut]]) -> dict[str, object]:
        """Judge the averaged weights on held-out products, if any; keep log, weights and a checkpoint."""
        self._seconds = self.passed()
        entry: dict[str, object] = {"step": self.step, "seconds": round(self._seconds, 1)}
        entry |= {name: round(value, 4) for name, value in self._recent.items()}
        if held_out:
            entry |= held_out_means(self.features(), held_out)
        self.log.append(entry)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.save_weights(self.folder / f"step_{self.step:06d}.safetensors")
        self._keep_checkpoint()
        text = json.dumps({"recipe": self._numbers(), "log": self.log}, indent=1)
        (self.folder / "log.json").write_text(text + "\n")
        self._since = time.perf_counter()
        return entry

    def _numbers(self) -> dict[str, object]:
        return asdict(self.recipe) | {"start": self.start}

    def _keep_checkpoint(self) -> None:
        """Write a checkpoint in one piece: a run that is cut off leaves the one before."""
        state = {
            "numbers": self._numbers(), "step": self.step, "log": self.log, "recent": self._recent,
            "seconds": self._seconds, "averaged": self.averaged,
            "kept": {name: part.state_dict() for name, part in self._kept.items()},
        }  # fmt: skip
        beside = self.folder / "checkpoint.new"
        torch.save(state, beside)
        beside.replace(self.folder / "checkpoint.pt")

    def resume(self) -> bool:
        """Go on from the folder's checkpoint; False when there is none.

        Only the number of steps may differ from the checkpoint's recipe: before the rate falls it decides nothing.

        Raises
        ------
        ValueError
            The checkpoint belongs to another recipe or other weights, or its rate had begun to fall at another
            length.
        """
        path = self.folder / "checkpoint.pt"
        if not path.exists():
            return False
        state = torch.load(path, map_location=self.device, weights_only=True)
        if not self._takes_up(state.get("numbers", {}), state["step"]):
            raise ValueError(f"{path} belongs to another recipe; choose another folder or remove it")
        for name, part in self._kept.items():
            part.load_state_dict(state["kept"][name])
        self.averaged, self.step, self.log = state["averaged"], state["step"], state["log"]
        self._recent, self._seconds = state["recent"], state["seconds"]
        return True

    def _takes_up(self, before: dict[str, object], step: int) -> bool:
        """Take up a checkpoint of these numbers; False if it leads elsewhere than a run from the first step."""
        steps = before.get("steps")
        if before | {"steps": self.recipe.steps} != self._numbers() or not isinstance(steps, int):
            return False
        level = step <= self.recipe.falling_from * min(steps, self.recipe.steps)
        return level or steps == self.recipe.steps
