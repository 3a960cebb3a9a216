"""Made-up washers with made-up anomaly maps, the same on every call."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Part(NamedTuple):
    """An image, its map, its score and what is wrong with it."""

    pixels: NDArray[np.uint8]
    scores: NDArray[np.float32]
    score: float
    kind: str | None


def part(number: int, side: int = 224) -> Part:
    """Make a washer; every third has a scratch."""
    random = np.random.default_rng(number)
    y, x = (np.mgrid[0:side, 0:side] / side).astype(np.float32)
    centre = 0.5 + (random.random(2) - 0.5) * 0.04
    radius, angle = np.hypot(x - centre[0], y - centre[1]), np.arctan2(y - centre[1], x - centre[0])
    turn, light = random.random() * 6.28, 0.9 + random.random() * 0.2
    grey = 0.2 + 0.03 * np.sin(40 * x + 3 * np.sin(9 * y))
    metal = (0.55 + 0.16 * np.cos(2 * (angle - turn)) + 0.03 * np.sin(radius * 620)) * light
    grey = np.where((radius > 0.17) & (radius < 0.4), metal, grey)
    scores = 1.4 + 0.5 * np.sin(7 * x + 4 * y + number)
    kind = None
    if number % 3 == 0:
        kind = "scratch"
        place = centre + 0.28 * np.array([np.cos(turn), np.sin(turn)])
        along = (x - place[0]) * 0.8 + (y - place[1]) * 0.6 + 0.02 * np.sin(30 * y)
        across = (y - place[1]) * 0.8 - (x - place[0]) * 0.6
        grey = np.where((abs(along) < 0.006) & (abs(across) < 0.09), grey * 0.35, grey)
        peak = 3.0 + random.random() * 3.0
        hill = peak * (1.05 - np.maximum(abs(along) * 6, (abs(across) - 0.07) * 8).clip(0))
        scores = np.maximum(scores, hill)
    grey = grey + (random.random((side, side)) - 0.5) * 0.03
    pixels = (grey[..., None] * np.array([250, 252, 255])).clip(0, 255).astype(np.uint8)
    score = float(scores.max()) if kind else float(1.1 + random.random() * 2.1)
    return Part(pixels, scores.astype(np.float32), score, kind)


def large(side: int) -> Part:
    """Make a large image whose every pixel tells where it is: red = column, green = row, modulo 256."""
    place = np.arange(side, dtype=np.uint16)
    pixels = np.empty((side, side, 3), np.uint8)
    pixels[..., 0] = (place % 256)[None, :]
    pixels[..., 1] = (place % 256)[:, None]
    pixels[..., 2] = (place // 256)[None, :] * 8 + (place // 256)[:, None]
    small = part(6, 512)
    return Part(pixels, small.scores, small.score, small.kind)


def good_scores(count: int = 70) -> list[float]:
    """Return scores as good images have them."""
    random = np.random.default_rng(5)
    return [float(score) for score in 1.1 + random.random((count, 3)).sum(1) * 0.7]
