"""Pictures that no inspector may accept: blanks, failed exposure, an empty ground, other products, faults of a camera.

Every function takes a good picture [H, W, 3] float32 in 0..1 and returns a picture of the same kind.
"""

import io
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

Picture = NDArray[np.float32]
Disturbance = Callable[[Picture], Picture]

RING = 0.06  # width of the border that shows the ground, as a share of the shorter side


def flat(grey: float) -> Disturbance:
    """Return a disturbance that leaves a picture of one grey value."""
    return lambda picture: np.full_like(picture, grey)


def light(factor: float) -> Disturbance:
    """Return a disturbance that multiplies the light; the sensor saturates at white and rounds to 8 bits."""
    return lambda picture: eight_bits(picture * np.float32(factor))


def gamma(exponent: float) -> Disturbance:
    """Return a disturbance by another tone curve."""
    return lambda picture: eight_bits(picture ** np.float32(exponent))


def blurred(share: float) -> Disturbance:
    """Return a disturbance by defocus, of a Gaussian whose sigma is a share of the longer side."""
    return lambda picture: eight_bits(
        ndimage.gaussian_filter(picture, (share * max(picture.shape),) * 2 + (0,), mode="nearest")
    )


def motion(share: float) -> Disturbance:
    """Return a disturbance by motion along the rows, over a share of the longer side."""
    return lambda picture: eight_bits(
        ndimage.uniform_filter1d(picture, max(2, round(share * max(picture.shape))), axis=1, mode="nearest")
    )


def empty_ground_smooth(picture: Picture) -> Picture:
    """Replace the inside by the border's colours, each as near as its part of the border: the part is painted over."""
    ring = _ring(picture)
    inside = np.zeros(picture.shape[:2], bool)
    inside[ring:-ring, ring:-ring] = True
    spread = max(picture.shape) / 6
    known = ndimage.gaussian_filter((~inside).astype(np.float32), spread) + 1e-6
    colours = np.where(inside[..., None], np.float32(0), picture)
    filled = ndimage.gaussian_filter(colours, (spread, spread, 0)) / known[..., None]
    noise = np.random.default_rng(0).normal(0, 1 / 255, picture.shape).astype(np.float32)
    return eight_bits(np.where(inside[..., None], filled + noise, picture))


def empty_ground_textured(picture: Picture) -> Picture:
    """Continue the border inwards by mirroring it again and again: the ground with its texture, and no part."""
    height, width = picture.shape[:2]
    ring = _ring(picture)
    rows, columns = np.indices((height, width))
    down, right = np.minimum(rows, height - 1 - rows), np.minimum(columns, width - 1 - columns)
    by_row = down <= right
    folded = np.minimum(down, right) % (2 * ring)
    folded = np.where(folded < ring, folded, 2 * ring - 1 - folded)
    from_row = np.where(rows < height / 2, folded, height - 1 - folded)
    from_column = np.where(columns < width / 2, folded, width - 1 - folded)
    return picture[np.where(by_row, from_row, rows), np.where(by_row, columns, from_column)]


def _ring(picture: Picture) -> int:
    height, width = picture.shape[:2]
    return max(1, round(RING * min(int(height), int(width))))


def eight_bits(picture: NDArray[np.floating]) -> Picture:
    """Clip to 0..1 and round to 256 levels, as a camera does."""
    return np.asarray(np.rint(picture.clip(0, 1) * 255) / 255, np.float32)


def jpeg(quality: int) -> Disturbance:
    """Return a disturbance by strong compression."""

    def compressed(picture: Picture) -> Picture:
        file = io.BytesIO()
        Image.fromarray(np.rint(picture * 255).astype(np.uint8)).save(file, "JPEG", quality=quality)
        return np.asarray(Image.open(file), np.float32) / np.float32(255)

    return compressed


def coarse(side: int) -> Disturbance:
    """Return a disturbance by a thumbnail of so many pixels, enlarged again."""

    def enlarged(picture: Picture) -> Picture:
        image = Image.fromarray(np.rint(picture * 255).astype(np.uint8))
        small = image.resize((side, side), Image.Resampling.BOX)
        return np.asarray(small.resize(image.size, Image.Resampling.BICUBIC), np.float32) / np.float32(255)

    return enlarged


def noise(picture: Picture) -> Picture:
    """Replace the picture by noise."""
    return np.random.default_rng(1).random(picture.shape, np.float32)


def noisy(sigma: float) -> Disturbance:
    """Return a disturbance by sensor noise."""
    return lambda picture: eight_bits(picture + np.random.default_rng(2).normal(0, sigma, picture.shape))


def half_black(axis: int) -> Disturbance:
    """Return a disturbance that blackens the second half of the rows or columns."""

    def halved(picture: Picture) -> Picture:
        changed = picture.copy()
        if axis == 0:
            changed[len(picture) // 2 :] = 0
        else:
            changed[:, picture.shape[1] // 2 :] = 0
        return changed

    return halved


def half_aside(picture: Picture) -> Picture:
    """Shift the picture by half of its width; the border is repeated."""
    half = picture.shape[1] // 2
    return np.concatenate([np.repeat(picture[:, :1], half, 1), picture[:, : picture.shape[1] - half]], 1)


def stuck_rows(picture: Picture) -> Picture:
    """Repeat one row over the lower half of the picture, as a line sensor at a standstill does."""
    changed = picture.copy()
    changed[len(picture) // 2 :] = picture[len(picture) // 2]
    return changed


def torn_rows(picture: Picture) -> Picture:
    """Blacken every other block of 4 % of the rows."""
    changed, block = picture.copy(), max(1, round(0.04 * len(picture)))
    changed[(np.arange(len(picture)) // block) % 2 == 1] = 0
    return changed


def channels(*order: int | None) -> Disturbance:
    """Return a disturbance that gives colours another order; None is a lost one."""
    return lambda picture: np.stack(
        [np.zeros(picture.shape[:2], np.float32) if at is None else picture[..., at] for at in order], 2
    )


def squeezed(picture: Picture) -> Picture:
    """Show the upper left quarter as a picture twice as wide as high."""
    height, width = picture.shape[:2]
    return picture[: max(1, height // 4), : max(1, width // 2)]


def mean_colour(picture: Picture) -> Picture:
    """Leave only the mean colour of the picture."""
    return eight_bits(np.broadcast_to(picture.mean((0, 1)), picture.shape))


def ramp(picture: Picture) -> Picture:
    """Replace the picture by a ramp from its darkest to its brightest values."""
    low, high = np.quantile(picture, (0.05, 0.95))
    steps = np.linspace(low, high, picture.shape[1], dtype=np.float32)
    return eight_bits(np.broadcast_to(steps[None, :, None], picture.shape))


NAMED: Mapping[str, Disturbance] = {
    "black": flat(0),
    "white": flat(1),
    "mid grey": flat(128 / 255),
    "empty ground, smooth": empty_ground_smooth,
    "empty ground, textured": empty_ground_textured,
    "5 % light": light(0.05),
    "strongly blurred": blurred(0.04),
    "six times over-exposed": light(6),
}
"""Disturbances that no inspector may accept; other products are added by the command."""

FURTHER: Mapping[str, Disturbance] = {
    "mean colour": mean_colour,
    "ramp": ramp,
    "noise": noise,
    "noise of 20 %": noisy(0.2),
    "lower half black": half_black(0),
    "right half black": half_black(1),
    "upside down": lambda picture: np.ascontiguousarray(picture[::-1, ::-1]),
    "quarter turn": lambda picture: np.ascontiguousarray(np.rot90(picture)),
    "mirrored": lambda picture: np.ascontiguousarray(picture[:, ::-1]),
    "red lost": channels(None, 1, 2),
    "green lost": channels(0, None, 2),
    "red and blue swapped": channels(2, 1, 0),
    "inverted": lambda picture: 1 - picture,
    "gamma 0.3": gamma(0.3),
    "gamma 3": gamma(3),
    "20 % light": light(0.2),
    "three times over-exposed": light(3),
    "blurred": blurred(0.015),
    "motion": motion(0.12),
    "half aside": half_aside,
    "JPEG of quality 2": jpeg(2),
    "thumbnail of 16 px": coarse(16),
    "upper left part": squeezed,
    "stuck rows": stuck_rows,
    "torn rows": torn_rows,
}
"""Disturbances that a camera, a cable or a conveyor may cause; some show good parts where those vary so."""
