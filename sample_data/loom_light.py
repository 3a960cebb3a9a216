"""Owns the light on the cloth: a raking lamp, shadows between yarns, shine along fibres, stray fuzz."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from sample_data.fields import Field, gradient, hairs
from sample_data.woven_fabric import Cloth, Relief, surface


@dataclass(frozen=True)
class Lamp:
    """The lamp beside the web, as one photograph sees it."""

    azimuth: float
    elevation: float
    power: float
    slant: tuple[float, float]  # brightness gradient across the picture
    warmth: float

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Lamp:
        """Draw the lamp: fixed, except for its mounting and its age."""
        return cls(
            azimuth=float(np.radians(-140 + rng.normal(0, 4))),
            elevation=float(np.radians(38 + rng.normal(0, 1.5))),
            power=float(np.exp(rng.normal(0, 0.06))),
            slant=(float(-0.10 + rng.normal(0, 0.02)), float(-0.07 + rng.normal(0, 0.02))),
            warmth=float(0.015 + rng.normal(0, 0.008)),
        )

    @property
    def direction(self) -> tuple[float, float, float]:
        """Unit vector towards the lamp; x right, y down the picture, z to the camera."""
        flat = np.cos(self.elevation)
        return (
            float(flat * np.cos(self.azimuth)),
            float(flat * np.sin(self.azimuth)),
            float(np.sin(self.elevation)),
        )


def scene(rng: np.random.Generator, piece: Cloth, lamp: Lamp) -> Field:
    """Light the cloth; linear radiance [S, S, 3]."""
    seen = surface(piece)
    light = shade(seen, lamp, piece.gloss)
    fuzz = hairs(rng, piece.u.shape, 420, (20, 90), 2.6)[..., None] * seen.covered[..., None]
    light = light * (1 - 0.30 * fuzz) + 0.30 * fuzz * 0.42 * np.array([1.0, 0.97, 0.92], np.float32)
    y, x = np.mgrid[-1 : 1 : light.shape[0] * 1j, -1 : 1 : light.shape[1] * 1j]
    even = 1 + lamp.slant[0] * x + lamp.slant[1] * y
    return (light * even[..., None]).astype(np.float32)


def shade(seen: Relief, lamp: Lamp, gloss: Field) -> Field:
    """Diffuse light wrapped round the fuzzy yarns, shadow, ambient light, fibre shine."""
    height = ndimage.gaussian_filter(seen.height, 0.7)
    slope_x, slope_y = gradient(height)
    length = 1 / np.sqrt(slope_x**2 + slope_y**2 + 1)
    lx, ly, lz = lamp.direction
    facing = (lz - slope_x * lx - slope_y * ly) * length
    diffuse = np.clip((facing + 0.22) / 1.22, 0, None)
    lit = diffuse * _unshadowed(height, lamp)
    ambient = (0.55 + 0.45 * length) * _openness(seen.height)
    warm = np.array([1 + lamp.warmth, 1.0, 0.96 - lamp.warmth], np.float32)
    cool = np.array([0.95, 1.0, 1.05], np.float32)
    body = 1.45 * lamp.power * lit[..., None] * warm + 0.42 * ambient[..., None] * cool
    half = np.array([lx, ly, lz + 1.0])
    half /= np.linalg.norm(half)
    tx, ty, tz = seen.tangent
    along = tx * half[0] + ty * half[1] + tz * half[2]
    shine = np.clip(1 - along**2, 0, 1) ** 14 * lit * gloss
    return (seen.colour * body + 0.030 * (shine * seen.covered)[..., None] * warm).astype(np.float32)


def _unshadowed(height: Field, lamp: Lamp) -> Field:
    """Share of the lamp that is not hidden by higher yarns on the way to it."""
    lx, ly, lz = lamp.direction
    flat = float(np.hypot(lx, ly))
    rise = lz / flat
    hidden = np.full(height.shape, -9.0, np.float32)
    for distance in (2, 4, 6, 9, 12, 16, 21, 27):
        step = (round(-distance * ly / flat), round(-distance * lx / flat))
        above = np.roll(height, step, axis=(0, 1)) - height - distance * rise
        hidden = np.maximum(hidden, above / (0.6 + 0.12 * distance))
    return (1 - 0.9 * ndimage.gaussian_filter(np.clip(0.5 + 0.5 * hidden, 0, 1), 0.8)).astype(np.float32)


def _openness(height: Field) -> Field:
    """Ambient light that reaches a point: less the deeper it lies among its neighbours."""
    closed = sum(
        np.clip(ndimage.gaussian_filter(height, sigma) - height, 0, None) / sigma
        for sigma in (3.0, 7.0, 14.0)
    )
    return np.exp(-1.1 * np.asarray(closed, np.float32))
