"""Owns the training materials: woven, brushed, cast, printed, granular and more, each a random class of surfaces."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pretraining.dice import Dice
from pretraining.fields import cells, lit, noise, turned

Pattern = Callable[["Place"], Tensor]


@dataclass(frozen=True)
class Place:
    """Where a material is painted: coordinates [n, S, S] in the product's own frame, and the chance of the instance."""

    x: Tensor
    y: Tensor
    dice: Dice

    def noise(self, slope: float, stretch: float = 1.0, angle: float = 0.0) -> Tensor:
        """Coloured noise of this place's shape."""
        return noise(self.dice, self.x.shape[0], self.x.shape[-1], slope, stretch, angle)


def cast(dice: Dice) -> Pattern:
    """Cloudy noise, from grit to smooth blotches."""
    slope = dice.uniform(0.1, 2.4)
    return lambda place: place.noise(slope) * 0.5


def brushed(dice: Dice) -> Pattern:
    """Streaks in one direction, with single bright or dark lines."""
    slope, stretch, angle = dice.uniform(0.3, 1.4), dice.scale(2.0, 9.0), dice.uniform(0, math.pi)
    lines, sharp = dice.uniform(0, 0.8), dice.uniform(1.5, 2.5)

    def paint(place: Place) -> Tensor:
        streaks = place.noise(slope, stretch, angle)
        single = place.noise(0.8, 14.0, angle)
        return streaks * 0.4 + lines * torch.relu(single.abs() - sharp) * single.sign()

    return paint


def striped(dice: Dice) -> Pattern:
    """Lines or ribs, sinusoidal to sharp."""
    angle, rate, sharp = dice.uniform(0, math.pi), dice.scale(3, 30), dice.scale(0.6, 12)
    return lambda place: (
        torch.tanh(sharp * torch.sin(turned(place.x, place.y, angle)[0] * rate * math.pi)) / math.tanh(sharp)
    )


def dotted(dice: Dice) -> Pattern:
    """A lattice of printed dots, diamonds or checks."""
    angle, rate, ratio = dice.uniform(0, math.pi), dice.scale(3, 22), dice.scale(0.6, 1.6)
    sharp, bias = dice.scale(0.7, 8), dice.uniform(-0.6, 0.6)

    def paint(place: Place) -> Tensor:
        u, v = turned(place.x, place.y, angle)
        return torch.tanh(
            sharp * (torch.sin(u * rate * math.pi) * torch.sin(v * rate * ratio * math.pi) + bias)
        )

    return paint


def granular(dice: Dice) -> Pattern:
    """Grains or crackle: nearest-point cells."""
    points, crackle = round(dice.scale(8, 70)), dice.chance(0.5)
    sharp = dice.scale(3, 20)

    def paint(place: Place) -> Tensor:
        first, second = cells(place.dice, place.x, place.y, points)
        return torch.tanh((second - first) * sharp) * 2 - 1 if crackle else 1 - torch.tanh(first * sharp) * 2

    return paint


def woven(dice: Dice) -> Pattern:
    """Two sets of threads crossing over and under."""
    angle, rate, thread = dice.uniform(0, math.pi), dice.scale(4, 20), dice.uniform(0.3, 1)
    ratio = dice.scale(0.7, 1.4)

    def paint(place: Place) -> Tensor:
        u, v = turned(place.x, place.y, angle)
        a, b = u * rate * math.pi, v * rate * ratio * math.pi
        over = torch.sin(a / 2) * torch.sin(b / 2) > 0
        return (torch.where(over, torch.sin(a).abs(), torch.sin(b).abs() * thread)) * 2 - 1

    return paint


def marbled(dice: Dice) -> Pattern:
    """Veins: a sine folded by smooth noise (Perlin 1985)."""
    angle, rate, fold = dice.uniform(0, math.pi), dice.scale(0.8, 6), dice.uniform(0.4, 3)
    slope, thin = dice.uniform(1.4, 2.4), dice.chance(0.5)

    def paint(place: Place) -> Tensor:
        wave = torch.sin(turned(place.x, place.y, angle)[0] * rate * math.pi + fold * place.noise(slope))
        return 1 - 2 * wave.abs().sqrt() if thin else wave

    return paint


def speckled(dice: Dice) -> Pattern:
    """Sparse grains on an even ground."""
    slope, level, bright = dice.uniform(0.2, 1.3), dice.uniform(0.9, 2.0), dice.chance(0.5)

    def paint(place: Place) -> Tensor:
        grains = torch.sigmoid((place.noise(slope) - level) * 8)
        return grains * (2 if bright else -2)

    return paint


def embossed(dice: Dice) -> Pattern:
    """A lit relief: leather, hammered or orange-peel lacquer."""
    slope, light, strength = dice.uniform(1.2, 2.2), dice.uniform(0, 2 * math.pi), dice.scale(1.5, 8)
    return lambda place: lit(place.noise(slope), light, strength)


def scratched(dice: Dice) -> Pattern:
    """Ground metal: fine scratches in two or three directions."""
    angles = [dice.uniform(0, math.pi) for _ in range(dice.integer(2, 3))]
    stretch, level = dice.scale(5, 16), dice.uniform(0.8, 1.8)

    def paint(place: Place) -> Tensor:
        layers = [torch.relu(place.noise(0.7, stretch, angle) - level) for angle in angles]
        return torch.stack(layers).sum(0)

    return paint


def plain(dice: Dice) -> Pattern:
    """An even ground; the camera's noise is all there is."""
    return lambda place: torch.zeros_like(place.x)


MATERIALS: tuple[Callable[[Dice], Pattern], ...] = (
    cast, brushed, striped, dotted, granular, woven, marbled, speckled, embossed, scratched, plain,
)  # fmt: skip


@dataclass(frozen=True)
class Surface:
    """A class of surfaces: one or two patterns over each other, in colours of its own."""

    patterns: tuple[Pattern, ...]
    tints: Tensor  # [patterns, 3]
    base: Tensor  # [3]

    def paint(self, place: Place) -> Tensor:
        """Paint the colour [n, 3, S, S], about 0..1, not clipped."""
        colour = self.base[None, :, None, None].expand(place.x.shape[0], 3, *place.x.shape[1:])
        for pattern, tint in zip(self.patterns, self.tints, strict=True):
            colour = colour + pattern(place)[:, None] * tint[None, :, None, None]
        return colour


def surface(dice: Dice) -> Surface:
    """Draw a class of surfaces."""
    layers = dice.pick((1, 2, 3), (0.4, 0.4, 0.2))
    patterns = tuple(dice.pick(MATERIALS)(dice) for _ in range(layers))
    strength = torch.tensor([dice.scale(0.03, 0.3) * (0.5**i) for i in range(layers)], device=dice.device)
    grey = dice.chance(0.5)
    tints = dice.normal(layers, 1).sign() + (0 if grey else 1) * dice.normal(layers, 3) * 0.5
    base = dice.even(1, low=0.15, high=0.85) + (0 if grey else 1) * dice.normal(3) * 0.15
    return Surface(patterns, tints.expand(layers, 3) * strength[:, None], base.expand(3).clamp(0.05, 0.95))
