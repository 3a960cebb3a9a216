"""Owns the cloth: two sets of yarns, their crossings, and the resulting relief and colour."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

from sample_data.fields import Curve, Field, lookup, smooth_noise

PITCH = 25.0  # px of the 896 px scene between neighbouring yarns
STEPS = 12  # samples along a yarn per crossing
SWING = 0.25  # height of a yarn over its neighbour, in pitches
TWIST = np.radians(32)  # angle of the fibres against the yarn's axis
INK = np.array([0.034, 0.056, 0.098], np.float32)  # warp, indigo
ECRU = np.array([0.37, 0.325, 0.255], np.float32)  # weft, unbleached


@dataclass
class Yarns:
    """One set of parallel yarns; every table is [yarns, samples along]."""

    level: Field  #: height of the axis, pitches; positive where it lies on top
    width: Field  #: half width, pitches; 0 where the yarn is missing
    shift: Field  #: sideways displacement, pitches
    shade: Field  #: factor on the dye
    colour: Field  #: linear albedo of the dye


@dataclass(frozen=True)
class Thread:
    """A loose thread that lies on the cloth."""

    curve: Curve
    width: float  #: half width, px
    colour: Field  #: linear albedo


@dataclass
class Cloth:
    """A piece of cloth under the camera; fields over the scene that a defect may change."""

    u: Field  #: warp coordinate: yarn i is centred at i + 0.5
    v: Field  #: weft coordinate
    warp: Yarns
    weft: Yarns
    fibres: Field  #: texture of a twisted yarn, fibres along its rows
    relief: Field  #: large waves of the cloth, px
    dye: Field  #: [S, S, 3] factor on the colour, for liquids that soak in
    gloss: Field  #: [S, S] factor on the shine
    backing: Field  #: [S, S, 3] light that shows through gaps
    threads: list[Thread] = field(default_factory=list)


def over_under(warps: int, wefts: int) -> Field:
    """The weave: +1 where the warp lies on top. Plain weave, one over, one under."""
    i, j = np.indices((warps, wefts))
    return np.where((i + j) % 2 == 0, 1.0, -1.0).astype(np.float32)


def _paths(pattern: Field, rng: np.random.Generator) -> Field:
    """Height along each yarn: it swings between the crossings, a little differently each time."""
    swing = pattern * (1 + 0.06 * rng.standard_normal(pattern.shape))
    steps = np.repeat(swing, STEPS, axis=1)
    smooth = ndimage.gaussian_filter1d(steps, 0.30 * STEPS, axis=1, mode="wrap")
    return (SWING * smooth).astype(np.float32)


def yarns(rng: np.random.Generator, pattern: Field, width: float, colour: Field, uneven: float) -> Yarns:
    """Spin and lay one set of yarns; ``pattern`` [yarns, crossings] is +1 where this set is on top."""
    level = _paths(pattern, rng)
    shape = level.shape
    count = shape[0]
    slow = smooth_noise(rng, shape, (0, 5.0 * STEPS))
    quick = smooth_noise(rng, shape, (0, 1.0 * STEPS))
    each = rng.standard_normal((count, 1))
    swell = 1 + uneven * (0.5 * each + 0.7 * slow + 0.45 * quick)
    sideways = 0.035 * rng.standard_normal((count, 1)) + 0.035 * slow + 0.018 * quick
    sideways -= 0.04 * np.roll(quick, STEPS // 2, axis=1)
    shade = np.exp(0.07 * rng.standard_normal((count, 1)) + 0.05 * smooth_noise(rng, shape, (0, 4.0 * STEPS)))
    top = ndimage.gaussian_filter1d(np.repeat(pattern, STEPS, axis=1), 0.35 * STEPS, axis=1, mode="wrap")
    return Yarns(
        level=level, width=(width * swell * (1 + 0.09 * top)).astype(np.float32), shift=sideways.astype(np.float32),
        shade=shade.astype(np.float32), colour=colour,
    )  # fmt: skip


def cloth(rng: np.random.Generator, side: int) -> Cloth:
    """Draw a good piece of cloth, laid down a little skewed, as a roll runs past."""
    shape = (side, side)
    pitch = PITCH * side / 896
    count = int(side / pitch) + 14
    rows, columns = np.indices(shape, dtype=np.float32)
    turn, skew = rng.normal(0, np.radians(1.3)), rng.normal(0, 0.014)
    scale = pitch * float(np.exp(rng.normal(0, 0.012)))
    x, y = (columns - side / 2) / scale, (rows - side / 2) / scale
    drift = rng.uniform(0, 2, 2)
    u = np.cos(turn) * x - np.sin(turn) * y + 0.16 * smooth_noise(rng, shape, 170) + count / 2 + drift[0]
    v = (
        np.sin(turn + skew) * x
        + np.cos(turn + skew) * y
        + 0.22 * smooth_noise(rng, shape, 150)
        + count / 2
        + drift[1]
    )
    pattern = over_under(count + 2 + count % 2, count + 2 + count % 2)
    fibres = 0.7 * smooth_noise(rng, (512, 512), (0.6, 9)) + 0.4 * smooth_noise(rng, (512, 512), (1.3, 20))
    ones = np.ones((*shape, 3), np.float32)
    return Cloth(
        u=u.astype(np.float32), v=v.astype(np.float32),
        warp=yarns(rng, pattern, 0.47, INK, 0.06), weft=yarns(rng, -pattern.T, 0.50, ECRU, 0.075),
        fibres=fibres.astype(np.float32), relief=5 * smooth_noise(rng, shape, 120),
        dye=ones * (1 + 0.03 * smooth_noise(rng, shape, 140))[..., None], gloss=np.ones(shape, np.float32),
        backing=0.012 * ones,
    )  # fmt: skip


@dataclass
class Relief:
    """The cloth's visible surface."""

    height: Field  #: px
    colour: Field  #: [S, S, 3] albedo
    tangent: tuple[Field, Field, Field]  #: direction of the fibres
    covered: Field  #: share of the pixel that is yarn


def surface(piece: Cloth) -> Relief:
    """Find the topmost yarn at every pixel, and its look there."""
    side = piece.u.shape[0]
    pitch = PITCH * side / 896
    nothing = np.zeros_like(piece.u)
    best = Relief(
        nothing - 1.2, piece.backing.copy(), (nothing + 1, nothing.copy(), nothing.copy()), nothing.copy()
    )
    for number, (group, across, along) in enumerate(
        ((piece.warp, piece.u, piece.v), (piece.weft, piece.v, piece.u))
    ):
        for neighbour in (-0.5, 0.5):
            index = np.floor(across + neighbour)
            _lay(best, piece, group, number, index, across - index - 0.5, along, pitch)
    best.height *= pitch
    best.height += piece.relief
    best.colour = best.colour * piece.dye
    for thread in piece.threads:
        _drape(best, piece, thread)
    return best


def _drape(best: Relief, piece: Cloth, thread: Thread) -> None:
    """Lay a loose thread over the yarns it meets."""
    distance, along, sideways = thread.curve
    taper = np.clip(np.minimum(along, 1 - along) * 40 + 0.6, 0, 1)
    q = sideways / (thread.width * taper)
    ground = ndimage.gaussian_filter(best.height, 9) + 1.5
    length = along * 400
    fibre = lookup(piece.fibres, 3 * q * thread.width - 0.8 * length, 0.8 * length + 2 * q * thread.width)
    height = ground + thread.width * (np.sqrt(np.clip(1 - q * q, 0, 1)) + 0.16 * fibre)
    wins = (np.abs(q) < 1) & (height > best.height) & (distance < 2 * thread.width)
    best.height[wins] = height[wins]
    best.colour[wins] = (thread.colour * np.clip(1 + 0.28 * fibre, 0.4, 2)[..., None])[wins]
    best.covered[wins] = 1


def _lay(
    best: Relief,
    piece: Cloth,
    group: Yarns,
    number: int,
    index: Field,
    offset: Field,
    along: Field,
    pitch: float,
) -> None:
    """Put one candidate yarn per pixel onto ``best`` wherever it is the highest so far."""
    sample = along * STEPS - 0.5
    width = np.maximum(lookup(group.width, index, sample), 0)
    q = (offset - lookup(group.shift, index, sample)) / np.maximum(width, 1e-3)
    round_ = np.sqrt(np.clip(1 - q * q, 0, 1))
    height = lookup(group.level, index, sample) + 0.50 * width * round_ - 0.25
    angle = np.arcsin(np.clip(q, -1, 1))
    run, girth = along * pitch, angle * width * pitch
    handed = 1.0 if number == 0 else -1.0
    c, s = np.float32(np.cos(TWIST)), np.float32(handed * np.sin(TWIST))
    fibre = lookup(piece.fibres, c * girth - s * run + 97.3 * index, s * girth + c * run + 61.7 * index)
    height += 0.030 * fibre * round_**0.5
    inside = (np.abs(q) + 0.05 * fibre < 1) & (width > 0.05)
    wins = inside & (height > best.height)
    best.height[wins] = height[wins]
    shade = lookup(group.shade, index, sample) * (1 + 0.13 * fibre)
    best.colour[wins] = (group.colour * np.clip(shade, 0.3, 2)[..., None])[wins]
    best.covered[wins] = 1
    side_x, lift = s * np.cos(angle), -s * np.sin(angle)
    vector = (side_x, 0 * q + c, lift) if number == 0 else (0 * q + c, side_x, lift)
    for part, value in zip(best.tangent, vector, strict=True):
        part[wins] = value[wins]
