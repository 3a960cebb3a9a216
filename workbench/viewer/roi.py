"""The editor of the region of interest: drawn on a good image in the browser, returned as a mask of its pixels."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patchcore.errors import DataError, NoImagesError
from workbench.viewer.mount import event_value, mount, picture_url
from workbench.viewer.pictures import Pixels, encode_detail, encoded, original_size, pack
from workbench.viewer.shapes import Shape, mask_of

DISPLAY_SIDE = 1600


@dataclass(frozen=True)
class RoiImage:
    """A good image to draw on or to check the drawing on.

    Parameters
    ----------
    key
        Says which image, e.g. its hash; what was encoded under a key is not encoded again.
    name
        The image's name as the user knows it.
    load
        Returns the image, float 0..1 or uint8, [H, W, 3].
    """

    key: str
    name: str
    load: Callable[[], Pixels]

    def encoded(self) -> bytes:
        """Return the encoded image, reduced to what a screen shows."""
        return encoded.get(
            ("roi", self.key), lambda: encode_detail(self.load(), None, None, overview_side=DISPLAY_SIDE)
        )


@dataclass(frozen=True)
class Drawing:
    """A region of interest.

    Parameters
    ----------
    shapes
        How it was drawn, in pixels of the first image; `Shape.to_dict` gives JSON. Give them back to `roi_editor` as
        `initial` and drawing goes on where it ended.
    height, width
        Size of the first image.
    base
        The mask the drawing began with, if it began with one.
    """

    shapes: tuple[Shape, ...]
    height: int
    width: int
    base: NDArray[np.bool_] | None = None

    @property
    def mask(self) -> NDArray[np.bool_] | None:
        """What is inspected, bool [H, W] in the first image's own pixels; None when nothing was drawn."""
        return mask_of(self.shapes, self.height, self.width, self.base) if self.shapes else None


def roi_editor(
    images: Sequence[RoiImage],
    *,
    key: str,
    initial: Sequence[Shape] | NDArray[np.bool_] | None = None,
    height: int = 460,
    on_change: Callable[[Drawing], None] | None = None,
) -> Drawing:
    """Let the user draw the region of interest with rectangle, polygon, brush and eraser.

    Parameters
    ----------
    images
        Good images. The first one is drawn on and gives the size; the others are flicked through to check, the drawing
        stretched to their size.
    key
        Streamlit key.
    initial
        Shapes of an earlier drawing, or a mask, bool [H, W] of the first image's size. Taken over whenever it changes.
    height
        Height of the picture on the page, pixels.
    on_change
        Called with the new drawing before the run that a change causes.

    Raises
    ------
    NoImagesError
        When there is no image to draw on.
    DataError
        When the initial mask has another size than the first image.
    """
    if not images:
        raise NoImagesError("There is no image to draw the region of interest on. Add good images first.")
    width, height_px = original_size(images[0].encoded())
    shapes, base = _initial(initial, height_px, width)
    given = _fingerprint(shapes, base)
    data = {
        "images": [_image_data(key, place, image) for place, image in enumerate(images)],
        "given": given,
        "shapes": [shape.to_dict() for shape in shapes],
        "baseUrl": None if base is None else picture_url(_encoded_mask(base, given), f"{key}:base"),
        "height": height,
    }

    def drawn(state: object) -> Drawing:
        if not isinstance(state, dict) or state.get("given") != given:
            return Drawing(shapes, height_px, width, base)
        return Drawing(tuple(map(Shape.from_dict, state["shapes"])), height_px, width, base)

    def changed() -> None:
        if on_change is not None and isinstance(state := event_value(key, "drawing"), dict):
            on_change(drawn(state))

    return drawn(mount("roi", key, data, events={"drawing": changed}).get("drawing"))


def _initial(
    initial: Sequence[Shape] | NDArray[np.bool_] | None, height: int, width: int
) -> tuple[tuple[Shape, ...], NDArray[np.bool_] | None]:
    if not isinstance(initial, np.ndarray):
        return tuple(initial or ()), None
    if initial.shape != (height, width):
        raise DataError(f"The region of interest is {initial.shape}, but the image {(height, width)} pixels.")
    return (Shape("mask"),), initial.astype(bool)


def _fingerprint(shapes: Sequence[Shape], base: NDArray[np.bool_] | None) -> str:
    digest = hashlib.sha256(json.dumps([shape.to_dict() for shape in shapes]).encode())
    digest.update(b"" if base is None else np.packbits(base).tobytes())
    return digest.hexdigest()[:16]


def _image_data(key: str, place: int, image: RoiImage) -> dict[str, Any]:
    file = image.encoded()
    width, height = original_size(file)
    return {"name": image.name, "url": picture_url(file, f"{key}:{place}"), "width": width, "height": height}


def _encoded_mask(base: NDArray[np.bool_], given: str) -> bytes:
    step = -(-max(base.shape) // 1024)
    small = base[::step, ::step].astype(np.float32)
    return encoded.get(("mask", given), lambda: pack(None, small, None, original=base.shape))
