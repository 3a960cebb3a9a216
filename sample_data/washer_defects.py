"""Owns the defects of a washer; each defect changes the part before light falls on it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sample_data.fields import Field, cloudy_noise, curve_field, smooth_noise, smoothstep, wander
from sample_data.steel_washer import INNER, OUTER, Washer, stamp

Defect = Callable[[np.random.Generator, Washer, float], None]


def scratch(rng: np.random.Generator, part: Washer, severity: float) -> None:
    """Grooves ploughed side by side across the turning marks, with the ridges they throw up."""
    angle = _clear_angle(rng)
    middle = _spot(part, rng.uniform(255, 285), angle)
    heading = angle + part.turn + rng.choice([-1, 1]) * rng.uniform(0.35, 0.95)
    length = 150 + 60 * severity
    start = (middle[0] - 0.5 * length * np.cos(heading), middle[1] - 0.5 * length * np.sin(heading))
    curve = curve_field(wander(rng, start, heading, length, 0.22), part.x.shape)
    width = (6.5 + 2.5 * severity) * _taper(curve.along)
    near = curve.distance
    for place in (-1.0, 1.0):
        beside = np.abs(curve.side - place * (19 + 5 * severity) * rng.uniform(0.8, 1.2))
        past_end = np.maximum(np.abs(curve.along - 0.5 - 0.14 * place) - 0.08 - 0.16 * severity, 0)
        near = np.minimum(near, 1.3 * beside + 32 * past_end)
    inside = smoothstep(1.0, 0.5, near / np.maximum(width, 0.5))
    rim = np.exp(-(((near - 1.3 * width) / (0.45 * width + 0.5)) ** 2)) * (width > 1)
    part.height += ((4.2 + 2.6 * severity) * (0.45 * rim - inside)).astype(np.float32)
    part.slope_x += inside * 0.12 * smooth_noise(rng, part.x.shape, 1.2)
    part.grain *= 1 - inside


def dent(rng: np.random.Generator, part: Washer, severity: float) -> None:
    """The imprint of another part's corner: a shallow oval hollow with a raised lip."""
    u, v = _local(part, *_spot(part, rng.uniform(235, 300), _clear_angle(rng)), rng.uniform(0, np.pi))
    size = 56 + 28 * severity
    distance = np.hypot(u / size, v / (0.72 * size)) + 0.06 * smooth_noise(rng, u.shape, 14)
    hollow = np.clip(1 - distance**2, 0, 1) ** 1.3
    lip = np.exp(-(((distance - 1.12) / 0.16) ** 2))
    part.height += (size * (0.20 + 0.12 * severity) * (0.07 * lip - hollow)).astype(np.float32)
    part.roughness *= 1 + 0.6 * hollow


def rust(rng: np.random.Generator, part: Washer, severity: float) -> None:
    """Corrosion that has spread from a spot, darker and thicker towards its middle."""
    u, v = _local(part, *_spot(part, rng.uniform(220, 330), rng.uniform(0, 2 * np.pi)), 0.0)
    size = 84 + 56 * severity
    field = 1.1 - np.hypot(u, v) / size + 0.36 * cloudy_noise(rng, u.shape, 26, 5, 0.7)
    stain, crust = smoothstep(0.0, 0.75, field), smoothstep(0.45, 0.8, field)
    mottle = cloudy_noise(rng, u.shape, 9, 4)[..., None]
    orange, brown = np.array([0.33, 0.13, 0.035]), np.array([0.115, 0.042, 0.016])
    colour = orange + (brown - orange) * crust[..., None]
    metal = part.edge < 0
    _cover(part, metal * np.clip(0.75 * stain + 0.2 * crust, 0, 0.95), colour * (1 + 0.22 * mottle), 0.10)
    part.height += (crust * (1.2 + 1.1 * smooth_noise(rng, u.shape, 2.2))).astype(np.float32)


def chipped_edge(rng: np.random.Generator, part: Washer, severity: float) -> None:
    """A bite out of the contour, its fracture rough and falling away."""
    angle = rng.uniform(0, 2 * np.pi)
    outer = rng.uniform() < 0.7
    size = 44 + 32 * severity
    u, v = _local(part, *_spot(part, OUTER + 0.1 * size if outer else INNER - 0.1 * size, angle), angle)
    bite = np.hypot(u, 0.75 * v) - size + 0.16 * size * smooth_noise(rng, u.shape, 11)
    part.edge = np.maximum(part.edge, -bite).astype(np.float32)
    broken = smoothstep(0.42 * size, 0.0, bite) * (bite < 0.5 * size)
    part.height -= (broken * (0.28 * size + 1.6 * smooth_noise(rng, u.shape, 4.0))).astype(np.float32)
    part.grain *= 1 - broken
    part.roughness *= 1 + 0.4 * broken


def misstruck(rng: np.random.Generator, part: Washer, severity: float) -> None:
    """The mark struck twice: the press bounced, the second strike turned and shifted."""
    sign = rng.choice([-1, 1])
    angle = sign * (0.12 + 0.20 * severity)
    stamp(
        part,
        "M12",
        angle,
        1.3 + 0.4 * severity,
        rng.choice([-1, 1]) * rng.uniform(12, 24),
        rng.uniform(-0.2, 0.2),
        1.4,
    )


def contamination(rng: np.random.Generator, part: Washer, severity: float) -> None:
    """Matter left lying on the part: a smear of grease, or a curl of blued swarf."""
    spot = _spot(part, rng.uniform(235, 300), _clear_angle(rng))
    if rng.uniform() < 0.5:
        _grease(rng, part, severity, spot)
    else:
        _swarf(rng, part, severity, spot)


def _grease(rng: np.random.Generator, part: Washer, severity: float, spot: tuple[float, float]) -> None:
    u, v = _local(part, *spot, rng.uniform(0, np.pi))
    size = 58 + 30 * severity
    field = 1 - np.hypot(u / size, v / (0.62 * size)) + 0.13 * cloudy_noise(rng, u.shape, 24, 3)
    smear = smoothstep(0.0, 0.16, field) * (part.edge < 0)
    _cover(part, 0.90 * smear, np.full((*u.shape, 3), (0.026, 0.019, 0.010)), 0.16)
    part.height += (5 * smoothstep(0.0, 0.7, field)).astype(np.float32)
    part.slope_r *= 1 - 0.9 * smear


def _swarf(rng: np.random.Generator, part: Washer, severity: float, spot: tuple[float, float]) -> None:
    turns = np.linspace(0, 2 * np.pi * (1.3 + 1.0 * severity), 20) * rng.choice([-1, 1])
    drift = rng.uniform(0, 2 * np.pi)
    ring = (27 + 10 * severity) * (1 + 0.15 * rng.standard_normal(20))
    points = np.stack([np.cos(turns), np.sin(turns)], axis=1) * ring[:, None]
    points += (
        np.linspace(-1, 1, 20)[:, None] * (44 + 24 * severity) * np.array([np.cos(drift), np.sin(drift)])
    )
    curve = curve_field(points + spot, part.x.shape)
    width = (7.0 + 2.5 * severity) * _taper(curve.along) * (0.8 + 0.25 * np.sin(60 * curve.along))
    ridge = np.sqrt(np.clip(1 - (curve.distance / np.maximum(width, 0.5)) ** 2, 0, 1))
    blue, straw = np.array([0.040, 0.052, 0.100]), np.array([0.170, 0.105, 0.040])
    heat = smoothstep(0.3, 0.9, curve.along + 0.25 * np.sin(9 * curve.along))[..., None]
    shade = smoothstep(2.4, 0.6, curve.distance / (width + 1)) * (part.edge < 0)
    _cover(part, 0.45 * shade, np.full((*shade.shape, 3), 0.02), 0.1)
    _cover(part, smoothstep(0.0, 0.45, ridge), blue + (straw - blue) * heat, 0.30)
    part.height += (1.1 * width * ridge).astype(np.float32)


DEFECTS: dict[str, Defect] = {
    "chipped_edge": chipped_edge,
    "contamination": contamination,
    "dent": dent,
    "misstruck": misstruck,
    "rust": rust,
    "scratch": scratch,
}


def _cover(part: Washer, share: Field, colour: Field, gloss: float) -> None:
    """Lay matter over the metal, above earlier matter."""
    keep = (part.deposit * (1 - share))[..., None]
    total = np.maximum(keep + share[..., None], 1e-6)
    part.deposit_colour = ((part.deposit_colour * keep + colour * share[..., None]) / total).astype(
        np.float32
    )
    part.deposit_gloss = ((part.deposit_gloss * keep[..., 0] + gloss * share) / total[..., 0]).astype(
        np.float32
    )
    part.deposit = np.clip(keep[..., 0] + share, 0, 1).astype(np.float32)


def _spot(part: Washer, radius: float, angle: float) -> tuple[float, float]:
    """Scene position (x, y in px) of a place on the part; the angle runs from the right, downwards."""
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    row, column = np.unravel_index(np.argmin((part.x - x) ** 2 + (part.y - y) ** 2), part.x.shape)
    return float(column), float(row)


def _local(part: Washer, column: float, row: float, angle: float) -> tuple[Field, Field]:
    rows, columns = np.indices(part.x.shape, dtype=np.float32)
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return c * (columns - column) + s * (rows - row), -s * (columns - column) + c * (rows - row)


def _clear_angle(rng: np.random.Generator) -> float:
    """An angle away from both marks, so that a defect changes the face."""
    return float(rng.choice([0, np.pi]) + rng.uniform(-0.85, 0.85))


def _taper(along: Field) -> Field:
    return np.clip(np.sin(np.pi * np.clip(along, 0.02, 0.98)) * 2.2, 0, 1) ** 0.7
