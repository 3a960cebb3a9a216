"""The one reading of masks: which pixels a picture or a drawing marks, for evaluation, uploads and regions of interest.

A picture is composed on black. A single value besides black marks, however dark. A few small values are numbers of
classes, and all of them mark. Among other greys, such as smooth edges and the noise of JPEG, the ones above half of the
brightest in their connected place mark. Where all colours are black, the opaque pixels mark.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from patchcore.errors import DataError, SettingsError
from patchcore.images.file_names import display_name
from patchcore.images.reading import read_samples
from patchcore.labels.drawing import Drawing, require_aspect, resized
from patchcore.maps.regions import EIGHT_CONNECTED

Pixels = NDArray[np.bool_]
Shape = tuple[int, int]

FEW = 32  # values; more are a scale of greys, not classes
SMALL = 1 / 8  # of white; a mask whose brightest value is below it holds class numbers
NOISE = 1 / 8  # of the brightest value; a place that is darker throughout is noise
MOST_GREY = 0.5  # share of the picture; more is a photograph, not a mask
NEARLY_ALL = 0.75  # share of the picture; a mask above it is probably inverted

NOTES: Mapping[str, tuple[str, str, str]] = {
    "grey": (
        "has",
        "have",
        "grey values; pixels brighter than half of the brightest in their place were taken as marked",
    ),
    "classes": ("holds", "hold", "several values, read as classes; each of them was taken as marked"),
    "alpha": ("marks", "mark", "by transparency alone; opaque pixels were taken as marked"),
    "scaled": (
        "was",
        "were",
        "of another size than the image, in its proportions, and scaled to it without smoothing",
    ),
    "nearly all": (
        "marks",
        "mark",
        f"more than {NEARLY_ALL:.0%} of the picture; if that is not the defect, save it with the defect in white on "
        "black",
    ),
    "outside": ("reaches", "reach", "beyond the image; the pixels inside were taken as marked"),
}
"""Remark on a mask -> the verb for one mask, for several, and the rest of the sentence."""


@dataclass(frozen=True)
class Marks:
    """The marked pixels of an image.

    Attributes
    ----------
    pixels
        [H, W] bool, true where the defect is.
    notes
        Remarks on the reading, keys of `NOTES`.
    """

    pixels: Pixels
    notes: frozenset[str] = frozenset()


def note(notes: dict[str, list[str]], image: str, marks: Marks | None) -> None:
    """Note the remarks on an image's marks, each once: key of `NOTES` -> names of images."""
    for key in () if marks is None else marks.notes:
        names = notes.setdefault(key, [])
        if image not in names:
            names.append(image)


def sentences(notes: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a sentence for each remark on masks: remark -> names of the images, in `NOTES`' order."""
    found = []
    for key, (one, many, rest) in NOTES.items():
        if names := notes.get(key):
            subject = f"1 mask {one}" if len(names) == 1 else f"{len(names):,} masks {many}"
            found.append(f"{subject} {rest} (first: {display_name(names[0])}).")
    return found


def read_marks(source: str | os.PathLike[str] | bytes, name: str | None = None) -> Marks:
    """Read the marked pixels of a picture, which may be none or all.

    Parameters
    ----------
    source
        A path, or the bytes of an image file.
    name
        As the user knows it; by default the path.

    Raises
    ------
    ImageError
        The picture cannot be read.
    DataError
        It is a photograph, its values are not finite, or it is a JPEG with class numbers, which compression changes.
    """
    raw = read_samples(source, name=name)
    values = raw.samples.max(axis=2) if raw.samples.ndim == 3 else raw.samples
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise DataError("It holds values that are not finite numbers. Save it in black and white, as PNG.")
    if raw.alpha is not None and not raw.premultiplied:
        shown = values * raw.alpha
        values = shown if values.dtype.kind == "f" else np.rint(shown)
    values = values * (values > 0)
    if raw.alpha is not None and not values.any():
        return Marks(raw.alpha > 0.5, frozenset({"alpha"}))
    return marked(values, raw.peak, lossy=raw.format == "JPEG")


def marked(values: NDArray[Any], peak: float | None = None, *, lossy: bool = False) -> Marks:
    """Tell which values of a picture mark.

    Parameters
    ----------
    values
        [H, W], 0 for black and above it otherwise; bool marks as it is.
    peak
        The value of white; None where the picture does not say.
    lossy
        Whether the values were changed by compression.

    Raises
    ------
    DataError
        A lossy picture holds small values alone, or the picture is a photograph.
    """
    if values.dtype == bool:
        return Marks(values)
    top = float(values.max(initial=0))
    # Float samples end at 1 or anywhere; where the file names no white, whole numbers are as in 8 bits.
    white = peak or (1.0 if top <= 1 else 255.0)
    small = 0 < top < SMALL * white
    if lossy and small:
        raise DataError(
            f"Its brightest value is {top:g} of {white:g}, and compression changes such small numbers. Save it as PNG."
        )
    found = np.unique(values[values > 0])
    if found.size <= 1 and not lossy:
        return Marks(values > 0)
    if small and found.size <= FEW:
        return Marks(values > 0, frozenset({"classes"}))
    between = (values > NOISE * top) & (values < (1 - NOISE) * top)
    if found.size > FEW and float(between.mean()) > MOST_GREY:
        raise DataError(
            f"{between.mean():.0%} of its pixels are neither black nor bright, as in a photograph. Save the mask in "
            "black and white, as PNG."
        )
    grey = frozenset({"grey"}) if found.size > 1 else frozenset[str]()
    return Marks(2 * values.astype(np.float64) > (top if lossy else _brightest(values, NOISE * top)), grey)


def _brightest(values: NDArray[Any], least: float) -> NDArray[np.float64]:
    """Return for each pixel the brightest value of its connected place, infinite where that is below `least`."""
    places, count = ndimage.label(values > 0, structure=EIGHT_CONNECTED)
    tops = np.asarray(ndimage.maximum(values, places, np.arange(count + 1)), np.float64)
    tops[(tops < least) | (np.arange(count + 1) == 0)] = np.inf
    return np.asarray(tops[places], np.float64)


def fitted(marks: Marks, shape: Shape) -> Marks:
    """Bring marks to an image's size.

    Parameters
    ----------
    shape
        The image's (H, W).

    Raises
    ------
    DataError
        The mask has other proportions than the image.
    """
    if marks.pixels.shape == shape:
        return marks
    require_aspect("mask", marks.pixels.shape, shape)
    return Marks(resized(marks.pixels, shape), marks.notes | {"scaled"})


def mask_of(
    pictures: Iterable[tuple[str, bytes | Path]], drawing: Drawing | None, shape: Shape
) -> Marks | None:
    """Unite the masks of one image with its drawing; None where there are none.

    Parameters
    ----------
    pictures
        (name, path or bytes of the file).
    drawing
        Outlines and runs of pixels, from an annotation file.
    shape
        The image's (H, W).

    Raises
    ------
    ImageError
        One of the masks cannot be read.
    DataError
        One of them does not fit, or together they mark nothing, or everything.
    """
    parts = [fitted(read_marks(source, name), shape) for name, source in pictures]
    if drawing is not None:
        parts.append(Marks(*drawing.marks(shape)))
    if not parts:
        return None
    pixels = np.any([part.pixels for part in parts], axis=0) if len(parts) > 1 else parts[0].pixels
    share = float(pixels.mean())
    if share == 0:
        raise DataError(
            "It marks nothing, though the image is labelled as a defect; mark the defect in white."
        )
    if share == 1:
        raise DataError(
            "It marks every pixel, so that nothing is left to tell the defect from; mark the defect in white on black."
        )
    notes = frozenset[str]().union(*(part.notes for part in parts))
    return Marks(pixels, notes | {"nearly all"} if share > NEARLY_ALL else notes)


def read_region(path: Path) -> tuple[Pixels, list[str]]:
    """Read a region of interest from a picture: ([H, W] bool, true where to inspect; a sentence for each remark).

    Raises
    ------
    ImageError
        The picture cannot be read.
    SettingsError
        It marks nothing, or everything.
    """
    shown = display_name(str(path))
    try:
        marks = read_marks(path)
    except DataError as fault:
        raise SettingsError(f"The region of interest {shown} cannot be used. {fault}") from fault
    if not marks.pixels.any():
        raise SettingsError(
            f"The region of interest {shown} marks nothing. Paint the places to inspect in white on black."
        )
    if marks.pixels.all():
        raise SettingsError(
            f"The region of interest {shown} marks every pixel, so it leaves nothing out. Paint the places to leave "
            "out in black, or do without a region of interest."
        )
    return marks.pixels, sentences({note: [str(path)] for note in marks.notes})
