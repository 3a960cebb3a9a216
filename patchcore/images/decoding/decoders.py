"""Owns the table of decoders: bytes of a known container to samples, in the process that calls."""

from patchcore.errors import ImageError, UnreadableImage
from patchcore.images.formats import (
    DECODER_FAULTS,
    decode_bmp,
    decode_jpeg,
    decode_png,
    decode_webp,
    why_damaged,
)
from patchcore.images.netpbm_format import decode_netpbm
from patchcore.images.raw_image import Limits, RawImage, memory_for


def _decode_tiff(data: bytes, name: str, limits: Limits) -> RawImage:
    from patchcore.images.tiff_format import decode_tiff  # late: tifffile takes half as long as all the rest

    return decode_tiff(data, name, limits)


_DECODERS = {
    "PNG": decode_png,
    "JPEG": decode_jpeg,
    "BMP": decode_bmp,
    "WebP": decode_webp,
    "TIFF": _decode_tiff,
    "PNM": decode_netpbm,
}


def decode(kind: str, data: bytes, name: str, limits: Limits) -> RawImage:
    """Decode a file whose container is known by its first bytes (`formats.sniff_format`).

    Raises
    ------
    UnreadableImage
        Damaged, truncated, or of a kind without plain meaning.
    ImageTooLarge
        Beyond the limits, or beyond the memory of this process.
    """
    try:
        with memory_for(name):
            return _DECODERS[kind](data, name, limits)
    except ImageError:
        raise
    except DECODER_FAULTS as fault:
        raise UnreadableImage(name, why_damaged(kind, data, fault)) from fault
