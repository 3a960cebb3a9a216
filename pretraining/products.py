"""Owns the pool of training products: every class rendered once, several good photographs of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from pretraining.camera import camera
from pretraining.defects import spoil
from pretraining.dice import Dice
from pretraining.fields import coordinates, noise, turned
from pretraining.materials import Place, surface
from pretraining.parts import part
from pretraining.photographs import photographs, place
from pretraining.worn import worn

PART_SHARE, WORN_SHARE = 0.35, 0.4  # the rest: surfaces that do not wear
REACH = {part: 0.03, worn: 0.1, surface: 1.0}  # how far a piece is laid from where the last one lay
MARKED_SHARE = 0.35  # products whose good pieces carry faint marks


@dataclass(frozen=True)
class Pool:
    """Good photographs of many products."""

    pictures: Tensor  # uint8 [products, views, 3, S, S]
    aligned: Tensor  # bool [products]: the piece lies in the same place in every view

    def __len__(self) -> int:
        """Count the products."""
        return len(self.pictures)

    def save(self, path: Path, made_by: str) -> None:
        """Keep the pool beside a run's checkpoint; ``made_by`` says from which numbers."""
        tensors = {"pictures": self.pictures.cpu().contiguous(), "aligned": self.aligned}
        save_file(tensors, path, {"made_by": made_by})

    @classmethod
    def load(cls, path: Path, made_by: str) -> Pool | None:
        """Read a kept pool; None if there is none, or it was made from other numbers."""
        if not path.exists():
            return None
        with safe_open(path, "pt") as file:
            if file.metadata().get("made_by") != made_by:
                return None
            return cls(file.get_tensor("pictures"), file.get_tensor("aligned"))


def _placed(dice: Dice, count: int, size: int, reach: float, loose: float) -> Place:
    """Coordinates of ``count`` pieces, each laid down a little differently."""
    x, y = coordinates(count, size, dice.device)
    x, y = turned(x, y, dice.normal(count, 1, 1) * loose)
    zoom = 1 + dice.normal(count, 1, 1) * 0.015
    return Place(
        x * zoom + dice.normal(count, 1, 1) * reach, y * zoom + dice.normal(count, 1, 1) * reach, dice
    )


def render(seed: tuple[int, ...], count: int, size: int, device: str = "cpu") -> tuple[Tensor, bool]:
    """Render one procedural product: photographs [count, 3, size, size] of good pieces, and if they are aligned."""
    dice = Dice(*seed, device=device)
    kind = dice.pick((part, worn, surface), (PART_SHARE, WORN_SHARE, 1 - PART_SHARE - WORN_SHARE))
    product = kind(dice)
    setup = camera(dice)
    turn = 3.0 if dice.chance(0.12) else dice.scale(0.005, 0.08)
    spot = _placed(dice, count, size, REACH[kind], turn)
    if dice.chance(0.2):
        warp = dice.scale(0.005, 0.05)
        bent_x, bent_y = (warp * noise(dice, count, size, 2.4) for _ in range(2))
        spot = Place(spot.x + bent_x, spot.y + bent_y, dice)
    colour = product.paint(spot).clamp(0, 1)
    if dice.chance(MARKED_SHARE):
        for _ in range(dice.integer(1, 3)):
            colour, _ = spoil(dice, colour, colour.roll(1, 0), dice.uniform(0.1, 0.35))
    return setup.photograph(colour, dice), kind is part and turn < 1.0


class _Rendered(Dataset[tuple[Tensor, bool]]):
    """Products by number, in 8 bits: the procedural ones, then places of the free photographs."""

    def __init__(self, seed: int, procedural: int, photographed: int, views: int, size: int) -> None:
        self.seed, self.procedural, self.total = seed, procedural, procedural + photographed
        self.views, self.size = views, size
        self.shots = photographs() if photographed else []

    def __len__(self) -> int:
        """Count them."""
        return self.total

    def __getitem__(self, i: int) -> tuple[Tensor, bool]:
        """Render one."""
        if i < self.procedural:
            view, aligned = render((self.seed, 1, i), self.views, self.size)
        else:
            dice = Dice(self.seed, 2, i - self.procedural)
            view, aligned = place(dice, self.shots, self.views, self.size), True
        return (view * 255).round().byte(), aligned


def fill_pool(
    seed: int,
    procedural: int,
    photographed: int,
    views: int,
    size: int,
    workers: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Pool:
    """Render the pool: ``procedural`` products, and ``photographed`` places of the free photographs."""
    rendered = _Rendered(seed, procedural, photographed, views, size)
    pictures = torch.empty(len(rendered), views, 3, size, size, dtype=torch.uint8)
    aligned = torch.ones(len(rendered), dtype=torch.bool)
    for i, (view, straight) in enumerate(DataLoader(rendered, None, num_workers=workers)):
        pictures[i], aligned[i] = view, straight
        if progress and i % 200 == 0:
            progress(i, len(rendered))
    return Pool(pictures, aligned)


def kept_pool(
    *numbers: int,
    folder: Path,
    workers: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Pool:
    """Take the pool an earlier start rendered into a folder from the same numbers, or render and keep it.

    Parameters
    ----------
    *numbers : int
        As in :func:`fill_pool`: seed, procedural, photographed, views, size.
    folder : Path
        Where ``pool.safetensors`` lies or will lie.
    workers : int
        Processes that render; they change no number.
    progress : callable, optional
        Called with how many products of how many are rendered.
    """
    path = folder / "pool.safetensors"
    pool = Pool.load(path, repr(numbers))
    if pool is None:
        seed, procedural, photographed, views, size = numbers
        pool = fill_pool(seed, procedural, photographed, views, size, workers, progress)
        folder.mkdir(parents=True, exist_ok=True)
        pool.save(path, repr(numbers))
    return pool
