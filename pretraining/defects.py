"""Owns the training defects: scratches, cracks, pits, stains, dirt, smears, dents, missing and foreign material."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from pretraining.camera import soft
from pretraining.dice import Dice
from pretraining.fields import coordinates, inside, noise, turned

STROKE_SHARE = 0.4


def _spots(dice: Dice, count: int, size: int) -> tuple[Tensor, Tensor]:
    """Coordinates [count, size, size] around a random place and direction of each picture."""
    x, y = coordinates(count, size, dice.device)
    x = x - dice.even(count, 1, 1, low=-0.85, high=0.85)
    y = y - dice.even(count, 1, 1, low=-0.85, high=0.85)
    return turned(x, y, dice.even(count, 1, 1, high=6.283))


def outlines(dice: Dice, count: int, size: int, cracks: float = 0.0) -> Tensor:
    """Signed distances [count, size, size] of random blobs, strokes and a share of cracks, negative inside."""
    u, v = _spots(dice, count, size)
    rough = noise(dice, count, size, 2.0)
    radius = dice.scales(count, 1, 1, low=0.025, high=0.4)
    aspect = torch.exp(dice.normal(count, 1, 1) * 0.45)
    ragged = dice.even(count, 1, 1, low=0, high=0.4)
    blob = ((u * aspect) ** 2 + (v / aspect) ** 2).sqrt() - radius * (1 + ragged * rough)
    width = dice.scales(count, 1, 1, low=0.008, high=0.06)
    half = dice.scales(count, 1, 1, low=0.08, high=0.9)
    wander = torch.where(dice.throws(count, 1, 1, share=0.5), 0.07, 0.0)
    middle = dice.normal(count, 1, 1) * 0.6 * u * u + wander * noise(dice, count, size, 2.2)
    taper = 1 - 0.6 * (u.abs() / half).clamp(0, 1)
    stroke = torch.maximum((v - middle).abs() - width * taper, u.abs() - half)
    drawn = torch.where(dice.throws(count, 1, 1, share=STROKE_SHARE), stroke, blob)
    if not cracks:
        return drawn
    crack = torch.maximum(_wandering(dice, count, size) - width / 2, u.abs().maximum(2 * v.abs()) - half)
    return torch.where(dice.throws(count, 1, 1, share=cracks), crack, drawn)


def _wandering(dice: Dice, count: int, size: int) -> Tensor:
    """Distances [count, size, size] to lines that wander without a plan: where smooth noise passes nought."""
    field = noise(dice, count, size, 1.9)
    slope = torch.hypot(field - field.roll(1, 1), field - field.roll(1, 2)) * size / 2
    return field.abs() / (functional.avg_pool2d(slope, 5, 1, 2) + 1e-3)


def _strength(dice: Dice, count: int, low: float, high: float) -> Tensor:
    sign = torch.where(dice.throws(count, 1, 1, 1, share=0.65), -1.0, 1.0)
    return dice.scales(count, 1, 1, 1, low=low, high=high) * sign


def _warped(dice: Dice, pictures: Tensor, cover: Tensor) -> Tensor:
    count, _, size, _ = pictures.shape
    x, y = coordinates(count, size, dice.device)
    shift = dice.normal(2, count, 1, 1) * 0.1
    grid = torch.stack([x + cover * shift[0], y + cover * shift[1]], -1)
    return functional.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)


def _tint(dice: Dice, pictures: Tensor, others: Tensor, distance: Tensor) -> Tensor:
    """Darker or brighter by a constant: soot, oil, scale."""
    return pictures + _strength(dice, len(pictures), 0.06, 0.6)


def _paint(dice: Dice, pictures: Tensor, others: Tensor, distance: Tensor) -> Tensor:
    """A foreign colour, half covering."""
    return pictures * 0.4 + 0.6 * dice.even(len(pictures), 3, 1, 1)


def _pit(dice: Dice, pictures: Tensor, others: Tensor, distance: Tensor) -> Tensor:
    """Dark in the middle, one side of the rim lit, the other in shadow."""
    slope = distance - torch.roll(distance, (1, 1), (-2, -1))
    rim = torch.tanh(slope * distance.shape[-1] * 0.5) * dice.even(len(pictures), 1, 1, low=0.05, high=0.3)
    return pictures * dice.even(len(pictures), 1, 1, 1, low=0.3, high=0.9) + rim[:, None]


def _foreign(dice: Dice, pictures: Tensor, others: Tensor, distance: Tensor) -> Tensor:
    """Another material."""
    return others


def _moved(dice: Dice, pictures: Tensor, others: Tensor, distance: Tensor) -> Tensor:
    """The product's own surface, but from elsewhere: missing or misplaced pieces."""
    size = distance.shape[-1]
    rows, columns = (dice.integer(size // 8, size // 2) for _ in range(2))
    return torch.roll(pictures, (rows, columns), (-2, -1))


def _smear(dice: Dice, pictures: Tensor, others: Tensor, distance: Tensor) -> Tensor:
    """Structure worn or wiped away."""
    return functional.avg_pool2d(pictures, 9, 1, 4, count_include_pad=False)


def _grain(dice: Dice, pictures: Tensor, others: Tensor, distance: Tensor) -> Tensor:
    """A rough or frayed place."""
    count, size = len(pictures), distance.shape[-1]
    return pictures + soft(dice.normal(count, 1, size, size)) * dice.even(count, 1, 1, 1, low=0.1, high=0.5)


def _shade(dice: Dice, pictures: Tensor, others: Tensor, distance: Tensor) -> Tensor:
    """Uneven brightness."""
    return pictures * (1 + _strength(dice, len(pictures), 0.15, 0.6))


def _dent(dice: Dice, pictures: Tensor, others: Tensor, distance: Tensor) -> Tensor:
    """The surface pushed aside."""
    return _warped(dice, pictures, inside(distance, 12.0))


# What a place looks like where the defect is, and how often.
FILLS = (_tint, _paint, _pit, _foreign, _moved, _smear, _grain, _shade, _dent)
FILL_SHARES = (0.40, 0.08, 0.14, 0.08, 0.07, 0.05, 0.05, 0.06, 0.07)


def spoil(
    dice: Dice, pictures: Tensor, others: Tensor, faintness: float = 1.0, cracks: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Paint one defect, sometimes two, on each picture.

    Parameters
    ----------
    dice : Dice
        Where the chance comes from.
    pictures, others : Tensor, float [n, 3, S, S]
        Good pictures in 0..1, and pictures of something else (foreign material).
    faintness : float
        Opacity; below 1 for the faint marks that some products carry when they are good.
    cracks : float
        Share of the defects that wander over the picture as a crack does.

    Returns
    -------
    spoiled : Tensor, float [n, 3, S, S]
    change : Tensor, float [n, S, S]
        By how much each pixel changed, mean over the channels.
    """
    count, _, size, _ = pictures.shape
    result = pictures
    for share in (1.0, 0.25):
        distance = outlines(dice, count, size, cracks)
        softness = dice.pick((2.0, 2.0, 6.0))
        cover = inside(distance, softness) * dice.throws(count, 1, 1, share=share)
        fills = []
        for part, other, away in zip(result.split(1), others.split(1), distance.split(1), strict=True):
            fills.append(dice.pick(FILLS, FILL_SHARES)(dice, part, other, away))
        cover = cover[:, None] * faintness
        result = (result * (1 - cover) + torch.cat(fills) * cover).clamp(0, 1)
    return result, (result - pictures).abs().mean(1)
