"""Owns the held-out products: scenes and defects from code that training never sees, to choose by."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pretraining.camera import Camera, soft
from pretraining.dice import Dice
from pretraining.fields import coordinates, inside, noise, turned

Scene = Callable[[Dice, Tensor, Tensor], Tensor]  # dice, x, y [n, S, S] -> colour [n, 3, S, S]


def _coloured(field: Tensor, dark: tuple[float, ...], bright: tuple[float, ...]) -> Tensor:
    low, high = (torch.tensor(c, device=field.device)[None, :, None, None] for c in (dark, bright))
    return low + (high - low) * field.clamp(0, 1)[:, None]


def ground_steel(dice: Dice, x: Tensor, y: Tensor) -> Tensor:
    """Grey ground steel: drifting streaks, stains of every size, edges that fall into the dark."""
    count, size = x.shape[0], x.shape[-1]
    field = 0.45 + 0.03 * noise(dice, count, size, 1.0, 7.0, math.pi / 2)
    field = field + 0.07 * noise(dice, count, size, 2.2) + 0.012 * noise(dice, count, size, 0.3)
    stain = torch.relu(noise(dice, count, size, 1.9) - dice.even(count, 1, 1, low=1.2, high=3.0))
    reach = dice.even(count, 1, 1, low=0.75, high=1.1)
    field = (field - 0.05 * stain) * torch.sigmoid((reach - x.abs()) * 25)
    return _coloured(field * dice.scales(count, 1, 1, low=0.6, high=1.6), (0, 0, 0), (1, 1, 1))


def timber(dice: Dice, x: Tensor, y: Tensor) -> Tensor:
    """Planed timber: growth rings cut at a slant, with pores."""
    count, size = x.shape[0], x.shape[-1]
    u = x + 0.25 * noise(dice, count, size, 2.6) + dice.normal(count, 1, 1)
    rings = torch.remainder(
        (u * u + (0.15 * y) ** 2 + 1e-6).sqrt() * dice.scales(count, 1, 1, low=5, high=8), 1
    )
    pores = torch.relu(noise(dice, count, size, 0.6, 5.0, math.pi / 2) - 1.6) * 0.25
    return _coloured(0.75 - 0.5 * rings**3 - pores, (0.3, 0.17, 0.08), (0.85, 0.66, 0.42))


def knitted(dice: Dice, x: Tensor, y: Tensor) -> Tensor:
    """Knitted fabric: columns of interlocking loops."""
    count, size = x.shape[0], x.shape[-1]
    bent = 0.02 * noise(dice, count, size, 2.4)
    column = (x + bent + 0.2 * dice.normal(count, 1, 1)) * 9
    side = torch.remainder(column, 1) - 0.5
    row = torch.remainder((y + bent) * 12 + 1.6 * side.abs(), 1)
    yarn = torch.sin(row * math.pi) * torch.cos(side * math.pi).clamp_min(0).sqrt()
    fluff = 0.1 * noise(dice, count, size, 0.8)
    return _coloured(0.2 + 0.7 * yarn + fluff, (0.1, 0.12, 0.25), (0.55, 0.6, 0.8))


def perforated(dice: Dice, x: Tensor, y: Tensor) -> Tensor:
    """Perforated sheet: holes on a hexagonal lattice in grained metal."""
    count, size = x.shape[0], x.shape[-1]
    x, y = turned(x, y, dice.normal(count, 1, 1) * 0.03)
    row = (y + 0.02 * dice.normal(count, 1, 1)) * 4.5
    column = (x + 0.02 * dice.normal(count, 1, 1)) * 5.2 + 0.5 * torch.remainder(torch.floor(row), 2)
    u, v = torch.remainder(column, 1) - 0.5, torch.remainder(row, 1) - 0.5
    hole = inside(((u * u + v * v).sqrt() - 0.28) / 5)
    rim = torch.exp(-((((u * u + v * v).sqrt() - 0.31) / 0.03) ** 2)) * (u + v)
    metal = 0.6 + 0.05 * noise(dice, count, size, 0.6, 3.0) + 0.4 * rim
    return _coloured(metal * (1 - 0.85 * hole), (0.05, 0.05, 0.07), (0.9, 0.92, 0.95))


def board(dice: Dice, x: Tensor, y: Tensor) -> Tensor:
    """A circuit board: tracks, pads and chips, the same layout on every piece."""
    count, size = x.shape[0], x.shape[-1]
    layout = Dice(77)
    x, y = x + 0.015 * dice.normal(count, 1, 1), y + 0.015 * dice.normal(count, 1, 1)
    copper, chips = torch.zeros_like(x), torch.zeros_like(x)
    for _ in range(14):
        cx, cy, half = layout.uniform(-0.8, 0.8), layout.uniform(-0.8, 0.8), layout.uniform(0.1, 0.5)
        u, v = (x - cx, y - cy) if layout.chance(0.5) else (y - cy, x - cx)
        copper = torch.maximum(copper, inside(torch.maximum(u.abs() - half, v.abs() - 0.018)))
        copper = torch.maximum(copper, inside(((u - half) ** 2 + v * v).sqrt() - 0.05))
    for _ in range(4):
        u, v = x - layout.uniform(-0.6, 0.6), y - layout.uniform(-0.6, 0.6)
        chips = torch.maximum(
            chips, inside(torch.maximum(u.abs() - layout.uniform(0.08, 0.22), v.abs() - 0.12))
        )
    mask = _coloured(0.5 + 0.06 * noise(dice, count, size, 0.9), (0.02, 0.2, 0.1), (0.1, 0.5, 0.25))
    mask = (
        mask * (1 - copper[:, None])
        + _coloured(copper * 0.9, (0.4, 0.3, 0.1), (0.85, 0.7, 0.4)) * copper[:, None]
    )
    return mask * (1 - chips[:, None]) + 0.13 * chips[:, None]


def kernels(dice: Dice, x: Tensor, y: Tensor) -> Tensor:
    """A single nut on a dark ground, turned at random, its shell ribbed and mottled."""
    count, size = x.shape[0], x.shape[-1]
    x, y = turned(x, y, dice.even(count, 1, 1, high=6.283))
    x, y = x / dice.even(count, 1, 1, low=0.62, high=0.7), y / dice.even(count, 1, 1, low=0.52, high=0.6)
    radius = (x * x + y * y).sqrt() + 0.02 * noise(dice, count, size, 2.4)
    height = (1 - radius**2).clamp_min(0.02).sqrt()
    ribs = 0.08 * torch.sin(18 * x / (height + 0.4) + noise(dice, count, size, 2.2))
    cap = torch.sigmoid((x - 0.55 + 0.05 * noise(dice, count, size, 1.6)) * 25)
    shell = (0.25 + 0.55 * height + ribs + 0.06 * noise(dice, count, size, 1.1)) * (1 - 0.15 * cap)
    colour = _coloured(shell, (0.15, 0.07, 0.03), (0.85, 0.6, 0.38))
    cover = inside((radius - 1) * 0.6)[:, None]
    return colour * cover + 0.06 * (1 - cover)


SCENES: dict[str, Scene] = {
    "ground_steel": ground_steel,
    "timber": timber,
    "knitted": knitted,
    "perforated": perforated,
    "board": board,
    "kernels": kernels,
}


def _broken_line(dice: Dice, x: Tensor, y: Tensor) -> Tensor:
    """A crack: a walk of short straight pieces."""
    px, py, angle = dice.uniform(-0.5, 0.5), dice.uniform(-0.5, 0.5), dice.uniform(0, 6.283)
    best, step = torch.full_like(x, 9.0), dice.uniform(0.04, 0.1)
    for _ in range(dice.integer(3, 7)):
        u, v = turned(x - px, y - py, angle)
        best = torch.minimum(best, torch.maximum((u - step / 2).abs() - step / 2, v.abs()))
        px, py = px + step * math.cos(angle), py + step * math.sin(angle)
        angle += dice.uniform(-0.9, 0.9)
    return best - dice.scale(0.008, 0.018)


def _round(dice: Dice, x: Tensor, y: Tensor, low: float, high: float) -> Tensor:
    u, v = turned(x - dice.uniform(-0.55, 0.55), y - dice.uniform(-0.55, 0.55), dice.uniform(0, 3.1))
    return (u * u + (v * dice.uniform(1, 1.8)) ** 2).sqrt() - dice.scale(low, high)


def _crack(dice: Dice, picture: Tensor, x: Tensor, y: Tensor) -> Tensor:
    return picture * (1 - dice.scale(0.35, 0.9) * inside(_broken_line(dice, x, y)))


def _hole(dice: Dice, picture: Tensor, x: Tensor, y: Tensor) -> Tensor:
    distance = _round(dice, x, y, 0.02, 0.06)
    rim = torch.exp(-((distance / 0.015) ** 2)) * 0.1
    return picture * (1 - dice.scale(0.4, 0.9) * inside(distance)) + rim


def _dent(dice: Dice, picture: Tensor, x: Tensor, y: Tensor) -> Tensor:
    distance = _round(dice, x, y, 0.05, 0.13)
    slope = torch.exp(-((distance / 0.05) ** 2)) * torch.tanh((x + y - (x + y).mean()) * 2)
    return picture * (1 + dice.scale(0.3, 0.8) * slope)


def _fibre(dice: Dice, picture: Tensor, x: Tensor, y: Tensor) -> Tensor:
    u, v = turned(x - dice.uniform(-0.4, 0.4), y - dice.uniform(-0.4, 0.4), dice.uniform(0, 6.283))
    ring = ((u * u + v * v).sqrt() - dice.uniform(0.1, 0.3)).abs() - 0.01
    cover = inside(torch.maximum(ring, -u - dice.uniform(0, 0.1)))
    return picture * (1 - cover) + cover * (picture + dice.scale(0.2, 0.6)).clamp(0, 1)


def _worn(dice: Dice, picture: Tensor, x: Tensor, y: Tensor) -> Tensor:
    cover = inside(_round(dice, x, y, 0.12, 0.25), 8.0) * dice.uniform(0.7, 1)
    flat = (
        soft(soft(soft(soft(picture)))).mean((-2, -1), keepdim=True) * 0.5 + soft(soft(soft(picture))) * 0.5
    )
    return picture * (1 - cover) + flat * cover


def _chip(dice: Dice, picture: Tensor, x: Tensor, y: Tensor) -> Tensor:
    angle, where = dice.uniform(0, 6.283), dice.uniform(0.35, 0.7)
    u, v = turned(x, y, angle)
    wedge = torch.maximum(
        (u - where).abs() - dice.uniform(0.04, 0.1), (v + 0.5 * u).abs() - dice.uniform(0.03, 0.1)
    )
    cover = inside(wedge)
    return picture * (1 - cover) + cover * picture.mean((-2, -1), keepdim=True) * dice.uniform(0.5, 1.3)


DEFECTS = (_crack, _hole, _dent, _fibre, _worn, _chip)


@dataclass(frozen=True)
class HeldOut:
    """A held-out product's photographs, float32 [n, 3, S, S] in 0..1."""

    train: Tensor
    good: Tensor
    defective: Tensor


def held_out_product(name: str, train: int = 24, test: int = 24, size: int = 224, seed: int = 0) -> HeldOut:
    """Render a held-out product: good pieces to build on, good and defective pieces to test on."""
    dice = Dice(seed, list(SCENES).index(name), 4242)
    x, y = coordinates(train + 2 * test, size)
    colour = SCENES[name](dice, x.clone(), y.clone())
    centre_x, centre_y = coordinates(1, size)
    for i in range(train + test, train + 2 * test):
        spoilt = DEFECTS[i % len(DEFECTS)](dice, colour[i : i + 1], centre_x, centre_y)
        colour[i] = spoilt.clamp(0, 1)[0]
    shots = Camera(0.5, 0.2, (0.05, -0.05), 0.03, 0.08, 0.012).photograph(colour, dice)
    return HeldOut(shots[:train], shots[train : train + test], shots[train + test :])
