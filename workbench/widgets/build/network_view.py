"""What the network sees: the region of interest, drawn on a good image, and the square that goes into the network."""

from functools import partial
from html import escape

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from patchcore.errors import WeightsError
from patchcore.images.geometry import Geometry, prepare
from patchcore.images.reading import read_image
from patchcore.images.remarks import grouped
from patchcore.images.visible_detail import VisibleDetail
from patchcore.settings import Mode
from workbench.inspectors.estimate import network_cost
from workbench.storage.roi import Roi, keep_region, kept_region
from workbench.uploads.preflight import CheckedImage
from workbench.viewer import RoiImage, roi_editor
from workbench.viewer.roi import Drawing
from workbench.widgets.build.draft import Draft
from workbench.widgets.fields import shared
from workbench.widgets.shared import session
from workbench.widgets.shared.pictures import encode_jpeg
from workbench.widgets.shared.theme import data_uri

CHECKED_ON = 8  # good images, spread over all, that the drawing can be checked on
FITS: dict[Mode, str] = {
    "fit": "Fit: keep the shape, pad the rest",
    "stretch": "Stretch: fill the square",
    "crop": "Crop: cut the centre out",
}


def show(draft: Draft) -> None:
    """Draw the editor of the region and the choice of geometry, and put both into the draft."""
    left, right = st.columns([5, 2], gap="large")
    with right:
        shared.draw(
            st.radio,
            "Into the network's square",
            list(FITS),
            key="build_geometry",
            value=draft.geometry,
            on_change=partial(setattr, draft, "geometry"),
            format_func=FITS.__getitem__,
            help="The network takes square images. Maps and boxes come back in the original's own pixels "
            "in each case. Padding is neither learned nor scored; a cropped margin is not inspected.",
        )
    with session.plain_errors():
        with left:
            _draw_region(draft)
        with right:
            st.html(_input_html(draft, draft.images[0]))
        show_detail(draft)


def show_detail(draft: Draft) -> None:
    """Say what is too small to be seen, where the images are much larger than the network's input."""
    for remark in detail_remarks(draft):
        st.info(session.sentence(remark))


def summary(draft: Draft) -> str:
    """Return one line: fit, 224 px, whole image."""
    region = "whole image" if draft.roi is None else "region of interest"
    return f"{draft.geometry} into {draft.image_size} × {draft.image_size} px, {region}"


def inspected_share(draft: Draft) -> float:
    """Return the share of the network's input that is neither padding nor outside the region."""
    if not draft.images:
        return 1.0
    record = draft.images[0].record
    small = np.zeros((max(1, record.height // 8), max(1, record.width // 8), 3), np.float32)
    prepared = prepare(small, Geometry(draft.geometry, 224), _mask(draft))
    return float(prepared.valid.mean())


def detail_remarks(draft: Draft) -> list[str]:
    """Return what the images are too large for, at the chosen size and geometry: "One patch covers ..."."""
    geometry = Geometry(draft.geometry, draft.image_size)
    sizes = [(image.record.width, image.record.height) for image in draft.images]
    if all(VisibleDetail.of(size, geometry, 1).remark is None for size in set(sizes)):
        return []
    try:
        step = draft.image_size / network_cost(draft.backbone, draft.image_size).rows
    except WeightsError:
        return []  # the step Settings says that they are missing
    remarks = [VisibleDetail.of(size, geometry, step).remark for size in sizes]
    return grouped(
        (image.name, [remark] if remark else []) for image, remark in zip(draft.images, remarks, strict=True)
    )


def is_empty(draft: Draft) -> bool:
    """Whether the drawing leaves nothing to inspect."""
    mask = _mask(draft)
    return mask is not None and not mask.any()


def _mask(draft: Draft) -> NDArray[np.bool_] | None:
    return None if draft.roi is None else draft.roi.mask()


def _draw_region(draft: Draft) -> None:
    first = draft.images[0]

    def drew(drawing: Drawing) -> None:
        draft.roi = Roi(drawing.shapes, drawing.height, drawing.width) if drawing.shapes else None
        draft.roi_on = first.sha256
        keep_region(session.workspace(), first.sha256, draft.roi)

    def use(earlier: Roi) -> None:
        draft.roi, draft.roi_on = earlier, first.sha256

    earlier = kept_region(session.workspace(), first.sha256) if draft.roi is None else None
    if earlier is not None:
        st.button(
            "Use the region last drawn on this image",
            key="use_earlier_region",
            on_click=use,
            args=(earlier,),
            help="The region was drawn for another inspector, or for an earlier draft of this one.",
        )
    roi_editor(
        [_to_draw_on(image, draft.value_range) for image in _spread(draft.images)],
        key=f"roi_{draft.editor}",
        initial=() if draft.roi is None else draft.roi.shapes,
        height=400,
        on_change=drew,
    )


def _spread(images: list[CheckedImage]) -> list[CheckedImage]:
    """Return the first image and some others, spread over all."""
    step = -(-len(images) // CHECKED_ON)
    return images[::step]


def _to_draw_on(image: CheckedImage, value_range: tuple[float, float] | None) -> RoiImage:
    return RoiImage(f"{image.sha256}:{value_range}", image.name, partial(_pixels, image, value_range))


def _pixels(image: CheckedImage, value_range: tuple[float, float] | None) -> NDArray[np.float32]:
    return read_image(image.upload.data, name=image.name, value_range=value_range).pixels


def _input_html(draft: Draft, image: CheckedImage) -> str:
    picture = _input_picture(
        image, draft.geometry, draft.image_size, draft.value_range, str(draft.roi), draft
    )
    return (
        f'<figure class="pc-seen pc-num"><img src="{picture}" alt="network input"><figcaption>what the network sees of '
        f"{escape(image.name)}<br>{draft.image_size} × {draft.image_size} px, dimmed: not inspected"
        "</figcaption></figure>"
    )


@st.cache_data(show_spinner=False, max_entries=64, hash_funcs={CheckedImage: lambda image: image.sha256})
def _input_picture(
    image: CheckedImage,
    geometry: Mode,
    size: int,
    value_range: tuple[float, float] | None,
    region: str,
    _draft: Draft,
) -> str:
    """Return the network's input as an address that carries the picture."""
    prepared = prepare(_pixels(image, value_range), Geometry(geometry, size), _mask(_draft))
    picture = (prepared.input * 255).round().astype(np.uint8)
    return data_uri(encode_jpeg(np.where(prepared.valid[..., None], picture, picture // 4).astype(np.uint8)))
