"""Owns the image containers: PNG, JPEG, BMP and WebP bytes to samples as stored (tiff_format.py, netpbm_format.py).

Nothing is scaled here. A decoder checks the size that the header declares before it unpacks a single
pixel, turns the picture upright, and notes every conversion in words.
"""

import io
import struct
import zlib
from datetime import datetime

import numpy as np
from PIL import BmpImagePlugin, Image, ImageCms, ImageFile, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from patchcore.errors import ImageTooLarge
from patchcore.images.file_names import display_name
from patchcore.images.netpbm_format import is_netpbm
from patchcore.images.raw_image import Limits, RawImage, first_of_several, from_channels

# Errors of Pillow, tifffile and imagecodecs for damaged files (found by flipping bits in good ones). OSError
# covers "truncated", RuntimeError the codecs, the rest are slips of parsers on nonsense in a header.
DECODER_FAULTS = (
    OSError,
    ValueError,
    SyntaxError,
    RuntimeError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    EOFError,
    struct.error,
    zlib.error,
)

ORIENTATION_TAG = 0x0112
EXIF_IFD, TAKEN_TAG, CHANGED_TAG = 0x8769, 0x9003, 0x0132  # EXIF 2.3: DateTimeOriginal, DateTime
CMYK = "CMYK was converted to RGB without a colour profile; colours are approximate."
_LOWER_PART = "its lower part may be missing. Copy it again from where it came."
_FILLED, _JPEG_BLOCK = 128, 8  # the value that decoders fill missing blocks with; rows of a block
_MP_COUNT, _MP_ENTRIES, _MOST_LISTED = 0xB001, 0xB002, 16
_WEBP_BYTES = 8  # a pixel, of the two canvases that its decoder holds
_SPREAD = 4  # times the pixels of its first picture, a WebP's canvas may have
_SMALL_CANVAS = 4_000_000  # pixels; a canvas of so many may be empty
_SRGB_GAMMA = 0.45455
_PLAIN_PROFILES = ("srgb", "iec61966", "iec 61966", "c2ci", "gray gamma 2.2")  # C2ci: sRGB of web tools
REMEDY = "Export it as PNG, JPEG, TIFF, BMP, WebP or PGM."
_FOREIGN = (
    (0, b"GIF8", "a GIF"),
    (0, b"%PDF", "a PDF document"),
    (0, b"PK\x03\x04", "a zip archive"),
    (4, b"ftyp", "a HEIC, AVIF or video file"),
    (0, b"\x00\x00\x00\x0cjP", "a JPEG 2000 file"),
    (128, b"DICM", "a DICOM file"),
    (0, b"8BPS", "a Photoshop document"),
    (0, b"\x76\x2f\x31\x01", "an OpenEXR file"),
    (0, b"\x93NUMPY", "a NumPy array"),
    (0, b"SIMPLE  =", "a FITS file"),
    (0, b"\x89HDF", "an HDF5 file"),
    (8, b"AVI ", "an AVI video"),
    (0, b"7z\xbc\xaf", "a 7z archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
)


def sniff_format(data: bytes) -> str | None:
    """Name the container by its first bytes; None for an unreadable kind."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"BM"):
        return "BMP"
    if data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "TIFF"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    return "PNM" if is_netpbm(data) else None


def foreign_kind(data: bytes) -> str | None:
    """Name a kind of file that cannot be read here, with its article, by its first bytes; None for an unknown kind."""
    found = (what for offset, magic, what in _FOREIGN if data[offset : offset + len(magic)] == magic)
    return next(found, None)


def is_text(data: bytes) -> bool:
    """Whether the first bytes of a file are all characters of text."""
    return all(byte >= 0x20 or byte in b"\t\n\r\f" for byte in data[:512])


def why_not_an_image(data: bytes) -> str:
    """Return a sentence on bytes without a known signature: their probable kind, and the remedy."""
    if what := foreign_kind(data):
        return f"this is {what}, which cannot be read here. {REMEDY}"
    if is_text(data):
        return f"this is text, not an image, whatever its name says. {REMEDY}"
    return f"no known image format begins like this file. {REMEDY}"


def why_damaged(kind: str, data: bytes, fault: Exception) -> str:
    """Return a sentence on a file that failed to decode: cut short, or otherwise damaged."""
    if _breaks_off(kind, data) or (kind == "PNM" and isinstance(fault, EOFError)):
        return (
            f"truncated: the {kind} breaks off after {len(data):,} bytes, before the picture is complete. "
            "Copy it again from where it came."
        )
    detail = " ".join(str(fault).split())[:120]
    return (
        f"its {kind} data is damaged or of a kind that cannot be read ({detail}). "
        "Copy it again, or export it as PNG."
    )


def _breaks_off(kind: str, data: bytes) -> bool:
    match kind:
        case "PNG":
            return b"IEND" not in data[-64:]
        case "JPEG":
            return b"\xff\xd9" not in data[-64:]
        case "WebP":
            return len(data) < 8 + int.from_bytes(data[4:8], "little")
        case "BMP":
            return len(data) < int.from_bytes(data[2:6], "little")
    return False


def decode_png(data: bytes, name: str, limits: Limits) -> RawImage:
    """Unpack a PNG; 16-bit ones through libpng, since Pillow would keep only 8 bits of colour."""
    if len(data) < 33:
        raise EOFError("no complete header")
    width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
    channels = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}.get(colour, 1)
    limits.check(name, width, height, channels * max(depth // 8, 1))
    image = PngImagePlugin.PngImageFile(io.BytesIO(data))
    limits.check(name, *image.size, channels * max(depth // 8, 1))
    if image.size != (width, height):  # a later header has replaced the first one
        raise ValueError("it has two headers of different sizes")
    if depth != 16:
        raw = _from_pillow(image, "PNG", depth)
    else:
        import imagecodecs  # late: no other image needs it, and a GPU machine may lack it

        raw = from_channels(imagecodecs.png_decode(data), "PNG", 16, 65535)
        raw.notes[:0] = [*_frames(image), *_colour_notes(image)]
        exif = _exif(image)
        raw.taken = moment_of(exif)
        raw.turn_upright(orientation_of(exif))
    if b"IEND" not in data:
        raw.notes.append(
            "The PNG breaks off before its end mark. The picture is complete; copy the file again."
        )
    return raw


def decode_jpeg(data: bytes, name: str, limits: Limits) -> RawImage:
    """Unpack a JPEG."""
    image = JpegImagePlugin.JpegImageFile(io.BytesIO(data))
    limits.check(name, *image.size, len(image.getbands()))
    raw = _from_pillow(image, "JPEG", 8)
    raw.notes[:0] = _further_pictures(image, data)
    if data.find(b"\xff\xd9", data.rfind(b"\xff\xda")) < 0:
        raw.notes.append(f"The JPEG has no end mark, so that {_LOWER_PART}")
    elif rows := _empty_rows(image):
        raw.notes.append(
            f"The lowest {rows:,} rows are one even grey, as where a JPEG breaks off: {_LOWER_PART}"
        )
    return raw


def _empty_rows(image: ImageFile.ImageFile) -> int:
    """Count the lowest rows that a decoder filled for want of data; 0 for an ordinary picture."""
    lowest = image.crop((0, max(0, image.height - _JPEG_BLOCK), *image.size))
    if any(ends != (_FILLED, _FILLED) for ends in _bands(lowest)):
        return 0
    samples = np.asarray(image)
    filled = np.all(samples == _FILLED, axis=tuple(range(1, samples.ndim)))
    return 0 if filled.all() else int(np.argmin(filled[::-1]))


def _bands(image: Image.Image) -> list[tuple[int, int]]:
    """Return the smallest and the largest sample of each band."""
    return [band.getextrema() for band in image.split()]  # type: ignore[misc]  # bands of 8 bits have whole numbers


def _further_pictures(image: JpegImagePlugin.JpegImageFile, data: bytes) -> list[str]:
    """Note the other pictures of a multi-picture file (MPO, CIPA DC-007), which phones and stereo cameras write."""
    if "mp" not in image.info:
        return []
    try:
        index = image._getmp() or {}
        entries = index[_MP_ENTRIES][1:_MOST_LISTED]
        starts = [image.info["mpoffset"] + entry["DataOffset"] for entry in entries]
        others = [JpegImagePlugin.JpegImageFile(io.BytesIO(data[start:])).size for start in starts]
        count = int(index[_MP_COUNT])
    except DECODER_FAULTS:
        return ["The file holds further pictures, which were not read."]
    return [first_of_several("picture", count, image.size, others)] if count > 1 else []


def decode_bmp(data: bytes, name: str, limits: Limits) -> RawImage:
    """Unpack a BMP."""
    image = BmpImagePlugin.BmpImageFile(io.BytesIO(data))
    limits.check(name, *image.size, len(image.getbands()))
    return _from_pillow(image, "BMP", 1 if image.mode == "1" else 8)


def decode_webp(data: bytes, name: str, limits: Limits) -> RawImage:
    """Unpack a WebP (its first frame, if it moves)."""
    width, height = _webp_size(data)
    limits.check(name, width, height, _WEBP_BYTES)
    if width * height > max(_SPREAD * _webp_picture(data), _SMALL_CANVAS):
        raise ImageTooLarge(
            name,
            f"its canvas has {width:,} × {height:,} pixels, but its first picture fills almost nothing of it. "
            f"{REMEDY}",
        )
    image = WebPImagePlugin.WebPImageFile(io.BytesIO(data))
    limits.check(name, *image.size, _WEBP_BYTES)
    return _from_pillow(image, "WebP", 8)


def _webp_picture(data: bytes) -> int:
    """Return the pixels of the first picture on a canvas; 0 without any."""
    at = 12
    while at + 24 <= len(data):
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if kind in (b"VP8 ", b"VP8L"):
            width, height = _webp_size(data[:12] + data[at:])
            return width * height
        if kind == b"ANMF":
            width, height = (1 + int.from_bytes(data[at + n : at + n + 3], "little") for n in (14, 17))
            return width * height
        at += 8 + size + size % 2
    return 0


def _webp_size(data: bytes) -> tuple[int, int]:
    """Width and height from the first chunk; Pillow's decoder would allocate the canvas first."""
    match data[12:16]:
        case b"VP8X":
            return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
        case b"VP8L":
            bits = int.from_bytes(data[21:25], "little")
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case b"VP8 ":
            width, height = struct.unpack("<HH", data[26:30])
            return width & 0x3FFF, height & 0x3FFF
    raise ValueError("unknown kind of WebP")


def _from_pillow(image: ImageFile.ImageFile, kind: str, bit_depth: int) -> RawImage:
    notes = [*_frames(image), *_colour_notes(image)]
    exif = _exif(image)
    channels = len(image.getbands())
    picture: Image.Image = image
    if image.mode == "CMYK":
        notes.append(CMYK)
        picture = image.convert("RGB")
    elif image.mode == "PA" or "transparency" in image.info:
        picture = image.convert("RGBA")
        channels = 4
    elif image.mode not in ("1", "L", "LA", "RGB", "RGBA"):
        picture = image.convert("RGB")
        channels = 3
    array = np.asarray(picture)
    raw = from_channels(array, kind, bit_depth, 1 if array.dtype == bool else 255)
    raw.channels = channels
    raw.notes[:0] = notes
    raw.taken = moment_of(exif)
    raw.turn_upright(orientation_of(exif))
    return raw


def _frames(image: ImageFile.ImageFile) -> list[str]:
    frames = getattr(image, "n_frames", 1)
    return [first_of_several("frame", frames, image.size, [])] if frames > 1 else []


def _colour_notes(image: ImageFile.ImageFile) -> list[str]:
    """Note a colour profile or a gamma that would show the samples otherwise."""
    notes = profile_note(image.info.get("icc_profile"))
    gamma = image.info.get("gamma")
    if (
        not notes
        and isinstance(gamma, float)
        and "srgb" not in image.info
        and abs(gamma - _SRGB_GAMMA) > 0.02
    ):
        notes.append(f"Its gamma of {gamma:.3g} was not applied; samples are taken as sRGB.")
    return notes


def profile_note(profile: object) -> list[str]:
    """Return the note on an embedded ICC profile, in a list; none for sRGB, plain grey, or no profile."""
    if not isinstance(profile, bytes) or not profile:
        return []
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        name = display_name(ImageCms.getProfileDescription(opened).strip())[:80]
    except (*DECODER_FAULTS, ImageCms.PyCMSError):
        name = ""
    if any(plain in name.casefold() for plain in _PLAIN_PROFILES):
        return []
    return [f"Its colour profile{f' ({name})' if name else ''} was not applied; samples are taken as sRGB."]


def _exif(image: ImageFile.ImageFile) -> Image.Exif:
    """Return the EXIF tags; none of a missing or unreadable block."""
    exif = Image.Exif()
    if block := image.info.get("exif"):
        try:
            exif.load(block)
        except DECODER_FAULTS:
            return Image.Exif()
    return exif


def orientation_of(exif: Image.Exif) -> int:
    """Return the EXIF orientation code; 1 (upright) for a missing or unreadable one."""
    try:
        return int(exif.get(ORIENTATION_TAG, 1))
    except DECODER_FAULTS:
        return 1


def moment_of(exif: Image.Exif) -> str:
    """Return when a picture was taken, ISO 8601; "" where the file does not say, or says something else."""
    try:
        text = exif.get_ifd(EXIF_IFD).get(TAKEN_TAG) or exif.get(CHANGED_TAG)
        return iso_moment(text)
    except DECODER_FAULTS:
        return ""


def iso_moment(text: object) -> str:
    """Write EXIF's form of a moment, "2026:05:03 14:20:00", as ISO 8601; "" for anything else."""
    try:
        return datetime.strptime(str(text).strip("\0 ")[:19], "%Y:%m:%d %H:%M:%S").isoformat()
    except ValueError:
        return ""
