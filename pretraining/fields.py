"""Owns the building blocks of every scene: coordinates, coloured noise, soft edges, cells."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pretraining.dice import Dice


def coordinates(count: int, size: int, device: str = "cpu") -> tuple[Tensor, Tensor]:
    """Return x and y, each [count, size, size], running from -1 to 1."""
    line = (torch.arange(size, device=device, dtype=torch.float32) + 0.5) / size * 2 - 1
    y, x = torch.meshgrid(line, line, indexing="ij")
    return x.expand(count, size, size), y.expand(count, size, size)


def noise(
    dice: Dice, count: int, size: int, slope: float, stretch: float = 1.0, angle: float = 0.0
) -> Tensor:
    """Random fields [count, size, size], mean 0, deviation 1, whose spectrum falls by a power law.

    Parameters
    ----------
    dice : Dice
        Where the chance comes from.
    count, size : int
        How many fields, and their side.
    slope : float
        0 is white noise, 1 is cloudy, 2 and more is smooth.
    stretch, angle : float
        Grain drawn out by ``stretch`` across ``angle`` (radians).
    """
    fy = torch.fft.fftfreq(size, device=dice.device)[:, None]
    fx = torch.fft.rfftfreq(size, device=dice.device)[None, :]
    c, s = math.cos(angle), math.sin(angle)
    u, v = (fx * c + fy * s) * stretch, (-fx * s + fy * c) / stretch
    amplitude = (u * u + v * v + 1e-4).pow(-slope / 2)
    amplitude[0, 0] = 0
    field = torch.fft.irfft2(torch.fft.rfft2(dice.normal(count, size, size)) * amplitude, s=(size, size))
    spread = field.flatten(1).std(1)[:, None, None]
    return (field - field.mean((1, 2), keepdim=True)) / (spread + 1e-6)


def turned(x: Tensor, y: Tensor, angle: float | Tensor) -> tuple[Tensor, Tensor]:
    """Rotate coordinates by an angle in radians."""
    c, s = (torch.cos(angle), torch.sin(angle)) if isinstance(angle, Tensor) else _cos_sin(angle)
    return x * c + y * s, -x * s + y * c


def _cos_sin(angle: float) -> tuple[float, float]:
    return math.cos(angle), math.sin(angle)


def inside(distance: Tensor, softness: float = 2.0) -> Tensor:
    """Turn a signed distance (negative inside, in units of half the picture) into coverage 0..1."""
    return torch.sigmoid(-distance * distance.shape[-1] / softness)


def cells(dice: Dice, x: Tensor, y: Tensor, points: int) -> tuple[Tensor, Tensor]:
    """Distances [n, S, S] to the nearest and second nearest of randomly strewn points (Worley 1996)."""
    count = x.shape[0]
    best = torch.full_like(x, 9.0)
    second = torch.full_like(x, 9.0)
    px, py = dice.even(count, points, low=-1.4, high=1.4), dice.even(count, points, low=-1.4, high=1.4)
    for i in range(points):
        d = (x - px[:, i, None, None]) ** 2 + (y - py[:, i, None, None]) ** 2
        second = torch.minimum(second, torch.maximum(best, d))
        best = torch.minimum(best, d)
    return best.sqrt(), second.sqrt()


def lit(height: Tensor, direction: float, strength: float) -> Tensor:
    """Shade a relief [n, S, S] by light from a direction (radians): about -1..1."""
    dx = height - torch.roll(height, 1, -1)
    dy = height - torch.roll(height, 1, -2)
    c, s = _cos_sin(direction)
    return torch.tanh((dx * c + dy * s) * strength)
