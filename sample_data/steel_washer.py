"""Owns the washer: its shape, its turned face, its pose under the camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sample_data import glyphs
from sample_data.fields import (
    Field,
    cloudy_noise,
    gradient,
    hairs,
    lookup,
    smooth_noise,
    smoothstep,
)

# All lengths in px of the supersampled scene, for a scene 896 px wide.
OUTER, INNER, THICKNESS = 372.0, 168.0, 44.0
MARK_RADIUS, MARK_HEIGHT, MARK_STROKE, MARK_DEPTH = 270.0, 76.0, 7.4, 5.5
ROLL, CHAMFER = 23.0, 19.0  # rounded outer edge, 45 degree inner edge
MARKS = (("M12", 0.0), ("A2-70", np.pi))


@dataclass
class Washer:
    """A washer as it lies there: fields over the scene that a defect may change before light falls on it."""

    x: Field  #: px from the axis, in the washer's own frame
    y: Field
    edge: Field  #: signed distance from the contour, negative in the metal, px
    height: Field  #: macroscopic relief of the upper face, px, 0 at the plain face
    slope_r: Field  #: slope added by turning marks, along the radius
    slope_x: Field  #: slope added by marks of negligible height
    slope_y: Field
    roughness: Field  #: factor on the width of the highlight
    grain: Field  #: 1 where the finish is turned, 0 where it is rough alike in all directions
    deposit: Field  #: [S, S] share covered by matter that is not metal
    deposit_colour: Field  #: [S, S, 3] linear albedo of that matter
    deposit_gloss: Field  #: its mirror share
    tint: Field  #: [S, S] tarnish, warm when positive
    turn: float  #: rotation of the washer in the scene, radians
    scratches: float = 0.0

    @property
    def radius(self) -> Field:
        """Distance from the axis, px."""
        return np.hypot(self.x, self.y)

    def scene_direction(self, along_x: Field, along_y: Field) -> tuple[Field, Field]:
        """Turn a vector of the washer's frame into the scene's."""
        c, s = np.float32(np.cos(self.turn)), np.float32(np.sin(self.turn))
        return c * along_x - s * along_y, s * along_x + c * along_y


def washer(rng: np.random.Generator, side: int) -> Washer:
    """Draw a good washer, a little turned and shifted as a feeder leaves it."""
    turn = float(rng.normal(0, np.radians(2.5)))
    shift = rng.normal(0, 0.008, 2) * side
    scale = side / 896 * float(np.exp(rng.normal(0, 0.008)))
    rows, columns = np.indices((side, side), dtype=np.float32)
    u, v = (columns - side / 2 - shift[0]) / scale, (rows - side / 2 - shift[1]) / scale
    c, s = np.cos(turn), np.sin(turn)
    x, y = (c * u + s * v).astype(np.float32), (-s * u + c * v).astype(np.float32)
    shape = (side, side)
    zeros = np.zeros(shape, np.float32)
    part = Washer(
        x=x, y=y, edge=_ring(x, y), height=zeros.copy(), slope_r=zeros.copy(), slope_x=zeros.copy(),
        slope_y=zeros.copy(), roughness=np.exp(0.04 * cloudy_noise(rng, shape, 60)), grain=np.ones(shape, np.float32),
        deposit=zeros.copy(), deposit_colour=np.zeros((*shape, 3), np.float32), deposit_gloss=zeros.copy(),
        tint=0.012 * cloudy_noise(rng, shape, 110, 4), turn=turn,
    )  # fmt: skip
    _shape(rng, part)
    _finish(rng, part)
    return part


def _ring(x: Field, y: Field) -> Field:
    r = np.hypot(x, y)
    return np.maximum(r - OUTER, INNER - r)


def _shape(rng: np.random.Generator, part: Washer) -> None:
    """Edges, stamped marks and the slight waviness that stamping leaves."""
    r = part.radius
    t = np.clip((r - (OUTER - ROLL)) / ROLL, 0, 0.995)
    part.height -= (ROLL * 0.8 * (1 - np.sqrt(1 - t * t))).astype(np.float32)
    inner = np.clip((INNER + CHAMFER - r) / CHAMFER, 0, 1)
    part.height -= (CHAMFER * 0.75 * (inner**2 / (inner + 0.12))).astype(np.float32)
    part.height += 0.4 * smooth_noise(rng, r.shape, 110)
    depth = rng.uniform(0.85, 1.1)
    for text, angle in MARKS:
        stamp(part, text, angle + rng.normal(0, 0.012), depth * rng.uniform(0.92, 1.05), rng.normal(0, 1.2))


def stamp(
    part: Washer,
    text: str,
    angle: float,
    depth: float,
    shift: float = 0.0,
    slant: float = 0.0,
    blunt: float = 1.0,
) -> None:
    """Strike ``text`` into the face, bent along the ring, its middle at ``angle`` from the top."""
    theta = np.arctan2(part.x, -part.y) - angle
    theta = (theta + np.pi) % (2 * np.pi) - np.pi
    size = MARK_HEIGHT if len(text) < 4 else 0.72 * MARK_HEIGHT
    u = (theta * (MARK_RADIUS + shift)) / size
    v = (part.radius - MARK_RADIUS - shift) / size
    u, v = u + slant * v, v - slant * u
    distance = glyphs.text_distance(text, u.astype(np.float32), v.astype(np.float32)) * size
    stroke = blunt * (MARK_STROKE if len(text) < 4 else 0.78 * MARK_STROKE)
    groove = smoothstep(stroke, 0.25 * stroke, distance)
    rim = np.exp(-(((distance - stroke * 1.25) / (0.5 * stroke)) ** 2))
    part.height += (MARK_DEPTH * depth * (0.22 * rim - groove)).astype(np.float32)
    part.roughness *= 1 + 0.5 * groove


def _finish(rng: np.random.Generator, part: Washer) -> None:
    """Turning marks that run round the axis, then handling marks that run anywhere."""
    r, theta = part.radius, np.arctan2(part.y, part.x)
    arcs = 1024
    turns = (theta / (2 * np.pi) * arcs).astype(np.float32)
    fine = smooth_noise(rng, (arcs, 1024), (70, 0.55))
    medium = smooth_noise(rng, (arcs, 1024), (30, 1.4))
    rings = smooth_noise(rng, (1, 1024), (0, 1.1))
    part.slope_r += 0.032 * lookup(fine, turns, r) + 0.006 * lookup(medium, turns, r)
    part.slope_r += 0.008 * lookup(np.repeat(rings, 2, axis=0), 0 * r, r)
    part.roughness *= np.exp(0.05 * lookup(medium, turns + 300, r))
    marks = hairs(rng, r.shape, 70, (20, 150), 0.5)
    slope_x, slope_y = gradient(marks)
    part.slope_x += 0.08 * slope_x
    part.slope_y += 0.08 * slope_y
    pits = smooth_noise(rng, r.shape, 1.3)
    part.slope_x += 0.004 * pits
    part.slope_y += 0.004 * np.roll(pits, 31, axis=0)
