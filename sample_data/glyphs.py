"""Owns the stamping tool's letters: single-stroke glyphs, as distance from the stroke."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from sample_data.fields import Field

Stroke = list[tuple[float, float]]


def _arc(cx: float, cy: float, rx: float, ry: float, start: float, end: float, count: int = 10) -> Stroke:
    angles = np.radians(np.linspace(start, end, count))
    return [(cx + rx * float(np.cos(a)), cy + ry * float(np.sin(a))) for a in angles]


# Box 0..0.7 wide, 0..1 high, y upwards.
STROKES: dict[str, list[Stroke]] = {
    "M": [[(0.0, 0.0), (0.0, 1.0), (0.36, 0.35), (0.72, 1.0), (0.72, 0.0)]],
    "A": [[(0.0, 0.0), (0.34, 1.0), (0.68, 0.0)], [(0.12, 0.33), (0.56, 0.33)]],
    "1": [[(0.12, 0.78), (0.36, 1.0), (0.36, 0.0)]],
    "2": [[*_arc(0.32, 0.71, 0.30, 0.29, 165, -35), (0.02, 0.0), (0.64, 0.0)]],
    "0": [_arc(0.33, 0.5, 0.31, 0.5, 0, 360, 22)],
    "7": [[(0.0, 1.0), (0.62, 1.0), (0.22, 0.0)]],
    "-": [[(0.1, 0.45), (0.5, 0.45)]],
}
ADVANCE = 0.98


def text_distance(text: str, u: Field, v: Field) -> Field:
    """Distance from the strokes of ``text``, centred on the origin; unit: the letters' height; y upwards."""
    width = ADVANCE * (len(text) - 1) + 0.68
    nearest = np.full(u.shape, 9.0, np.float32)
    near = (np.abs(u) < width / 2 + 0.6) & (np.abs(v) < 1.1)
    x, y = u[near] + width / 2, v[near] + 0.5
    best = np.full(x.shape, 9.0, np.float32)
    for position, letter in enumerate(text):
        for stroke in STROKES[letter]:
            for start, end in pairwise(stroke):
                best = np.minimum(best, _segment(x - position * ADVANCE, y, start, end))
    nearest[near] = best
    return nearest


def _segment(x: Field, y: Field, start: tuple[float, float], end: tuple[float, float]) -> Field:
    dx, dy = end[0] - start[0], end[1] - start[1]
    t = np.clip(((x - start[0]) * dx + (y - start[1]) * dy) / (dx * dx + dy * dy), 0, 1)
    return np.hypot(x - start[0] - t * dx, y - start[1] - t * dy).astype(np.float32)
