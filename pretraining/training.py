"""Owns the network's training: one step of naming products and ranking defects."""

from __future__ import annotations

from itertools import repeat
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from patchcore.small_resnet import SmallResNet, image_net_normalised
from pretraining.batches import crops, inspections
from pretraining.dice import Dice
from pretraining.evaluate import Features, features_of, joined
from pretraining.held_out import HeldOut
from pretraining.objectives import ExemplarHeads, FaultHead, Inspections, patch_labels, rank
from pretraining.products import Pool
from pretraining.recipe import Recipe
from pretraining.runs import Progress, Run


class Training(Run):
    """The run that trains the network.

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

    recipe: Recipe

    def __init__(
        self, recipe: Recipe, pool: Pool, held_out: dict[str, HeldOut], folder: Path, device: str = "cpu"
    ) -> None:
        super().__init__(recipe, folder, device, recipe.start)
        self.pool, self.held_out = pool, held_out
        self.network = SmallResNet(recipe.width).to(device, memory_format=torch.channels_last)
        self.heads = ExemplarHeads(2 * recipe.width, 4 * recipe.width, len(pool)).to(device)
        self.faults = FaultHead(6 * recipe.width).to(device)
        self._train()

    def _train(self) -> None:
        modules = (self.network, self.heads, self.faults)
        weights = [weight for module in modules for weight in module.parameters()]
        group = {"params": weights, "peak": self.recipe.rate, "weight_decay": self.recipe.weight_decay}
        self.trains(self.network, [group], heads=self.heads, faults=self.faults)

    def start_from(self, weights: dict[str, Tensor]) -> None:
        """Take a network's weights instead of fresh ones, before the first step."""
        known = self.network.state_dict()
        self.network.load_state_dict({name: weights[name].to(known[name].dtype) for name in known})
        self._train()

    def run(self, progress: Progress, until: int | None = None) -> None:
        """Train to the recipe's last step, or ``until``, keeping a checkpoint at every look."""
        last = min(self.recipe.steps, until or self.recipe.steps)
        self._steps(repeat((), last - self.step), [self.held_out] if self.held_out else [], progress, last)

    def _one_step(self, *_: Tensor) -> None:
        recipe = self.recipe
        dice = Dice(recipe.seed, 3, self.step, device=self.device)
        self.network.train(self.step < recipe.still_from * recipe.steps)
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
        self._learn(ranking + recipe.naming_weight * naming + recipe.fault_weight * fault)
        self._note(0.98, naming=naming, accuracy=accuracy, ranking=ranking, picture_auroc=area, fault=fault)

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

    def averaged_network(self) -> SmallResNet:
        """Build the network with the averaged weights, in evaluation mode."""
        network = SmallResNet(self.recipe.width).to(self.device).eval()
        network.load_state_dict(self.averaged)
        return network

    def features(self) -> Features:
        """Join the averaged network's two depths."""
        return features_of(self.averaged_network(), (1.0, self.recipe.deep_gain))

    def save_weights(self, path: Path) -> None:
        """Write the averaged weights in half precision."""
        halves = {
            name: value.half().contiguous().cpu() if value.is_floating_point() else value.cpu()
            for name, value in self.averaged.items()
        }
        save_file(halves, path)
