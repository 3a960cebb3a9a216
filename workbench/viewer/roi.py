"""The editor of the region of interest: drawn on a good image in the browser, returned as a mask of its pixels."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patchcore.errors import DataError, NoImagesError
from workbench.storage.pictures import Pixels, encode_detail, encoded, original_size, pack
from workbench.storage.shapes import Shape, mask_of
from workbench.viewer.component import event_value, mount, picture_url
from workbench.viewer.lineage import lineage_of

DISPLAY_SIDE = 1600


@dataclass(frozen=True)
class RoiImage:
    """A good image to draw on or to check the drawing on.

    Parameters
    ----------
    key
        Key of the image, e.g. its hash; nothing is encoded twice under the same key.
    name
        The image's name as the user knows it.
    load
        Returns the image, float 0..1 or uint8, [H, W, 3].
    """

    key: str
    name: str
    load: Callable[[], Pixels]

    def encoded(self) -> bytes:
        """Return the encoded image, reduced to a screen's size."""
        return encoded.get(
            ("roi", self.key), lambda: encode_detail(self.load(), None, None, overview_side=DISPLAY_SIDE)
        )


@dataclass(frozen=True)
class Drawing:
    """A region of interest.

    Parameters
    ----------
    shapes
        The drawn shapes, in pixels of the first image; `Shape.to_dict` gives JSON. Give them back to `roi_editor` as
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
        """The inspected pixels, bool [H, W] in the first image's own pixels; None without a drawing."""
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
        Good images. The user draws on the first one, which gives the size; the others serve to check the drawing,
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
        When the list of images is empty.
    DataError
        When the initial mask has another size than the first image.
    """
    if not images:
        raise NoImagesError("The region of interest needs an image to draw on. Add good images first.")
    width, height_px = original_size(images[0].encoded())
    initial_shapes, base = _initial(initial, height_px, width)
    lineage = lineage_of(key)
    if lineage.give(_text(initial_shapes)):
        _overrule(key)
    shapes = _drawn(key, initial_shapes)
    data = {
        "images": [_image_data(key, place, image) for place, image in enumerate(images)],
        "revision": lineage.revision,
        "shapes": [shape.to_dict() for shape in shapes],
        "baseUrl": None if base is None else picture_url(_encoded_mask(base), f"{key}:base"),
        "height": height,
    }

    def changed() -> None:
        now = _drawn(key, initial_shapes)
        lineage.tell(_text(now))
        if on_change is not None:
            on_change(Drawing(now, height_px, width, base))

    mount("roi", key, data, events={"drawing": changed})
    return Drawing(shapes, height_px, width, base)


def _drawn(key: str, initial: tuple[Shape, ...]) -> tuple[Shape, ...]:
    """Return the user's drawing since the page's last own value; else the page's value."""
    import streamlit as st

    state = event_value(key, "drawing")
    if not isinstance(state, dict) or state["serial"] <= st.session_state.get(f"{key}:overruled", 0):
        return initial
    return tuple(map(Shape.from_dict, state["shapes"]))


def _overrule(key: str) -> None:
    """Forget the drawing."""
    import streamlit as st

    state = event_value(key, "drawing")
    if isinstance(state, dict):
        st.session_state[f"{key}:overruled"] = state["serial"]


def _text(shapes: Sequence[Shape]) -> str:
    return json.dumps([shape.to_dict() for shape in shapes])


def _initial(
    initial: Sequence[Shape] | NDArray[np.bool_] | None, height: int, width: int
) -> tuple[tuple[Shape, ...], NDArray[np.bool_] | None]:
    if not isinstance(initial, np.ndarray):
        return tuple(initial or ()), None
    if initial.shape != (height, width):
        raise DataError(f"The region of interest is {initial.shape}, but the image {(height, width)} pixels.")
    return (Shape("mask"),), initial.astype(bool)


def _image_data(key: str, place: int, image: RoiImage) -> dict[str, Any]:
    file = image.encoded()
    width, height = original_size(file)
    return {"name": image.name, "url": picture_url(file, f"{key}:{place}"), "width": width, "height": height}


def _encoded_mask(base: NDArray[np.bool_]) -> bytes:
    step = -(-max(base.shape) // 1024)
    small = base[::step, ::step].astype(np.float32)
    digest = hashlib.sha256(np.packbits(base).tobytes()).hexdigest()
    return encoded.get(("mask", base.shape, digest), lambda: pack(None, small, None, original=base.shape))
