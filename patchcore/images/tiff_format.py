"""Owns TIFF: the first page that is no preview, to samples as stored; every declared tag is checked first."""

import contextlib
import io
import itertools
import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import JpegImagePlugin
from tifffile import COMPRESSION, PHOTOMETRIC

from patchcore.errors import ImageTooLarge, UnreadableImage
from patchcore.images.formats import (
    CHANGED_TAG,
    CMYK,
    DECODER_FAULTS,
    ORIENTATION_TAG,
    iso_moment,
    profile_note,
)
from patchcore.images.raw_image import Limits, RawImage, by_rows, first_of_several
from patchcore.images.tiff_tags import check_tags

# Faults that tifffile logs are raised here as sentences; its log lines would only repeat them.
logging.getLogger("tifffile").setLevel(logging.CRITICAL + 1)

MOST_PAGES = 1_000  # counted; more are not looked at
_PROFILE_TAG = 34675  # ICC
_PREMULTIPLIED, _STRAIGHT = 1, 2  # values of the ExtraSamples tag
_PADDED = 4  # an image's size, times so much, is the most that its tiles may fill
_ALWAYS_PADDED = 64_000_000  # samples; so much a small image's tiles may fill in any case
_JPEG_BLOCK = 32  # pixels; sides of a JPEG within a TIFF may be rounded up to whole blocks
# Codecs that never unpack more than the tags declare, and JPEG, whose own headers are checked.
_CODECS = frozenset(
    {
        COMPRESSION.NONE,
        COMPRESSION.CCITTRLE,
        COMPRESSION.CCITT_T4,
        COMPRESSION.CCITT_T6,
        COMPRESSION.LZW,
        COMPRESSION.JPEG,
        COMPRESSION.ADOBE_DEFLATE,
        COMPRESSION.DEFLATE,
        COMPRESSION.PACKBITS,
        COMPRESSION.ZSTD,
    }
)
_COLOURS: dict[int, int] = {
    PHOTOMETRIC.MINISWHITE: 1,
    PHOTOMETRIC.MINISBLACK: 1,
    PHOTOMETRIC.PALETTE: 1,
    PHOTOMETRIC.RGB: 3,
    PHOTOMETRIC.YCBCR: 3,
    PHOTOMETRIC.SEPARATED: 4,
}


def decode_tiff(data: bytes, name: str, limits: Limits) -> RawImage:
    """Unpack one page of a TIFF: the first, or where that is marked as a preview, the first other one.

    Raises
    ------
    ImageTooLarge
        The tags declare more than the limits allow; nothing has been unpacked then.
    UnreadableImage
        Truncated, or of a kind that has no plain meaning as a picture.
    """
    check_tags(data, name)
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        page, several = _chosen_page(tiff)
        _check_declared(page, len(data), name, limits)
        _check_codec(page, data, name, limits)
        raw = _interpret(page, _hwc(page, name), name)
        raw.notes[:0] = several
        if (profile := page.tags.get(_PROFILE_TAG)) is not None:
            raw.notes += profile_note(profile.value)
        if (changed := page.tags.get(CHANGED_TAG)) is not None:
            raw.taken = iso_moment(changed.value)
        tag = page.tags.get(ORIENTATION_TAG)
        raw.turn_upright(int(tag.value) if tag is not None else 1)
    return raw


def _chosen_page(tiff: tifffile.TiffFile) -> tuple[tifffile.TiffPage, list[str]]:
    """Return the page to read, the first that is not marked as a preview, and notes on the others."""
    first = tiff.pages.first
    pages = [first]
    with contextlib.suppress(*DECODER_FAULTS):  # a damaged later page ends the list
        pages += itertools.islice(_pages_after_the_first(tiff), MOST_PAGES - 1)
    whole = [page for page in pages if not page.is_reduced]
    if first.is_reduced and whole:
        at = pages.index(whole[0]) + 1
        return whole[0], [
            f"The file begins with a preview of {first.imagewidth:,} × {first.imagelength:,} px; page {at} was read "
            "instead."
        ]
    if len(pages) == 1:
        return first, []
    sizes = [(page.imagewidth, page.imagelength) for page in pages[1:]]
    return first, [
        first_of_several("page", len(pages), (first.imagewidth, first.imagelength), sizes, MOST_PAGES)
    ]


def _pages_after_the_first(tiff: tifffile.TiffFile) -> Iterator[tifffile.TiffPage]:
    """Yield the other pages; below a preview, the pages that it names as its own."""
    for number in itertools.count(1):
        try:
            page = tiff.pages[number]
        except IndexError:
            break
        yield page if isinstance(page, tifffile.TiffPage) else page.aspage()
    if tiff.pages.first.is_reduced and tiff.pages.first.pages is not None:
        yield from (page for page in tiff.pages.first.pages if isinstance(page, tifffile.TiffPage))


def _check_declared(page: tifffile.TiffPage, file_bytes: int, name: str, limits: Limits) -> None:
    if page.dtype is None or page.dtype.kind not in "buif":
        raise UnreadableImage(
            name,
            f"its samples are {page.sampleformat!s} of {page.bitspersample} bits, which hold no brightness. "
            "Export it with 8 or 16 bits.",
        )
    width, height, samples = page.imagewidth, page.imagelength, page.samplesperpixel
    if page.imagedepth != 1 or samples > 5:
        raise UnreadableImage(
            name,
            f"a page of {samples} channels and {page.imagedepth} layers is not a photograph. "
            "Export it as grey or RGB.",
        )
    limits.check(name, width, height, samples * page.dtype.itemsize)
    _check_parts(page, name, limits)
    ends = [a + n for a, n in zip(page.dataoffsets, page.databytecounts, strict=False)]
    if not ends or min(page.databytecounts) == 0 or max(ends) > file_bytes:
        raise UnreadableImage(
            name,
            f"truncated: the TIFF breaks off after {file_bytes:,} bytes, but its picture goes on to byte "
            f"{max(ends, default=0):,}. Copy it again from where it came.",
        )


def _check_parts(page: tifffile.TiffPage, name: str, limits: Limits) -> None:
    """Refuse tiles or strips that unpack to far more than the picture, each of them or all together."""
    if page.is_tiled and page.tiledepth != 1:
        raise UnreadableImage(
            name, f"its tiles have {page.tiledepth:,} layers; a photograph has one. Export it without tiles."
        )
    width, length = _part_size(page)
    samples = 1 if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE else page.samplesperpixel
    assert page.dtype is not None  # refused before
    limits.check(name, width, length, samples * page.dtype.itemsize)
    whole = page.imagewidth * page.imagelength * page.samplesperpixel
    if len(page.dataoffsets) * width * length * samples > max(_PADDED * whole, _ALWAYS_PADDED):
        raise ImageTooLarge(
            name,
            f"its {len(page.dataoffsets):,} parts of {width:,} × {length:,} pixels unpack to far more than the picture "
            f"of {page.imagewidth:,} × {page.imagelength:,} pixels. Export it again.",
        )


def _part_size(page: tifffile.TiffPage) -> tuple[int, int]:
    """Return width and length of a tile or strip."""
    if page.is_tiled:
        return page.tilewidth, page.tilelength
    return page.imagewidth, page.rowsperstrip


def _check_codec(page: tifffile.TiffPage, data: bytes, name: str, limits: Limits) -> None:
    if page.compression not in _CODECS:
        kind = getattr(page.compression, "name", page.compression)
        raise UnreadableImage(
            name,
            f"a TIFF compressed by {kind} cannot be read. Export it with LZW, deflate or no compression.",
        )
    if page.compression == COMPRESSION.JPEG:
        most = [-(-side // _JPEG_BLOCK) * _JPEG_BLOCK for side in _part_size(page)]
        for start, length in zip(page.dataoffsets, page.databytecounts, strict=True):
            part = JpegImagePlugin.JpegImageFile(io.BytesIO(data[start : start + length]))
            if part.width > most[0] or part.height > most[1]:
                raise ImageTooLarge(
                    name,
                    f"one of its parts is a JPEG of {part.width:,} × {part.height:,} pixels, larger than its tags "
                    "declare. Export it again.",
                )


def _hwc(page: tifffile.TiffPage, name: str) -> NDArray[Any]:
    """Decode to [H, W, samples], from planes stored in any way."""
    colours = _COLOURS.get(page.photometric)
    if colours is None or (page.photometric == PHOTOMETRIC.YCBCR and page.compression != COMPRESSION.JPEG):
        kind = getattr(page.photometric, "name", page.photometric)
        raise UnreadableImage(name, f"TIFF of the kind {kind} cannot be read. Export it as grey or RGB.")
    array: NDArray[Any] = page.asarray(maxworkers=1)
    if page.samplesperpixel == 1:
        return array.reshape(page.imagelength, page.imagewidth, 1)
    if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE:
        array = np.moveaxis(array, 0, -1)
    return array.reshape(page.imagelength, page.imagewidth, page.samplesperpixel)


def _interpret(page: tifffile.TiffPage, array: NDArray[Any], name: str) -> RawImage:
    """Interpret the samples: grey, inverted grey, palette, RGB, CMYK, and further channels."""
    bits = int(page.bitspersample)
    peak = float(2**bits - 1) if array.dtype.kind in "bu" and bits <= 16 else None
    notes: list[str] = []
    colours = _COLOURS[page.photometric]
    if colours == 1 and array.shape[2] in (3, 4) and len(page.extrasamples) != array.shape[2] - 1:
        colours = 3  # written without a photometric tag, as many programs do with colour
    if array.shape[2] < colours:
        raise UnreadableImage(name, f"its tags promise {colours} channels; it has {array.shape[2]}.")
    picture = array[..., 0] if colours == 1 else array[..., :colours]
    fixed = bits <= 8 and peak is not None
    if page.photometric == PHOTOMETRIC.MINISWHITE and peak is not None:
        picture = ~picture if bits == 1 else (int(peak) - picture).astype(picture.dtype)
    elif page.photometric == PHOTOMETRIC.PALETTE and page.colormap is not None:
        colours_of, indices = page.colormap.T, picture
        picture = np.empty((*indices.shape, 3), colours_of.dtype)
        for rows in by_rows(indices.shape):
            picture[rows] = colours_of[indices[rows].astype(np.intp)]
        peak, fixed = 65535.0, True
    elif page.photometric == PHOTOMETRIC.SEPARATED:
        if peak is None:
            raise UnreadableImage(name, "CMYK in float or signed samples cannot be read. Export it as RGB.")
        inks = picture
        picture = np.empty((*inks.shape[:2], 3), np.float32)
        for rows in by_rows(inks.shape):
            ink = 1 - inks[rows].astype(np.float32) / np.float32(peak)
            picture[rows] = ink[..., :3] * ink[..., 3:]
        peak, fixed = 1.0, True
        notes.append(CMYK)
    channels = 3 if page.photometric == PHOTOMETRIC.PALETTE else array.shape[2]
    raw = RawImage(picture, "TIFF", channels, bits, peak, fixed_scale=fixed, notes=notes)
    if array.shape[2] > colours:
        _add_extra(raw, page, array[..., colours])
    return raw


def _add_extra(raw: RawImage, page: tifffile.TiffPage, extra: NDArray[Any]) -> None:
    meaning = int(page.extrasamples[0]) if page.extrasamples else 0
    if meaning not in (_PREMULTIPLIED, _STRAIGHT):
        raw.notes.append("A further channel of no stated meaning was left out.")
        return
    peak = float(2 ** int(page.bitspersample) - 1) if extra.dtype.kind in "bu" else 1.0
    raw.set_alpha(extra, peak, premultiplied=meaning == _PREMULTIPLIED)
