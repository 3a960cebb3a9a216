"""Owns the light on the washer: soft boxes over a conveyor belt, reflection, shadow, the finished scene."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.stats import norm, qmc

from sample_data.fields import Field, cloudy_noise, gradient, hairs, smooth_noise, smoothstep
from sample_data.steel_washer import INNER, OUTER, THICKNESS, Washer

STEEL = np.array([0.60, 0.585, 0.565], np.float32)  # reflectance at normal incidence
BELT = np.array([0.022, 0.050, 0.052], np.float32)  # petrol green PVC
ACROSS, ALONG = 0.17, 0.05  # spread of the micro-slopes across and along the turning marks
EYE = 3.4  # distance of the camera, in half widths of the scene
MICROFACETS = 24


@dataclass(frozen=True)
class Light:
    """The lamps over the station, as one photograph sees them."""

    azimuth: float  # angle of the main soft box, radians
    elevation: float
    power: float
    warmth: float
    tilt: tuple[float, float]  # tilt of the camera against the axis

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Light:
        """Draw the lamps: fixed to the frame, except that belts shake and daylight comes in."""
        return cls(
            azimuth=float(np.radians(-128 + rng.normal(0, 2))),
            elevation=float(np.radians(52 + rng.normal(0, 0.8))),
            power=float(np.exp(rng.normal(0, 0.035))),
            warmth=float(rng.normal(0, 0.012)),
            tilt=(float(0.10 + rng.normal(0, 0.006)), float(0.17 + rng.normal(0, 0.006))),
        )

    @property
    def direction(self) -> tuple[float, float, float]:
        """Unit vector towards the main soft box; x right, y down the picture, z to the camera."""
        flat = np.cos(self.elevation)
        return (
            float(flat * np.cos(self.azimuth)),
            float(flat * np.sin(self.azimuth)),
            float(np.sin(self.elevation)),
        )


def _soft_box(
    ray: list[Field], light: Light, turn: float, elevation: float, size: tuple[float, float]
) -> Field:
    """Share of a rectangular lamp seen along each ray: 1 inside, soft at the rim."""
    a, e = light.azimuth + turn, elevation
    towards = (np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e))
    right = (-np.sin(a), np.cos(a), 0.0)
    up = (-np.sin(e) * np.cos(a), -np.sin(e) * np.sin(a), np.cos(e))
    depth, i, j = (sum(np.float32(axis[k]) * ray[k] for k in range(3)) for axis in (towards, right, up))
    ahead = np.maximum(depth, 1e-3)
    inside = smoothstep(size[0] * 1.25, size[0] * 0.8, np.abs(i / ahead))
    inside *= smoothstep(size[1] * 1.25, size[1] * 0.8, np.abs(j / ahead))
    return np.where(depth > 0, inside, 0).astype(np.float32)


def surroundings(ray: list[Field], light: Light) -> Field:
    """Radiance that arrives from each direction, [..., 3]: belt below, dim hall, lamps above."""
    upward = ray[2]
    hall = 0.06 + 0.13 * smoothstep(0.0, 0.9, upward) + 0.05 * ray[0]
    hall *= 1 - 0.75 * smoothstep(0.975, 0.995, upward)  # the camera itself, black
    main = 2.5 * light.power * _soft_box(ray, light, 0.0, light.elevation, (0.52, 0.34))
    fill = 0.8 * _soft_box(ray, light, 2.75, np.radians(48), (0.9, 0.30))
    strip = 1.1 * _soft_box(ray, light, -1.35, np.radians(22), (0.5, 0.10))
    warm = np.array([1 + light.warmth, 1.0, 0.97 - light.warmth], np.float32)
    cool = np.array([0.93, 1.0, 1.07], np.float32)
    lamps = main[..., None] * warm + (fill + strip)[..., None] * cool
    room = np.maximum(hall, 0)[..., None] * np.array([0.95, 1.0, 1.03], np.float32)
    return np.where(upward[..., None] > 0, room + lamps, 1.6 * BELT * (1 + upward[..., None])).astype(
        np.float32
    )


def _mirror(part: Washer, light: Light, where: np.ndarray, slope: tuple[Field, Field]) -> Field:
    """Light that the turned steel reflects to the camera, [n, 3]: an average over its microfacets.

    The micro-slopes are Gaussian, wide across the turning marks and narrow along them (Ward's model), each a
    small mirror that sees the surroundings.
    """
    rows, columns = np.nonzero(where)
    side = where.shape[0]
    view_x = (np.float32(1) - 2 * columns / side).astype(np.float32) / EYE + np.float32(light.tilt[0])
    view_y = (np.float32(1) - 2 * rows / side).astype(np.float32) / EYE + np.float32(light.tilt[1])
    norm_view = np.sqrt(view_x**2 + view_y**2 + 1)
    view = [view_x / norm_view, view_y / norm_view, 1 / norm_view]
    r = np.maximum(part.radius[where], 1)
    radial = part.scene_direction(part.x[where] / r, part.y[where] / r)
    rough, grain = part.roughness[where], part.grain[where]
    isotropic = np.float32(0.20)
    across = (ACROSS * grain + isotropic * (1 - grain)) * rough
    along = (ALONG * grain + isotropic * (1 - grain)) * rough
    total = np.zeros((len(rows), 3), np.float32)
    quantiles = qmc.Halton(2, scramble=False).random(MICROFACETS + 1)[1:]
    for a, b in norm.ppf(np.clip(quantiles, 0.01, 0.99)).astype(np.float32):
        facet_x = -slope[0] + a * across * radial[0] - b * along * radial[1]
        facet_y = -slope[1] + a * across * radial[1] + b * along * radial[0]
        length = 1 / np.sqrt(facet_x**2 + facet_y**2 + 1)
        facet = [facet_x * length, facet_y * length, length]
        cosine = sum(facet[k] * view[k] for k in range(3))
        ray = [2 * cosine * facet[k] - view[k] for k in range(3)]
        fresnel = (1 - np.clip(cosine, 0, 1))[:, None] ** 5
        total += (STEEL + (1 - STEEL) * fresnel) * surroundings(ray, light)
    return total / MICROFACETS


def scene(rng: np.random.Generator, part: Washer, light: Light) -> Field:
    """Light the washer on its belt; linear radiance [S, S, 3]."""
    side = part.x.shape[0]
    scale = side / 896
    top = smoothstep(0.8, -0.8, part.edge)
    below = _shifted(top, light, THICKNESS * scale)
    sides = np.max([_shifted(top, light, THICKNESS * scale * k) for k in np.linspace(0.1, 1, 12)], axis=0)
    picture = _belt(rng, side, light) * _shadow(below, light, THICKNESS * scale)[..., None]
    picture = picture * (1 - sides[..., None]) + _walls(part, light) * sides[..., None]
    where = part.edge < 1.5
    face = np.zeros((side, side, 3), np.float32)
    face[where] = _face(part, light, where)
    falloff = _near_lamp(side, light)
    return (picture * (1 - top[..., None]) + face * top[..., None]) * falloff[..., None]


def _face(part: Washer, light: Light, where: np.ndarray) -> Field:
    slope_x, slope_y = (slope * (part.x.shape[0] / 896) for slope in gradient(part.height))
    r = np.maximum(part.radius, 1)
    radial = part.scene_direction(part.x / r, part.y / r)
    slope_x = slope_x + part.slope_r * radial[0] + part.slope_x
    slope_y = slope_y + part.slope_r * radial[1] + part.slope_y
    metal = _mirror(part, light, where, (slope_x[where], slope_y[where]))
    tint = part.tint[where][:, None]
    metal *= 1 + tint * np.array([1.0, -0.1, -1.6], np.float32)
    hollow = ndimage.gaussian_filter(part.height, 9) - part.height
    metal *= np.exp(-0.13 * np.clip(hollow[where], 0, 6))[:, None]
    return _deposit(part, light, where, metal, (slope_x[where], slope_y[where]))


def _deposit(
    part: Washer, light: Light, where: np.ndarray, metal: Field, slope: tuple[Field, Field]
) -> Field:
    """Cover the metal with rust, oil or swarf, lit as matt matter with some gloss."""
    cover = part.deposit[where][:, None]
    length = np.sqrt(slope[0] ** 2 + slope[1] ** 2 + 1)
    towards = light.direction
    facing = np.clip((towards[2] - slope[0] * towards[0] - slope[1] * towards[1]) / length, 0, 1)
    matt = part.deposit_colour[where] * (0.35 + 1.35 * light.power * facing)[:, None]
    gloss = part.deposit_gloss[where][:, None]
    return metal * (1 - cover) + cover * (matt + gloss * metal)


def _walls(part: Washer, light: Light) -> Field:
    """The cut edge of the sheet, where the tilted camera sees it."""
    r = np.maximum(part.radius, 1)
    outward = np.where(r > (OUTER + INNER) / 2, 1, -1) / r
    normal_x, normal_y = part.scene_direction(part.x * outward, part.y * outward)
    towards = light.direction
    lit = np.clip(normal_x * towards[0] + normal_y * towards[1], 0, 1)
    streaks = 1 + 0.25 * np.sin(np.arctan2(part.y, part.x) * 190) * np.sin(np.arctan2(part.y, part.x) * 67)
    return ((0.05 + 0.55 * lit * streaks)[..., None] * STEEL * 0.8).astype(np.float32)


def _shifted(mask: Field, light: Light, depth: float) -> Field:
    """A field ``depth`` px under the upper face, as the tilted camera sees it."""
    return ndimage.shift(mask, (depth * light.tilt[1], depth * light.tilt[0]), order=1, mode="constant")


def _shadow(below: Field, light: Light, thickness: float) -> Field:
    """Share of light that reaches the belt: a soft core shadow and the darkness close to the contact."""
    blocked = np.zeros_like(below)
    offsets = np.linspace(-0.5, 0.5, 5)
    for da in offsets:
        for de in offsets:
            azimuth, elevation = light.azimuth + 0.8 * da, light.elevation + 0.55 * de
            reach = thickness / np.tan(elevation)
            step_x, step_y = reach * np.cos(azimuth), reach * np.sin(azimuth)
            ray = [
                np.roll(below, (round(-t * step_y), round(-t * step_x)), (0, 1)) for t in (0.25, 0.5, 0.75, 1)
            ]
            blocked += np.max(ray, axis=0)
    blocked /= len(offsets) ** 2
    contact = ndimage.gaussian_filter(below, 0.45 * thickness)
    wide = ndimage.gaussian_filter(below, 1.6 * thickness)
    return (1 - 0.68 * ndimage.gaussian_filter(blocked, 1.5)) * (1 - 0.55 * contact) * (1 - 0.35 * wide)


def _near_lamp(side: int, light: Light) -> Field:
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    distance2 = sum((2.6 * d - p) ** 2 for d, p in zip(light.direction, (x, y, 0 * x), strict=True))
    return ((2.6**2) / distance2).astype(np.float32) ** 0.6


def _belt(rng: np.random.Generator, side: int, light: Light) -> Field:
    """A worn conveyor belt: embossed fabric, scuffs along the running direction, dust."""
    shape = (side, side)
    rows, columns = np.indices(shape, dtype=np.float32)
    phase_x, phase_y = rng.uniform(0, 100, 2)
    wave = 2.2 * smooth_noise(rng, shape, 40)
    pitch = 13.0 * side / 896
    u, v = (columns + wave + phase_x) * 2 * np.pi / pitch, (rows + wave + phase_y) * 2 * np.pi / pitch
    emboss = np.sin(u) * np.sin(v) + 0.35 * np.sin(u / 2 + v / 2)
    wear = cloudy_noise(rng, shape, 70, 5)
    height = emboss * (0.8 - 0.25 * smoothstep(0.2, 1.6, wear)) + 0.55 * cloudy_noise(rng, shape, 4, 3)
    slope_x, slope_y = gradient(height.astype(np.float32))
    towards = light.direction
    facing = towards[2] - 0.75 * (slope_x * towards[0] + slope_y * towards[1])
    scuffs = np.clip(smooth_noise(rng, shape, (1.1, 90)) - 0.9, 0, None) * smoothstep(-0.5, 1.5, wear)
    albedo = BELT * (1 + 0.08 * wear[..., None] + 0.10 * smooth_noise(rng, shape, 1.0)[..., None])
    albedo += (0.011 * scuffs + 0.006 * hairs(rng, shape, 50, (10, 60), 1.2))[..., None]
    dust = np.clip(smooth_noise(rng, shape, 1.2) - 3.4, 0, 1)
    albedo += 0.10 * dust[..., None]
    sheen = 0.018 * np.clip(facing, 0, 2) ** 6
    return (
        albedo * (0.25 + 1.5 * light.power * np.clip(facing, 0.05, 2))[..., None] + sheen[..., None]
    ).astype(np.float32)
