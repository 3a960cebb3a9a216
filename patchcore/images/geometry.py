"""Owns the geometry from an image to the network's square input, and the exact way back to its own pixels.

Every mode is one scaling and one shift per axis, ``input = (original - trim) * scale + offset``, with pixel
edges (not centres) as coordinates; the inverse is that equation solved, never a second approximation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from patchcore.errors import SettingsError

Box = tuple[int, int, int, int]

OUTSIDE = (
    0.5  # fills the network's input outside the region of interest: mid-grey, so that nothing there matters
)
_CROP_RATIO = 256 / 224  # the paper's protocol: short side to 256, then the central 224 (§4.1)
_LONGEST_CROP = 16  # beyond this aspect ratio a crop first drops pixels that it would never show


@dataclass(frozen=True)
class Geometry:
    """How an image is fitted into the network's input.

    Parameters
    ----------
    mode
        ``fit``: keep the aspect ratio, centre, pad by repeating the border. ``stretch``: fill the square.
        ``crop``: short side to size * 256 / 224, then the central square, as in the paper.
    size
        Side of the network's input in pixels.
    """

    mode: Literal["fit", "stretch", "crop"] = "fit"
    size: int = 224

    def __post_init__(self) -> None:
        """Reject misspelt modes."""
        if self.mode not in ("fit", "stretch", "crop"):
            raise SettingsError(f"The geometry is fit, stretch or crop; not {self.mode!r}.")


@dataclass(frozen=True, eq=False)
class Placement:
    """Where an original lies in the network's input.

    Attributes
    ----------
    original_size
        (height, width) of the original.
    input_size
        Side of the network's input.
    trim
        (top, left) pixels of the original left out before scaling; the same at the far ends.
    resized
        (height, width) of the rest, after scaling.
    offset
        (top, left) of the scaled image in the input; negative where a crop cuts it.
    valid
        [size, size] bool: False on padding and outside the region of interest.
    """

    original_size: tuple[int, int]
    input_size: int
    trim: tuple[int, int]
    resized: tuple[int, int]
    offset: tuple[int, int]
    valid: NDArray[np.bool_]

    @property
    def scale(self) -> tuple[float, float]:
        """Input pixels for one original pixel, (down, right)."""
        height, width = self.kept_size
        return self.resized[0] / height, self.resized[1] / width

    @property
    def kept_size(self) -> tuple[int, int]:
        """(height, width) of the original that is scaled, in original pixels."""
        (height, width), (top, left) = self.original_size, self.trim
        return height - 2 * top, width - 2 * left

    def map_to_original(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bring a map [size, size] back to [H, W] float32, bilinear; 0 where nothing was inspected."""
        self._check_map(values)
        inside = values[self._slices()]
        cut = [max(-at, 0) for at in self.offset]
        around = [(a, full - has - a) for a, full, has in zip(cut, self.resized, inside.shape, strict=True)]
        canvas = np.pad(inside, around, mode="edge").astype(np.float32, copy=False)
        import torch  # late: the dashboard starts without it, two seconds sooner
        from torch.nn import functional

        grid = torch.from_numpy(np.require(canvas, requirements=["C", "W"]))[None, None]
        back = functional.interpolate(grid, size=self.kept_size, mode="bilinear", align_corners=False)
        original = back[0, 0].numpy()
        if any(self.trim):
            original = np.pad(original, [(trimmed, trimmed) for trimmed in self.trim])
        everything_shown = not any(self.trim) and min(self.offset) >= 0
        if not (everything_shown and self.valid[self._slices()].all()):
            original[~self.valid_to_original()] = 0
        return original

    def valid_to_original(self) -> NDArray[np.bool_]:
        """[H, W] bool: the original's pixels that were inspected."""
        (rows, row_shown), (columns, column_shown) = (self._nearest(axis) for axis in (0, 1))
        return self.valid[np.ix_(rows, columns)] & row_shown[:, None] & column_shown

    def box_to_original(self, box: tuple[float, float, float, float]) -> Box:
        """Bring (x0, y0, x1, y1) from input pixels to whole original pixels, clipped, never empty."""
        x0, x1 = self._span_to_original(1, box[0], box[2])
        y0, y1 = self._span_to_original(0, box[1], box[3])
        return x0, y0, x1, y1

    def to_dict(self) -> dict[str, Any]:
        """Give the placement as plain JSON types, without the mask."""
        names = ("original_size", "trim", "resized", "offset")
        return {"input_size": self.input_size, **{name: list(getattr(self, name)) for name in names}}

    @classmethod
    def from_dict(cls, values: dict[str, Any], valid: NDArray[np.bool_] | None = None) -> Placement:
        """Rebuild a placement from `to_dict`; without a mask, all but the padding is valid."""
        pairs = {
            name: (int(values[name][0]), int(values[name][1]))
            for name in ("original_size", "trim", "resized", "offset")
        }
        size = int(values["input_size"])
        placement = cls(input_size=size, valid=np.zeros((size, size), bool), **pairs)
        placement.valid[placement._slices()] = True
        if valid is not None:
            placement.valid[...] = valid
        return placement

    def _slices(self) -> tuple[slice, slice]:
        """The part of the input that shows the image."""
        (top, left), (height, width) = self.offset, self.resized
        return slice(max(top, 0), top + height), slice(max(left, 0), left + width)

    def _nearest(self, axis: int) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """For each original row (0) or column (1): the input's row or column with its centre; whether any has it."""
        centres = np.arange(self.original_size[axis]) + 0.5 - self.trim[axis]
        at = np.floor(centres * self.scale[axis] + self.offset[axis]).astype(np.intp)
        shown = (centres > 0) & (centres < self.kept_size[axis]) & (at >= 0) & (at < self.input_size)
        if not shown.any():  # the crop shows less than one pixel: it is that one
            shown[np.abs(at - self.input_size / 2).argmin()] = True
        return at.clip(0, self.input_size - 1), shown

    def _span_to_original(self, axis: int, start: float, stop: float) -> tuple[int, int]:
        ends = [(at - self.offset[axis]) / self.scale[axis] + self.trim[axis] for at in (start, stop)]
        low = min(max(math.floor(ends[0] + 1e-6), 0), self.original_size[axis] - 1)
        return low, max(min(math.ceil(ends[1] - 1e-6), self.original_size[axis]), low + 1)

    def _check_map(self, values: NDArray[np.float32]) -> None:
        if values.shape != (self.input_size, self.input_size):
            raise ValueError(f"a map of {values.shape} does not belong to an input of {self.input_size} px")


@dataclass(frozen=True, eq=False)
class Prepared:
    """The network's input, and the way back.

    Attributes
    ----------
    input
        [size, size, 3] float32 in 0..1.
    valid
        [size, size] bool, False on padding and outside the region of interest.
    placement
        The way back.
    """

    input: NDArray[np.float32]
    valid: NDArray[np.bool_]
    placement: Placement


def prepare(
    pixels: NDArray[np.float32], geometry: Geometry = Geometry(), roi: NDArray[np.bool_] | None = None
) -> Prepared:
    """Fit an image into the network's input.

    Parameters
    ----------
    pixels
        [H, W, 3] float32 in 0..1.
    geometry
        Mode and size.
    roi
        [h, w] bool of any resolution, laid over the whole image: True where it is to be inspected. Pixels
        outside are painted mid-grey at full resolution, before scaling, so that nothing there can matter.

    Raises
    ------
    SettingsError
        The region of interest leaves nothing to inspect.
    """
    placement = place(pixels.shape[:2], geometry, roi)
    if roi is not None:
        mask = _resize_nearest(roi, pixels.shape[:2])
        pixels = np.where(mask[..., None], pixels, np.float32(OUTSIDE))
    (trim_y, trim_x), (height, width) = placement.trim, placement.kept_size
    resized = resize(pixels[trim_y : trim_y + height, trim_x : trim_x + width], placement.resized)
    return Prepared(_window(resized, placement), placement.valid, placement)


def resize(pixels: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Resize [H, W, 3] float32 to (height, width), bilinear with antialiasing."""
    if pixels.shape[:2] == size:
        return pixels
    import torch
    from torch.nn import functional

    tensor = torch.from_numpy(np.require(pixels, np.float32, ["C", "W"])).permute(2, 0, 1)[None]
    scaled = functional.interpolate(tensor, size=size, mode="bilinear", antialias=True, align_corners=False)
    return scaled[0].permute(1, 2, 0).contiguous().numpy()


def thumbnail(pixels: NDArray[np.float32], side: int) -> NDArray[np.uint8]:
    """Shrink [H, W, 3] float32 in 0..1 to fit a square of `side` pixels, as uint8 RGB; never enlarged."""
    factor = min(1.0, side / max(pixels.shape[:2]))
    size = (max(1, round(pixels.shape[0] * factor)), max(1, round(pixels.shape[1] * factor)))
    small = resize(pixels, size)
    return (small.clip(0, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8)


def place(shape: tuple[int, int], geometry: Geometry, roi: NDArray[np.bool_] | None = None) -> Placement:
    """Return the place of an image of (height, width) in the network's input, and its inspected pixels.

    Raises
    ------
    SettingsError
        The region of interest leaves nothing to inspect.
    """
    size = geometry.size
    trim, resized = (0, 0), (size, size)
    if geometry.mode == "fit":
        factor = size / max(shape)
        resized = (max(1, round(shape[0] * factor)), max(1, round(shape[1] * factor)))
    elif geometry.mode == "crop":
        longest = _LONGEST_CROP * min(shape)
        trim = (max(0, (shape[0] - longest) // 2), max(0, (shape[1] - longest) // 2))
        kept = (shape[0] - 2 * trim[0], shape[1] - 2 * trim[1])
        short = round(size * _CROP_RATIO)
        resized = (short * kept[0] // min(kept), short * kept[1] // min(kept))
    offset = (-round((resized[0] - size) / 2), -round((resized[1] - size) / 2))  # as torchvision rounds it
    valid = np.zeros((size, size), bool)
    placement = Placement((shape[0], shape[1]), size, trim, resized, offset, valid)
    valid[placement._slices()] = True
    if roi is not None:
        _mark_roi(placement, _resize_nearest(roi, shape))
    return placement


def _mark_roi(placement: Placement, mask: NDArray[np.bool_]) -> None:
    """Withdraw the input pixels whose centre falls on original pixels outside the region of interest."""
    at = []
    for axis in (0, 1):
        centres = (np.arange(placement.input_size) + 0.5 - placement.offset[axis]) / placement.scale[axis]
        index = np.floor(centres + placement.trim[axis]).astype(np.intp)
        at.append(index.clip(0, placement.original_size[axis] - 1))
    placement.valid[...] &= mask[np.ix_(*at)]
    if not placement.valid.any():
        raise SettingsError("The region of interest leaves nothing of the image to inspect. Draw it larger.")


def _window(resized: NDArray[np.float32], placement: Placement) -> NDArray[np.float32]:
    """Cut or pad the scaled image to the input square, repeating the border."""
    starts = [max(-at, 0) for at in placement.offset]
    shown = resized[
        starts[0] : starts[0] + placement.input_size, starts[1] : starts[1] + placement.input_size
    ]
    before = [max(at, 0) for at in placement.offset]
    around = [
        (lead, placement.input_size - have - lead) for lead, have in zip(before, shown.shape, strict=False)
    ]
    if any(max(pair) for pair in around):
        return np.pad(shown, [*around, (0, 0)], mode="edge")
    return np.ascontiguousarray(shown)


def _resize_nearest(mask: NDArray[np.bool_], shape: tuple[int, int]) -> NDArray[np.bool_]:
    rows, columns = (
        np.minimum(((np.arange(n) + 0.5) * have / n).astype(np.intp), have - 1)
        for n, have in zip(shape, mask.shape, strict=True)
    )
    return np.asarray(mask, bool)[np.ix_(rows, columns)]
