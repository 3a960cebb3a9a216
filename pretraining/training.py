"""Owns the training loop: steps, checkpoints to resume from, averaged weights, the log."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from patchcore.small_resnet import SmallResNet, image_net_normalised
from pretraining.batches import crops, inspections, learning_rate
from pretraining.dice import Dice
from pretraining.evaluate import features_of, held_out_auroc, joined
from pretraining.held_out import HeldOut
from pretraining.objectives import ExemplarHeads, FaultHead, Inspections, patch_labels, rank
from pretraining.products import Pool
from pretraining.recipe import Recipe

GRADIENT_LIMIT = 2.0


def keep_checkpoint(state: dict[str, object], folder: Path) -> None:
    """Write a checkpoint in one piece: a run that is cut off leaves the one before."""
    beside = folder / "checkpoint.new"
    torch.save(state, beside)
    beside.replace(folder / "checkpoint.pt")


def follow(averaged: dict[str, Tensor], weights: dict[str, Tensor], averaging: float, step: int) -> None:
    """Move averaged weights a little towards the present ones, closely in the first steps."""
    keep = min(averaging, (step + 1) / (step + 10))
    with torch.no_grad():
        for name, value in weights.items():
            if value.is_floating_point():
                averaged[name].lerp_(value, 1 - keep)


class Training:
    """A run that can stop at any look and go on from there.

    Parameters
    ----------
    recipe : Recipe
        The numbers.
    pool : Pool
        The products.
    held_out : dict of HeldOut
        What the run is judged on; never trained on.
    folder : Path
        Where the log, the checkpoint and the weights go.
    device : str
        ``"cpu"`` or ``"cuda"``.
    """

    def __init__(
        self, recipe: Recipe, pool: Pool, held_out: dict[str, HeldOut], folder: Path, device: str = "cpu"
    ) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.pool, self.held_out, self.folder, self.device = (
            recipe,
            pool,
            held_out,
            folder,
            device,
        )
        self.network = SmallResNet(recipe.width).to(device, memory_format=torch.channels_last)
        self.heads = ExemplarHeads(2 * recipe.width, 4 * recipe.width, len(pool)).to(device)
        self.faults = FaultHead(6 * recipe.width).to(device)
        self.averaged = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.optimiser = torch.optim.AdamW(self._weights(), lr=recipe.rate, weight_decay=recipe.weight_decay)
        self.step = 0
        self.log: list[dict[str, object]] = []
        self._recent: dict[str, float] = {}
        self._seconds = 0.0

    def _weights(self) -> list[nn.Parameter]:
        return [*self.network.parameters(), *self.heads.parameters(), *self.faults.parameters()]

    def start_from(self, weights: dict[str, Tensor]) -> None:
        """Take a network's weights instead of fresh ones, before the first step."""
        known = self.network.state_dict()
        self.network.load_state_dict({name: weights[name].to(known[name].dtype) for name in known})
        self.averaged = {name: value.clone() for name, value in self.network.state_dict().items()}

    def run(
        self, progress: Callable[[dict[str, object]], None] | None = None, until: int | None = None
    ) -> None:
        """Train to the recipe's last step, or ``until``, keeping a checkpoint at every look."""
        last = min(self.recipe.steps, until or self.recipe.steps)
        started = time.perf_counter()
        while self.step < last:
            self._one_step()
            self.step += 1
            if self.step % self.recipe.look_every == 0 or self.step == last:
                self._seconds += time.perf_counter() - started
                entry = self._look()
                started = time.perf_counter()
                if progress:
                    progress(entry)

    def _one_step(self) -> None:
        recipe = self.recipe
        dice = Dice(recipe.seed, 3, self.step, device=self.device)
        self.network.train(self.step < recipe.still_from * recipe.steps)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(
                self.step, recipe.steps, recipe.rate, recipe.warmup, recipe.falling_from
            )
        cuts, labels = crops(dice, self.pool, recipe.crops, recipe.size)
        drawn = inspections(dice, self.pool, recipe.inspections, recipe.size, recipe.good, recipe.defective)
        batch = torch.cat([cuts, drawn.pictures.flatten(0, 1)])
        batch = image_net_normalised(batch).contiguous(memory_format=torch.channels_last)
        half = recipe.half_precision and self.device != "cpu"
        with torch.autocast(self.device, torch.bfloat16, enabled=half):
            maps = self.network(batch)
        first = {name: value[: recipe.crops] for name, value in maps.items()}
        rest = {name: value[recipe.crops :] for name, value in maps.items()}
        if recipe.crops:
            naming, accuracy = self.heads(first, labels, dice)
        else:
            naming, accuracy = (cuts.new_zeros(()) for _ in range(2))
        rows = joined([rest["layer2"], rest["layer3"] * recipe.deep_gain], False).flatten(2).transpose(1, 2)
        ranking, area = rank(
            rows.unflatten(0, drawn.pictures.shape[:2]), drawn.change, recipe.bank_share, dice
        )
        fault = self._fault(rows, drawn)
        self.optimiser.zero_grad(set_to_none=True)
        (ranking + recipe.naming_weight * naming + recipe.fault_weight * fault).backward()
        nn.utils.clip_grad_norm_(self._weights(), GRADIENT_LIMIT)
        self.optimiser.step()
        follow(self.averaged, self.network.state_dict(), recipe.averaging, self.step)
        self._note(naming=naming, accuracy=accuracy, ranking=ranking, picture_auroc=area, fault=fault)

    def _fault(self, rows: Tensor, drawn: Inspections) -> Tensor:
        """Teach the single patch, too, which of them are defective."""
        side = round(rows.shape[1] ** 0.5)
        defective, fair = patch_labels(drawn.change.flatten(0, 1), side)
        shape = (*drawn.pictures.shape[:2], side, side)
        marks, judged = torch.zeros(shape, dtype=torch.bool), torch.ones(shape, dtype=torch.bool)
        marks[:, self.recipe.good :] = defective.unflatten(0, drawn.change.shape[:2])
        judged[:, self.recipe.good :] = (defective | fair).unflatten(0, drawn.change.shape[:2])
        return self.faults(
            rows.flatten(0, 1), marks.flatten().to(rows.device), judged.flatten().to(rows.device)
        )

    def _note(self, **values: Tensor) -> None:
        for name, value in values.items():
            now = float(value.detach())
            if not math.isnan(now):  # an episode without a visible defect has no area
                self._recent[name] = 0.98 * self._recent.get(name, now) + 0.02 * now

    def averaged_network(self) -> SmallResNet:
        """Build the network with the averaged weights, in evaluation mode."""
        network = SmallResNet(self.recipe.width).to(self.device).eval()
        network.load_state_dict(self.averaged)
        return network

    def _look(self) -> dict[str, object]:
        """Judge the averaged weights on the held-out products; log; keep a checkpoint and the weights."""
        features = features_of(self.averaged_network(), (1.0, self.recipe.deep_gain))
        areas = held_out_auroc(features, self.held_out)
        entry: dict[str, object] = {"step": self.step, "seconds": round(self._seconds, 1)}
        entry |= {name: round(value, 4) for name, value in self._recent.items()}
        entry["held_out"] = {name: round(value, 4) for name, value in areas.items()}
        entry["held_out_mean"] = round(sum(areas.values()) / max(1, len(areas)), 4)
        self.log.append(entry)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.save_weights(self.folder / f"step_{self.step:06d}.safetensors")
        self._keep_checkpoint()
        text = json.dumps({"recipe": self.recipe.to_dict(), "log": self.log}, indent=1)
        (self.folder / "log.json").write_text(text + "\n")
        return entry

    def save_weights(self, path: Path) -> None:
        """Write the averaged weights in half precision."""
        halves = {
            name: value.half().contiguous().cpu() if value.is_floating_point() else value.cpu()
            for name, value in self.averaged.items()
        }
        save_file(halves, path)

    def _keep_checkpoint(self) -> None:
        state = {
            "recipe": self.recipe.to_dict(), "step": self.step, "log": self.log, "recent": self._recent,
            "seconds": self._seconds, "network": self.network.state_dict(), "averaged": self.averaged,
            "heads": self.heads.state_dict(), "faults": self.faults.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }  # fmt: skip
        keep_checkpoint(state, self.folder)

    def resume(self) -> bool:
        """Go on from the folder's checkpoint; False when there is none.

        Only the number of steps may differ from the checkpoint's recipe: before the rate falls it decides nothing.

        Raises
        ------
        ValueError
            The checkpoint belongs to another recipe, or its rate had begun to fall at another length.
        """
        path = self.folder / "checkpoint.pt"
        if not path.exists():
            return False
        state = torch.load(path, map_location=self.device, weights_only=True)
        before = state["recipe"]
        same = before | {"steps": self.recipe.steps} == self.recipe.to_dict()
        level = state["step"] <= self.recipe.falling_from * min(before["steps"], self.recipe.steps)
        if not same or (before["steps"] != self.recipe.steps and not level):
            raise ValueError(f"{path} belongs to another recipe; choose another folder or remove it")
        self.network.load_state_dict(state["network"])
        self.heads.load_state_dict(state["heads"])
        self.faults.load_state_dict(state["faults"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.averaged, self.step, self.log = state["averaged"], state["step"], state["log"]
        self._recent, self._seconds = state["recent"], state["seconds"]
        return True
