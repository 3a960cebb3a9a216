"""Owns the defects of a cloth; each defect changes yarns or dye before light falls on them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import ndimage

from sample_data.fields import Field, cloudy_noise, curve_field, smoothstep, wander
from sample_data.woven_fabric import PITCH, STEPS, SWING, Cloth, Thread, Yarns

Defect = Callable[[np.random.Generator, Cloth, float], None]


def broken_yarn(rng: np.random.Generator, piece: Cloth, severity: float) -> None:
    """A yarn that ended: a ladder of bare crossings between two frayed ends."""
    group, across, along = _yarn_at(rng, piece)
    reach = 4.2 + 2.2 * severity
    s = _samples(group)
    gap = smoothstep(reach + 0.35, reach - 0.35, np.abs(s - along))
    group.width[across] *= 1 - gap
    group.shift[across] += 0.25 * np.exp(-(((np.abs(s - along) - reach) / 0.7) ** 2)) * rng.choice([-1, 1])
    near = 0.16 * smoothstep(reach + 1.0, reach - 1.0, np.abs(s - along))
    group.shift[across - 1] += near
    group.shift[across + 1] -= near


def hole(rng: np.random.Generator, piece: Cloth, severity: float) -> None:
    """Yarns of both sets torn away, the rest pushed aside."""
    row, column = _place(rng, piece)
    centre = {"warp": (piece.u[row, column], piece.v[row, column])}
    centre["weft"] = centre["warp"][::-1]
    radius = 1.25 + 1.35 * severity
    for name, group in (("warp", piece.warp), ("weft", piece.weft)):
        across, along = centre[name]
        s = _samples(group)
        for index in range(int(across - radius - 3), int(across + radius + 4)):
            aside = index + 0.5 - across
            half = np.sqrt(max(radius**2 - aside**2, 0)) * rng.uniform(0.85, 1.15)
            if half > 0.3:
                middle = along + rng.normal(0, 0.15)
                group.width[index] *= 1 - smoothstep(half + 0.3, half - 0.3, np.abs(s - middle))
            push = (
                0.30
                * np.exp(-((aside / (radius + 0.6)) ** 2))
                * np.exp(-(((s - along) / (radius + 0.5)) ** 2))
            )
            group.shift[index] += (np.sign(aside) * push).astype(np.float32)
    pitch = PITCH * piece.u.shape[0] / 896
    for end in range(5 + int(4 * severity)):
        angle = rng.uniform(0, 2 * np.pi)
        rim = (column + radius * pitch * np.cos(angle), row + radius * pitch * np.sin(angle))
        inwards = angle + np.pi + rng.normal(0, 0.5)
        points = wander(rng, rim, inwards, radius * pitch * rng.uniform(0.3, 0.75), 1.2, 4)
        colour = (piece.warp, piece.weft)[end % 2].colour
        piece.threads.append(Thread(curve_field(points, piece.u.shape), rng.uniform(1.5, 3.0), colour))


def stain(rng: np.random.Generator, piece: Cloth, severity: float) -> None:
    """Oil that has soaked in: darker, warmer, duller, with a rim where it dried."""
    row, column = _place(rng, piece)
    rows, columns = np.indices(piece.u.shape, dtype=np.float32)
    size = 74 + 60 * severity
    field = 1 - np.hypot(rows - row, (columns - column) * rng.uniform(0.8, 1.25)) / size
    field = field + 0.30 * cloudy_noise(rng, rows.shape, 34, 4)
    wet = smoothstep(0.0, 0.16, field)
    rim = np.exp(-(((field - 0.10) / 0.07) ** 2))
    strength = 0.68 + 0.26 * severity
    loss = np.clip(strength * (0.85 * wet + 0.25 * rim), 0, 0.94)[..., None]
    piece.dye *= 1 - loss * np.array([0.80, 0.90, 1.0], np.float32)
    piece.gloss *= 1 - 0.6 * wet


def slub(rng: np.random.Generator, piece: Cloth, severity: float) -> None:
    """A lump spun into a yarn, standing above the cloth and pushing its neighbours aside."""
    group, across, along = _yarn_at(rng, piece)
    s = _samples(group)
    length = 2.4 + 1.4 * severity
    swell = np.exp(-((np.abs(s - along) / length) ** 2.6))
    group.width[across] *= 1 + (0.95 + 0.55 * severity) * swell
    group.level[across] += (0.46 + 0.30 * severity) * swell
    for side in (-1, 1):
        group.shift[across + side] += side * (0.30 + 0.14 * severity) * swell
        group.shift[across + 2 * side] += side * 0.14 * swell


def foreign_thread(rng: np.random.Generator, piece: Cloth, severity: float) -> None:
    """A thread of another cloth caught on the surface."""
    row, column = _place(rng, piece)
    heading = rng.uniform(0, 2 * np.pi)
    length = 280 + 240 * severity
    start = (column - 0.45 * length * np.cos(heading), row - 0.45 * length * np.sin(heading))
    points = wander(rng, start, heading, length, 2.0, 9)
    colours = ((0.30, 0.035, 0.030), (0.020, 0.020, 0.022), (0.42, 0.19, 0.020))
    colour = np.array(colours[int(rng.integers(len(colours)))], np.float32)
    piece.threads.append(Thread(curve_field(points, piece.u.shape), 7.0 + 2.5 * severity, colour))


def misweave(rng: np.random.Generator, piece: Cloth, severity: float) -> None:
    """Warps that missed their crossings and float over the wefts they should have gone under."""
    row, column = _place(rng, piece)
    warp, along = int(piece.u[row, column]), float(piece.v[row, column])
    reach = 2.6 + 2.0 * severity
    for neighbour in range(1 + round(1.4 * severity)):
        index = warp + neighbour
        s = _samples(piece.warp)
        over = smoothstep(reach, reach - 0.7, np.abs(s - along - rng.normal(0, 0.4)))
        piece.warp.level[index] += over * (1.15 * SWING - piece.warp.level[index])
        for weft in range(int(along - reach), int(along + reach) + 1):
            under = (
                np.exp(-(((_samples(piece.weft) - index - 0.5) / 0.6) ** 2)) * over[int((weft + 0.5) * STEPS)]
            )
            piece.weft.level[weft] += under * (-SWING - piece.weft.level[weft])
        piece.warp.level[index] = ndimage.gaussian_filter1d(piece.warp.level[index], 0.15 * STEPS)
        piece.warp.width[index] *= 1 + 0.16 * over


DEFECTS: dict[str, Defect] = {
    "broken_yarn": broken_yarn,
    "foreign_thread": foreign_thread,
    "hole": hole,
    "misweave": misweave,
    "slub": slub,
    "stain": stain,
}


def _place(rng: np.random.Generator, piece: Cloth) -> tuple[int, int]:
    row, column = (rng.uniform(0.2, 0.8, 2) * piece.u.shape[0]).astype(int)
    return int(row), int(column)


def _yarn_at(rng: np.random.Generator, piece: Cloth) -> tuple[Yarns, int, float]:
    """One yarn of either set, and the place along it, somewhere in the picture."""
    row, column = _place(rng, piece)
    u, v = float(piece.u[row, column]), float(piece.v[row, column])
    return (piece.weft, int(v), u) if rng.uniform() < 0.6 else (piece.warp, int(u), v)


def _samples(group: Yarns) -> Field:
    """Position of every table sample along the yarn, in crossings."""
    return ((np.arange(group.width.shape[1]) + 0.5) / STEPS).astype(np.float32)
