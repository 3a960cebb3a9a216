"""Owns worn surfaces: machined or cast grounds whose good pieces differ by light, stains, handling and dark rims.

On such products the changes between good pieces are as large as a defect. What the network has to learn from them is
that soft and wide changes are the product's own, and that small ones with an edge are not.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pretraining.dice import Dice
from pretraining.fields import inside, turned
from pretraining.materials import MATERIALS, Pattern, Place, brushed, cast, embossed, scratched, speckled

GROUNDS = (brushed, cast, scratched, speckled, embossed)
Wear = Callable[[Place], Tensor]  # place -> factor on the brightness [n, S, S]


def _each(place: Place, low: float, high: float) -> Tensor:
    """One number for each piece."""
    return place.dice.even(place.x.shape[0], 1, 1, low=low, high=high)


def clouds(dice: Dice) -> Wear:
    """Broad changes of tone."""
    strength, slope = dice.scale(0.02, 0.25), dice.uniform(1.8, 3.0)
    return lambda place: torch.exp(strength * place.noise(slope))


def drift(dice: Dice) -> Wear:
    """Light that falls off to a side, another in each photograph, in a line or in a bow."""
    strength = dice.scale(0.05, 0.5)

    def factor(place: Place) -> Tensor:
        along, _ = turned(place.x, place.y, _each(place, 0, 2 * math.pi))
        bow = 1.5 * along * along - 0.75
        return torch.exp(strength * _each(place, -1, 1) * torch.where(_each(place, 0, 1) < 0.5, along, bow))

    return factor


def stains(dice: Dice) -> Wear:
    """Blots with soft, ragged rims; none on some pieces, several on others."""
    most, strength, rim = dice.integer(1, 4), dice.scale(0.05, 0.5), dice.scale(0.06, 0.4)
    low = dice.scale(0.08, 0.3)

    def factor(place: Place) -> Tensor:
        result = torch.ones_like(place.x)
        for _ in range(most):
            away = (place.x - _each(place, -1, 1)) ** 2 + (
                (place.y - _each(place, -1, 1)) * _each(place, 0.5, 2)
            ) ** 2
            radius = _each(place, low, 3 * low)
            distance = away.sqrt() / radius - 1 + 0.35 * place.noise(1.9)
            depth = strength * _each(place, 0, 1) * (_each(place, 0, 1) < 0.6)
            result = result * (1 - depth * torch.sigmoid(-distance / rim))
        return result

    return factor


def rims(dice: Dice) -> Wear:
    """One or two sides that end in the dark (or the bright), never at quite the same place."""
    depth = dice.uniform(0.3, 0.98) if dice.chance(0.8) else dice.uniform(-0.6, -0.2)
    play, ragged, soft = dice.scale(0.01, 0.15), dice.scale(0.003, 0.08), dice.scale(0.015, 0.2)
    angle = dice.pick((0.0, math.pi / 2)) + 0.03 * dice.uniform(-1, 1)
    both, where = dice.chance(0.7), dice.uniform(0.7, 1.0)

    def factor(place: Place) -> Tensor:
        along, _ = turned(place.x, place.y, angle)
        along = along.abs() if both else along
        reach = where + play * place.dice.normal(place.x.shape[0], 1, 1) + ragged * place.noise(1.5)
        return 1 - depth * torch.sigmoid((along - reach) / soft)

    return factor


def hairs(dice: Dice) -> Wear:
    """Faint lines from handling, bright or dark, mostly along the grain."""
    strength, angle, most = dice.scale(0.03, 0.2), dice.uniform(0, math.pi), dice.integer(1, 6)
    loose, width = dice.scale(0.02, 1.0), dice.uniform(0.6, 1.6)

    def factor(place: Place) -> Tensor:
        result = torch.ones_like(place.x)
        for _ in range(most):
            turn = angle + loose * place.dice.normal(place.x.shape[0], 1, 1)
            u, v = turned(place.x - _each(place, -1, 1), place.y - _each(place, -1, 1), turn)
            line = torch.maximum(v.abs() - width / place.x.shape[-1], u.abs() - _each(place, 0.05, 1.2))
            depth = strength * _each(place, -1, 0.7) * (_each(place, 0, 1) < 0.6)
            result = result * (1 + depth * inside(line))
        return result

    return factor


def specks(dice: Dice) -> Wear:
    """Dust and pores: faint dots, too small to matter."""
    strength, level = dice.scale(0.04, 0.2), dice.uniform(2.2, 3.2)
    return lambda place: 1 - strength * torch.sigmoid((place.noise(0.5) - level) * 6)


WEARS = (clouds, drift, stains, rims, hairs, specks)
WEAR_SHARES = (0.7, 0.5, 0.6, 0.4, 0.45, 0.25)


@dataclass(frozen=True)
class Worn:
    """A class of worn surfaces: a fine ground, its tone, and what happens to good pieces."""

    patterns: tuple[Pattern, ...]
    strengths: tuple[float, ...]
    base: Tensor  # [3]
    wears: tuple[Wear, ...]
    exposure: float

    def paint(self, place: Place) -> Tensor:
        """Paint the colour [n, 3, S, S], about 0..1, not clipped."""
        field = torch.zeros_like(place.x)
        for pattern, strength in zip(self.patterns, self.strengths, strict=True):
            field = field + strength * pattern(place)
        factor = torch.exp(self.exposure * place.dice.normal(place.x.shape[0], 1, 1))
        for wear in self.wears:
            factor = factor * wear(place)
        return (self.base[None, :, None, None] + field[:, None]) * factor[:, None]


def worn(dice: Dice) -> Worn:
    """Draw a class of worn surfaces."""
    count = dice.integer(1, 2)
    choices = GROUNDS if dice.chance(0.85) else MATERIALS
    patterns = tuple(dice.pick(choices)(dice) for _ in range(count))
    strengths = tuple(dice.scale(0.01, 0.12) for _ in range(count))
    tint = 0.0 if dice.chance(0.7) else 0.1
    base = (dice.uniform(0.2, 0.75) + tint * dice.normal(3)).clamp(0.05, 0.9)
    wears = tuple(wear(dice) for wear, share in zip(WEARS, WEAR_SHARES, strict=True) if dice.chance(share))
    return Worn(patterns, strengths, base, wears, dice.scale(0.02, 0.35))
