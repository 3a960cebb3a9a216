"""Owns what the network sees in a step: augmented crops of many products, and inspections with painted defects."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import Dataset

from pretraining.camera import soft
from pretraining.defects import spoil
from pretraining.dice import Dice
from pretraining.objectives import Inspections
from pretraining.products import Pool
from pretraining.recipe import InspectionRecipe


def _cut(pictures: Tensor, scale: Tensor, centre: Tensor, aspect: Tensor, size: int) -> Tensor:
    """Cut windows: pictures [n, 3, S, S]; scale, aspect [n]; centre [n, 2] in -1..1 of what is free."""
    theta = torch.zeros(len(pictures), 2, 3, device=pictures.device)
    wide, high = (scale * aspect).clamp(max=1), (scale / aspect).clamp(max=1)
    theta[:, 0, 0], theta[:, 1, 1] = wide, high
    theta[:, 0, 2], theta[:, 1, 2] = centre[:, 0] * (1 - wide), centre[:, 1] * (1 - high)
    grid = functional.affine_grid(theta, [len(pictures), 3, size, size], align_corners=False)
    return functional.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)


def _flipped(pictures: Tensor, across: Tensor, turned: Tensor) -> Tensor:
    pictures = torch.where(across[:, None, None, None], pictures.flip(3), pictures)
    return torch.where(turned[:, None, None, None], pictures.transpose(2, 3), pictures)


def _greyed(pictures: Tensor, chosen: Tensor) -> Tensor:
    return torch.where(chosen[:, None, None, None], pictures.mean(1, keepdim=True), pictures)


def _toned(dice: Dice, pictures: Tensor, contrast: Tensor, brightness: Tensor) -> Tensor:
    """Change contrast [n] and brightness [n] about each picture's own mean."""
    mean = pictures.mean((1, 2, 3), keepdim=True)
    room = (pictures - mean) * contrast[:, None, None, None] + mean
    return room + brightness[:, None, None, None]


def crops(dice: Dice, pool: Pool, count: int, size: int) -> tuple[Tensor, Tensor]:
    """Draw augmented crops [count, 3, size, size] in 0..1, and the products [count] they are of."""
    if not count:
        return torch.empty(0, 3, size, size, device=dice.device), torch.empty(0, dtype=torch.long)
    labels = dice.integers(count, below=len(pool))
    views = dice.integers(count, below=pool.pictures.shape[1])
    pictures = pool.pictures[labels, views].float() / 255
    scale, aspect = dice.scales(count, low=0.4, high=1.0), dice.scales(count, low=0.8, high=1.25)
    pictures = _cut(pictures, scale, dice.even(count, 2, low=-1, high=1), aspect, size)
    pictures = _flipped(pictures, dice.throws(count, share=0.5), dice.throws(count, share=0.25))
    pictures = _greyed(pictures, dice.throws(count, share=0.4))
    pictures = _toned(
        dice, pictures, dice.scales(count, low=0.4, high=1.5), dice.even(count, low=-0.15, high=0.15)
    )
    tint = torch.where(dice.throws(count, 1, 1, 1, share=0.5), 0.1, 0.0)
    pictures = pictures * (1 + tint * dice.normal(count, 3, 1, 1))
    grain = dice.even(count, 1, 1, 1, high=0.06) * dice.throws(count, 1, 1, 1, share=0.3)
    pictures = pictures + grain * dice.normal(count, 3, size, size)
    pictures = torch.where(dice.throws(count, 1, 1, 1, share=0.2), soft(pictures), pictures)
    return pictures.clamp(0, 1), labels


def _views(dice: Dice, pool: Pool, product: int, count: int, size: int) -> Tensor:
    """Draw ``count`` views of a product at one scale; aligned pieces stay in place."""
    order = dice.order(pool.pictures.shape[1])[:count]
    pictures = pool.pictures[product, order.to(pool.pictures.device)].float() / 255
    scale = dice.scale(size / pictures.shape[-1] * 0.8, 1.0)
    if pool.aligned[product]:
        centre = dice.even(1, 2, low=-1, high=1) + dice.normal(count, 2) * 0.04
    else:
        centre = dice.even(count, 2, low=-1, high=1)
    even = torch.ones(count, device=pictures.device)
    pictures = _cut(pictures, even * scale, centre.clamp(-1, 1), even, size)
    across, turned = (torch.full((count,), dice.chance(0.5), device=pictures.device) for _ in range(2))
    return _flipped(pictures, across, turned)


def _lit_alike(dice: Dice, pictures: Tensor, count: int) -> Tensor:
    """Give all ``count`` pictures of an inspection nearly the same tone and grain."""
    each = torch.ones(count, device=pictures.device)
    contrast = each * dice.scale(0.3, 1.4) * torch.exp(0.05 * dice.normal(count))
    pictures = _toned(dice, pictures, contrast, dice.uniform(-0.15, 0.15) + 0.01 * dice.normal(count))
    pictures = _greyed(pictures, each.bool() & dice.chance(0.45))
    return (pictures + dice.scale(0.002, 0.02) * dice.normal(*pictures.shape)).clamp(0, 1)


def inspections(
    dice: Dice, pool: Pool, count: int, size: int, good: int, defective: int, cracks: float = 0.0
) -> Inspections:
    """Draw ``count`` products: good pictures, and copies of the first of them with defects freshly painted."""
    pictures, changes = [], []
    for _ in range(count):
        product, stranger = dice.integers(2, below=len(pool)).tolist()
        fair = _views(dice, pool, product, good, size)
        others = _views(dice, pool, stranger, 1, size).expand(defective, -1, -1, -1)
        spoilt, change = spoil(dice, fair[:defective], others, cracks=cracks)
        pictures.append(_lit_alike(dice, torch.cat([fair, spoilt]), good + defective))
        changes.append(change)
    return Inspections(torch.stack(pictures), torch.stack(changes))


class DrawnInspections(Dataset[tuple[Tensor, Tensor]]):
    """Inspections by number, the same whoever draws them; a subclass says what of them is fed.

    Parameters
    ----------
    pool : Pool
        The products.
    recipe : InspectionRecipe
        The numbers.
    first : int
        How many have been fed already.
    stream : int
        Part of the seed, for each kind its own.
    """

    def __init__(self, pool: Pool, recipe: InspectionRecipe, first: int, stream: int) -> None:
        self.pool, self.recipe, self.first, self.stream = pool, recipe, first, stream

    def __len__(self) -> int:
        """Count those that are left."""
        return self.recipe.steps * self.recipe.at_once - self.first

    def draw(self, i: int) -> tuple[Tensor, Tensor]:
        """Draw one: pictures [good + defective, 3, S, S] in 0..1, and change [defective, S, S]."""
        recipe = self.recipe
        dice = Dice(recipe.seed, self.stream, self.first + i)
        drawn = inspections(dice, self.pool, 1, recipe.size, recipe.good, recipe.defective, recipe.cracks)
        return drawn.pictures[0], drawn.change[0]


def learning_rate(step: int, steps: int, peak: float, warmup: int, falling_from: float) -> float:
    """Rise in a line, stay, fall in a line over the last share of the steps (so a run can be ended when time is up)."""
    rise = min(1.0, (step + 1) / warmup)
    left = (steps - step) / max(1.0, steps * (1 - falling_from))
    return peak * rise * min(1.0, left)
