"""Owns random fields and curves: the raw material of every surface that is rendered here."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

Field = NDArray[np.floating[Any]]  # float32 unless a step needs more


def smooth_noise(
    rng: np.random.Generator, shape: tuple[int, int], sigma: float | tuple[float, float]
) -> Field:
    """Gaussian noise of zero mean and unit variance, periodic, smoothed by ``sigma`` pixels (rows, columns)."""
    sigma_y, sigma_x = (sigma, sigma) if isinstance(sigma, int | float) else sigma
    white = rng.standard_normal(shape).astype(np.float32)
    fy = fft.fftfreq(shape[0])[:, None] * sigma_y
    fx = fft.rfftfreq(shape[1])[None, :] * sigma_x
    gain = np.exp(-2 * np.pi**2 * (fy**2 + fx**2)).astype(np.float32)
    noise = fft.irfft2(fft.rfft2(white) * gain, s=shape)
    return ((noise - noise.mean()) / (noise.std() + 1e-9)).astype(np.float32)


def cloudy_noise(
    rng: np.random.Generator, shape: tuple[int, int], coarsest: float, octaves: int = 5, gain: float = 0.6
) -> Field:
    """Sum of ``octaves`` smooth noises, each half as wide and ``gain`` times as strong as the one before."""
    total = sum(gain**k * smooth_noise(rng, shape, coarsest / 2**k) for k in range(octaves))
    field = np.asarray(total, dtype=np.float32)
    return field / field.std()


def lookup(table: Field, row: Field, column: Field) -> Field:
    """Bilinear look-up in a table that repeats in both directions."""
    return ndimage.map_coordinates(table, [row, column], order=1, mode="grid-wrap", output=np.float32)


def smoothstep(low: float, high: float, x: Field) -> Field:
    """0 below ``low``, 1 above ``high``, smooth between; ``low`` may exceed ``high``."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)


def gradient(height: Field) -> tuple[Field, Field]:
    """Slope of a height field along x and y; height in pixels."""
    slope_y, slope_x = np.gradient(height)
    return slope_x.astype(np.float32), slope_y.astype(np.float32)


class Curve(NamedTuple):
    """A curve drawn on the pixel grid, seen from every pixel."""

    distance: Field  #: px to the nearest point of the curve
    along: Field  #: arc length of that point, 0..1
    side: Field  #: signed distance, negative on one side, px


def curve_field(points: NDArray[np.float64], shape: tuple[int, int]) -> Curve:
    """Distance of every pixel from a smooth curve through ``points`` ([n, 2], x and y in px)."""
    spaced = np.linspace(0, len(points) - 1, 40 * len(points))
    order = min(3, len(points) - 1)
    coarse = ndimage.spline_filter1d(points, order, axis=0, mode="nearest") if order > 1 else points
    x, y = (
        ndimage.map_coordinates(coarse[:, k], [spaced], order=order, prefilter=False, mode="nearest")
        for k in (0, 1)
    )
    lengths = np.concatenate([[0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
    count = int(lengths[-1] * 2) + 2
    even = np.linspace(0, lengths[-1], count)
    x, y = np.interp(even, lengths, x), np.interp(even, lengths, y)
    return _field_of_samples(x, y, shape)


def _field_of_samples(x: NDArray[np.float64], y: NDArray[np.float64], shape: tuple[int, int]) -> Curve:
    columns, rows = np.rint(x).astype(int), np.rint(y).astype(int)
    inside = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
    index = np.zeros(shape, np.int32)
    empty = np.ones(shape, bool)
    index[rows[inside], columns[inside]] = np.flatnonzero(inside)
    empty[rows[inside], columns[inside]] = False
    nearest = ndimage.distance_transform_edt(empty, return_distances=False, return_indices=True)
    sample = index[nearest[0], nearest[1]]
    grid_y, grid_x = np.indices(shape)
    dx, dy = grid_x - x[sample], grid_y - y[sample]
    tangent_x, tangent_y = np.gradient(x), np.gradient(y)
    cross = tangent_x[sample] * dy - tangent_y[sample] * dx
    distance = np.hypot(dx, dy).astype(np.float32)
    return Curve(distance, (sample / max(len(x) - 1, 1)).astype(np.float32), np.sign(cross) * distance)


def wander(
    rng: np.random.Generator,
    start: tuple[float, float],
    heading: float,
    length: float,
    bend: float,
    steps: int = 7,
) -> NDArray[np.float64]:
    """Points of a curve that starts at ``start`` (px) and turns by about ``bend`` radians on its way."""
    turns = heading + np.cumsum(rng.normal(0, bend / np.sqrt(steps), steps))
    step = length / steps * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    return np.vstack([start, np.asarray(start) + np.cumsum(step, axis=0)])


def hairs(
    rng: np.random.Generator, shape: tuple[int, int], count: int, length: tuple[float, float], bend: float
) -> Field:
    """Fine hair lines, strength about 0..1, for stray fibres and handling marks."""
    layer = np.zeros(shape, np.float32)
    for _ in range(count):
        steps = int(rng.uniform(*length))
        heading = rng.uniform(0, 2 * np.pi) + np.cumsum(np.full(steps, rng.normal(0, bend) / steps))
        heading += np.cumsum(rng.normal(0, bend / steps**0.5 / 3, steps))
        x = rng.uniform(0, shape[1]) + np.cumsum(np.cos(heading))
        y = rng.uniform(0, shape[0]) + np.cumsum(np.sin(heading))
        strength = rng.uniform(0.3, 1) * np.sin(np.linspace(0.1, np.pi - 0.1, steps)) ** 0.5
        keep = (x >= 0) & (x < shape[1] - 1) & (y >= 0) & (y < shape[0] - 1)
        np.maximum.at(layer, (y[keep].astype(int), x[keep].astype(int)), strength[keep].astype(np.float32))
    return ndimage.gaussian_filter(layer, 0.7)
