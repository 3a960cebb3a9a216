"""Pictures that are read with a remark, each as a camera or a program writes it, from one ordinary picture."""

import io

import numpy as np
import tifffile
from PIL import Image

REMARKS = {
    "turned.jpg": "turned upright, as its orientation tag says",
    "pages.tif": "Only the first of 2 pages in the file was read.",
    "preview.tif": "begins with a preview",
    "moving.webp": "Only the first of 2 frames",
    "stereo.jpg": "Only the first of 2 pictures in the file was read.",
    "see-through.png": "Transparent pixels are shown on white.",
    "ink.jpg": "CMYK was converted to RGB without a colour profile",
    "cut.jpg": "lower part may be missing",
    "deep.png": "no value above 16383, as in 14-bit data",
}
"""Name of a file -> words of its remark."""


def odd_pictures(pixels):
    """Return the files of `REMARKS` by their names, made from uint8 [S, S, 3], a square."""
    picture, half = Image.fromarray(pixels), Image.fromarray(pixels[::2, ::2])
    mirrored = pixels[:, ::-1]  # no two files hold the same picture: copies count once
    exif = Image.Exif()
    exif[0x0112] = 6
    see_through = np.dstack([pixels, np.full(pixels.shape[:2], 200, np.uint8)])
    whole = _saved(picture, "JPEG", quality=95)
    return {
        "turned.jpg": _saved(picture, "JPEG", exif=exif),
        "pages.tif": _pages((pixels, {}), (pixels, {})),
        "preview.tif": _pages((mirrored[::4, ::4], {"subfiletype": 1}), (mirrored, {})),
        "moving.webp": _saved(picture, "WEBP", save_all=True, append_images=[picture.rotate(90)]),
        "stereo.jpg": _saved(picture, "MPO", save_all=True, append_images=[half]),
        "see-through.png": _saved(Image.fromarray(see_through), "PNG"),
        "ink.jpg": _saved(picture.convert("CMYK"), "JPEG"),
        "cut.jpg": whole[: len(whole) // 2] + b"\xff\xd9",
        "deep.png": _saved(Image.fromarray(pixels[..., 0].astype(np.uint16) * 64), "PNG"),
    }


def _saved(picture, kind, **options):
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def _pages(*pages):
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        for pixels, options in pages:
            file.write(pixels, photometric="rgb", metadata=None, **options)
    return buffer.getvalue()
