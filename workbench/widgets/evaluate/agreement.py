"""One image beside its mask: pixels that were found and marked, only marked, or only found."""

from html import escape

import numpy as np
import streamlit as st

from patchcore.evaluation.agreement import PixelAgreement, pixel_agreement
from patchcore.maps.colours import AGREED, EXTRA, MISSED, Colour
from patchcore.maps.rendering import agreement_picture, encode_png
from patchcore.thresholds.operating_point import OperatingPoint
from workbench.inspections.batches import load_map, load_mask, load_pixels, value_range_of
from workbench.inspectors.versions import get_version
from workbench.storage.tables import GOOD, Result
from workbench.tuning.evidence import result_key
from workbench.widgets.shared import session, theme, wording

WIDTH = 448  # pixels on the page, at most
REMEMBERED = 50
MEANING = {
    "agreed": (AGREED, "filled: marked and found"),
    "missed": (MISSED, "hatched like /: marked but not found"),
    "extra": (EXTRA, "hatched like \\: found but not marked"),
}


def show(result: Result, point: OperatingPoint) -> None:
    """Draw the comparison of an image with its mask, or say why there is none."""
    image = result.image
    if image.mask_sha256 is None and image.truth != GOOD:
        st.caption("This image has no mask, so its pixels cannot be compared with the truth.")
        return
    key = f"{result_key(result)}:{image.mask_sha256}:{point.heat_from}:{point.min_area}"
    with st.container(border=True, key="panel_agreement"):
        picture, (agreed, missed, extra), overlap = _compared(key, _result=result, _point=point)
        left, right = st.columns([WIDTH, 560], gap="large")
        with left:
            st.image(picture, width=WIDTH, alt=_alt(image.name, agreed, missed, extra))
        with right:
            st.markdown("**Found and marked pixels**")
            st.html(legend_html({"agreed": agreed, "missed": missed, "extra": extra}))
            st.caption(_sentence(point, overlap, marked=image.mask_sha256 is not None))


def legend_html(counts: dict[str, int]) -> str:
    """Return the kinds with their colours, what they mean, and their pixels."""
    rows = [
        (
            f'<i class="pc-swatch" style="background:{_css(MEANING[name][0])}"></i> <b>{name}</b>',
            f'<span class="pc-mute">{escape(MEANING[name][1])}</span>',
            f"{wording.count(count)} px",
        )
        for name, count in counts.items()
    ]
    return theme.table_html(rows, right=(2,))


@st.cache_data(show_spinner="Comparing with the mask", max_entries=REMEMBERED)
def _compared(
    key: str, _result: Result, _point: OperatingPoint
) -> tuple[bytes, tuple[int, int, int], float | None]:
    here = session.workspace()
    found: PixelAgreement = pixel_agreement(
        load_map(here, _result), load_mask(here, _result.image), _point.heat_from, _point.min_area
    )
    black_white = value_range_of(get_version(here, _result.version_id))
    pixels = load_pixels(here, _result.image.sha256, black_white)
    step = max(1, -(-max(pixels.shape[:2]) // (2 * WIDTH)))  # large images: what the page can show, no more
    picture = agreement_picture(
        np.ascontiguousarray(pixels[::step, ::step]),
        found.agreed[::step, ::step],
        found.missed[::step, ::step],
        found.extra[::step, ::step],
    )
    return encode_png(picture), found.counts, found.overlap


def _sentence(point: OperatingPoint, overlap: float | None, *, marked: bool) -> str:
    above = f"Pixels that score above {wording.score(point.heat_from)} count as found"
    if point.min_area > 1:
        above += f", in regions of at least {wording.counted(point.min_area, 'pixel')}"
    if not marked:
        return f"{above}. This is a good part: nothing is marked, so every pixel found is extra."
    share = "" if overlap is None else f" Of all pixels found or marked, {wording.share(overlap)} are both."
    return f"{above}.{share} Maps are smooth, so a region found is usually somewhat wider than the mark."


def _alt(name: str, agreed: int, missed: int, extra: int) -> str:
    return f"{name}: {agreed} pixels agreed, {missed} missed, {extra} extra"


def _css(colour: Colour) -> str:
    return f"rgb({colour[0]} {colour[1]} {colour[2]})"
