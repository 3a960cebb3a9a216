"""Owns the training parts: lit shapes with edges, holes, threads and marks, lying on a ground."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pretraining.dice import Dice
from pretraining.fields import inside, noise, turned
from pretraining.materials import Place, Surface, surface

Outline = Callable[[Tensor, Tensor, Dice], Tensor]  # x, y in units of the part's radius -> signed distance


def disc(dice: Dice) -> Outline:
    """A round part."""
    return lambda x, y, chance: (x * x + y * y).sqrt() - 1


def plate(dice: Dice) -> Outline:
    """A rectangle with rounded corners."""
    aspect, rounding = dice.uniform(0.3, 1), dice.uniform(0, 0.4)

    def outline(x: Tensor, y: Tensor, chance: Dice) -> Tensor:
        r = rounding * aspect
        dx, dy = x.abs() - 1 + r, y.abs() - aspect + r
        outer = (dx.clamp_min(0) ** 2 + dy.clamp_min(0) ** 2).sqrt()
        return outer + torch.maximum(dx, dy).clamp_max(0) - r

    return outline


def ring(dice: Dice) -> Outline:
    """A washer or seal."""
    wall = dice.uniform(0.12, 0.4)
    return lambda x, y, chance: ((x * x + y * y).sqrt() - 1 + wall).abs() - wall


def gear(dice: Dice) -> Outline:
    """A toothed or lobed disc."""
    teeth, depth, sharp = dice.integer(3, 18), dice.uniform(0.04, 0.25), dice.scale(0.5, 4)

    def outline(x: Tensor, y: Tensor, chance: Dice) -> Tensor:
        wave = torch.tanh(sharp * torch.sin(teeth * torch.atan2(y, x))) / math.tanh(sharp)
        return (x * x + y * y).sqrt() - 1 + depth * (1 - wave)

    return outline


def polygon(dice: Dice) -> Outline:
    """A nut or another regular polygon."""
    sides = dice.integer(3, 8)

    def outline(x: Tensor, y: Tensor, chance: Dice) -> Tensor:
        step = 2 * math.pi / sides
        angle = torch.remainder(torch.atan2(y, x), step) - step / 2
        return (x * x + y * y).sqrt() * torch.cos(angle) - math.cos(step / 2)

    return outline


def threaded(dice: Dice) -> Outline:
    """A bar with a thread along its sides."""
    aspect, pitch, depth = dice.uniform(0.15, 0.5), dice.integer(8, 26), dice.uniform(0.01, 0.06)

    def outline(x: Tensor, y: Tensor, chance: Dice) -> Tensor:
        profile = aspect + depth * torch.sin(x * pitch * math.pi + (y > 0) * math.pi)
        return torch.maximum(x.abs() - 1, y.abs() - profile)

    return outline


def organic(dice: Dice) -> Outline:
    """A nut, bean or grain: round, but never twice the same."""
    aspect, wobble = dice.uniform(0.6, 1), dice.uniform(0.02, 0.15)

    def outline(x: Tensor, y: Tensor, chance: Dice) -> Tensor:
        field = noise(chance, x.shape[0], x.shape[-1], 2.4)
        return ((x * x) + (y / aspect) ** 2).sqrt() - 1 + wobble * field

    return outline


OUTLINES = (disc, plate, ring, gear, polygon, threaded, organic)


def glyphs(dice: Dice) -> Outline:
    """A text-like mark: a row of short strokes and arcs."""
    strokes = []
    for column in range(dice.integer(1, 5)):
        for _ in range(dice.integer(2, 4)):
            centre = (column * 0.6 - 1 + dice.uniform(-0.1, 0.1), dice.uniform(-0.3, 0.3))
            strokes.append((*centre, dice.pick((0.0, math.pi / 2, 0.8, -0.8)), dice.uniform(0.1, 0.35)))
    width = dice.uniform(0.03, 0.09)

    def outline(x: Tensor, y: Tensor, chance: Dice) -> Tensor:
        best = torch.full_like(x, 9.0)
        for cx, cy, angle, half in strokes:
            u, v = turned(x - cx, y - cy, angle)
            best = torch.minimum(best, torch.maximum(u.abs() - half, v.abs() - width))
        return best

    return outline


@dataclass(frozen=True)
class Piece:
    """One shape of a part: where it is, what it is made of, how it stands out."""

    outline: Outline
    centre: tuple[float, float]
    radius: float
    angle: float
    tint: Tensor  # [3], added to the surface
    skin: Surface | None  # None: the tint alone, over what lies below
    dome: float  # how round it looks, 0 flat
    bevel: float  # width of the lit edge, in radii
    shadow: float

    def paint(self, colour: Tensor, place: Place, light: float) -> Tensor:
        """Lay the piece over a picture [n, 3, S, S]."""
        x, y = turned(place.x - self.centre[0], place.y - self.centre[1], self.angle)
        x, y = x / self.radius, y / self.radius
        distance = self.outline(x, y, place.dice)
        cover = inside(distance * self.radius)[:, None]
        if self.shadow > 0:
            shift = round(self.shadow * 0.06 * x.shape[-1])
            moved = torch.roll(
                distance, (round(shift * math.sin(light)), round(shift * math.cos(light))), (-2, -1)
            )
            colour = colour * (1 - 0.5 * self.shadow * torch.sigmoid(-moved * 12)[:, None] * (1 - cover))
        skin = colour if self.skin is None else self.skin.paint(Place(x, y, place.dice))
        towards = (x * math.cos(light - self.angle) + y * math.sin(light - self.angle)).clamp(-1.5, 1.5)
        edge = torch.exp(-((distance / self.bevel) ** 2)) * torch.tanh(towards * 3)
        shade = 1 - (self.dome * 0.35 * towards + 0.35 * edge * (self.dome + 0.3))[:, None]
        return colour * (1 - cover) + (skin + self.tint[None, :, None, None]) * shade * cover


@dataclass(frozen=True)
class Part:
    """A class of parts: a ground and the pieces upon it, in order."""

    ground: Surface
    pieces: tuple[Piece, ...]
    light: float

    def paint(self, place: Place) -> Tensor:
        """Paint the colour [n, 3, S, S], not clipped."""
        colour = self.ground.paint(place)
        for piece in self.pieces:
            colour = piece.paint(colour, place, self.light)
        return colour


def _piece(dice: Dice, outline: Outline, centre: tuple[float, float], radius: float, main: bool) -> Piece:
    tint = dice.normal(1).expand(3) * 0.2 + (0 if dice.chance(0.6) else 1) * dice.normal(3) * 0.15
    return Piece(
        outline,
        centre,
        radius,
        dice.uniform(0, 2 * math.pi),
        tint if not main else tint * 0.3,
        surface(dice) if main or dice.chance(0.3) else None,
        dice.uniform(0, 1) if dice.chance(0.7) else 0.0,
        dice.scale(0.04, 0.3),
        dice.uniform(0, 1) if dice.chance(0.5) else 0.0,
    )


def part(dice: Dice) -> Part:
    """Draw a class of parts: a body, with holes, bolts in a circle, marks and smaller shapes on it."""
    ground = surface(dice)
    if dice.chance(0.5):
        ground = Surface((), ground.tints[:0], (ground.base * dice.uniform(0.1, 1)).clamp(0.02, 0.95))
    centre = (dice.uniform(-0.15, 0.15), dice.uniform(-0.15, 0.15))
    radius = dice.uniform(0.4, 0.95)
    pieces = [_piece(dice, dice.pick(OUTLINES)(dice), centre, radius, main=True)]
    if dice.chance(0.4):
        count, turn, ring_radius = dice.integer(2, 8), dice.uniform(0, 6), radius * dice.uniform(0.4, 0.75)
        model = _piece(dice, dice.pick(OUTLINES)(dice), centre, radius * dice.uniform(0.06, 0.2), main=False)
        for i in range(count):
            angle = turn + 2 * math.pi * i / count
            spot = (centre[0] + ring_radius * math.cos(angle), centre[1] + ring_radius * math.sin(angle))
            pieces.append(Piece(model.outline, spot, *list(vars(model).values())[2:]))
    for _ in range(dice.integer(0, 3)):
        spot = (centre[0] + radius * dice.uniform(-0.5, 0.5), centre[1] + radius * dice.uniform(-0.5, 0.5))
        shape = dice.pick((*OUTLINES, glyphs, glyphs))(dice)
        pieces.append(_piece(dice, shape, spot, radius * dice.scale(0.1, 0.6), main=False))
    return Part(ground, tuple(pieces), dice.uniform(0, 2 * math.pi))
