"""Hostile pictures, each a few hundred bytes that declare, or unpack to, far more; made by code."""

import base64
import io
import json
import struct
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image

Make = Callable[[], bytes]
HUGE = 2**31 - 1
LIMIT = 120_000_000  # pixels of one image
BYTE, SHORT, LONG = 1, 3, 4  # kinds of a TIFF's tags
KINDS = {BYTE: ("B", 1), SHORT: ("H", 2), LONG: ("I", 4)}


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    """Return a picture as a file."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def plain(side: int = 16) -> Image.Image:
    """Return an ordinary picture."""
    samples = np.arange(side * side * 3, dtype=np.uint8).reshape(side, side, 3)
    return Image.fromarray(samples)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk with its length and its check sum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    *headers: tuple[int, int], depth: int = 8, colour: int = 0, after: bool = False, rows: bytes = b""
) -> bytes:
    """Return a PNG with one or several headers; `after`: the later ones stand behind the samples."""
    first, *later = (
        png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
        for width, height in headers
    )
    samples = png_chunk(b"IDAT", zlib.compress(rows or bytes(17 * 16), 9))
    middle = [samples, *later] if after else [*later, samples]
    return b"\x89PNG\r\n\x1a\n" + first + b"".join(middle) + png_chunk(b"IEND", b"")


def zeros(count: int) -> bytes:
    """Return so many zeros, deflated piece by piece."""
    packer, piece = zlib.compressobj(9), bytes(1 << 20)
    parts = [packer.compress(piece) for _ in range(count >> 20)]
    return b"".join([*parts, packer.compress(bytes(count & 0xFFFFF)), packer.flush()])


def largest_png(width: int = 12_000, height: int = 10_000) -> bytes:
    """Return the largest colour picture that the limits allow, in half a megabyte."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    samples = png_chunk(b"IDAT", zeros((width * 3 + 1) * height))
    return b"\x89PNG\r\n\x1a\n" + header + samples + png_chunk(b"IEND", b"")


def tiff(tags: dict[int, tuple[int, list[int]]], samples: bytes = b"", pages: int = 1) -> bytes:
    """Return a little-endian TIFF: tag -> (kind, values); offsets of samples count from the samples' own start.

    All pages share the values, which stand before the samples.
    """
    outside, places, at = b"", {}, 8
    for code, (kind, values) in tags.items():
        form, size = KINDS[kind]
        if len(values) * size > 4:
            places[code] = at + len(outside)
            outside += struct.pack(f"<{len(values)}{form}", *values)
    start = at + len(outside)
    if 273 in tags or 324 in tags:
        code = 273 if 273 in tags else 324
        kind, values = tags[code]
        moved = [start + value for value in values]
        if code in places:
            head = places[code] - at
            packed = struct.pack(f"<{len(moved)}{KINDS[kind][0]}", *moved)
            outside = outside[:head] + packed + outside[head + len(packed) :]
        tags = {**tags, code: (kind, moved)}
    lists, place = b"", start + len(samples)
    for page in range(pages):
        rows = b""
        for code in sorted(tags):
            kind, values = tags[code]
            value = (
                struct.pack("<I", places[code])
                if code in places
                else struct.pack(f"<{len(values)}{KINDS[kind][0]}", *values).ljust(4, b"\0")
            )
            rows += struct.pack("<HHI", code, kind, len(values)) + value
        following = place + len(lists) + 2 + len(rows) + 4 if page + 1 < pages else 0
        lists += struct.pack("<H", len(tags)) + rows + struct.pack("<I", following)
    return b"II*\0" + struct.pack("<I", place) + outside + samples + lists


def picture_tags(width: int, height: int, **more: tuple[int, list[int]]) -> dict[int, tuple[int, list[int]]]:
    """Return the tags of a grey picture of 8 bits; further ones by ``t`` and their number."""
    tags = {
        256: (LONG, [width]),
        257: (LONG, [height]),
        258: (SHORT, [8]),
        259: (SHORT, [1]),
        262: (SHORT, [1]),
    }
    tags[277] = (SHORT, [1])
    return tags | {int(name[1:]): value for name, value in more.items()}


def strips(width: int = 16, height: int = 16, **more: tuple[int, list[int]]) -> bytes:
    """Return a TIFF of one strip, whose further tags make it hostile."""
    own = {"t273": (LONG, [0]), "t278": (LONG, [height]), "t279": (LONG, [256])}
    return tiff(picture_tags(width, height, **(own | more)), bytes(256))


def tiles(
    width: int, height: int, tile: tuple[int, int], count: int = 1, **more: tuple[int, list[int]]
) -> bytes:
    """Return a TIFF in deflated tiles that all share their bytes."""
    samples = zlib.compress(bytes(256))
    own = {
        "t259": (SHORT, [8]),
        "t322": (LONG, [tile[0]]),
        "t323": (LONG, [tile[1]]),
        "t324": (LONG, [0] * count),
        "t325": (LONG, [len(samples)] * count),
    }
    return tiff(picture_tags(width, height, **(own | more)), samples)


def jpegs_in_tiff(count: int = 40, side: int = 4000) -> bytes:
    """Return a TIFF whose strips of a row share one JPEG, far larger than a strip."""
    part = saved(Image.new("L", (side, side)), "JPEG")
    own = {
        "t259": (SHORT, [7]),
        "t273": (LONG, [0] * count),
        "t278": (LONG, [1]),
        "t279": (LONG, [len(part)] * count),
    }
    return tiff(picture_tags(16, count, **own), part)


def shared_lists(pages: int = 400, values: int = 20_000) -> bytes:
    """Return a TIFF whose pages all name the same list of strips."""
    own = {
        "t273": (LONG, [0] * values),
        "t278": (LONG, [1]),
        "t279": (LONG, [16] * values),
    }
    return tiff(picture_tags(16, values, **own), bytes(256), pages)


def webp(*chunks: tuple[bytes, bytes]) -> bytes:
    """Return a WebP of these chunks."""
    body = b"".join(
        kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for kind, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def webp_canvas(width: int, height: int, frame: tuple[int, int] | None, flags: int = 0x12) -> bytes:
    """Return a moving WebP: a canvas with one small frame, or none."""
    canvas = bytes([flags, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    chunks = [(b"VP8X", canvas), (b"ANIM", bytes(6))]
    if frame is not None:
        still = saved(Image.new("RGBA", frame), "WEBP", lossless=True)
        at = still.index(b"VP8L")
        sides = (frame[0] - 1).to_bytes(3, "little") + (frame[1] - 1).to_bytes(3, "little")
        chunks.append((b"ANMF", bytes(6) + sides + bytes(4) + still[at:]))
    return webp(*chunks)


def webp_still(width: int, height: int) -> bytes:
    """Return a WebP's header alone: lossless, of any size up to 16384."""
    bits = (width - 1) | (height - 1) << 14
    return webp((b"VP8L", b"\x2f" + struct.pack("<I", bits) + bytes(16)))


def bmp(width: int, height: int, *, bits: int = 24, compression: int = 0, rows: bytes = bytes(64)) -> bytes:
    """Return a BMP with a declared size."""
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(rows), 0, 0, 0, 0)
    palette = bytes(1024) if bits == 8 else b""
    size = 14 + len(head) + len(palette)
    return b"BM" + struct.pack("<IHHI", size + len(rows), 0, 0, size) + head + palette + rows


def jpeg(*sizes: tuple[int, int]) -> bytes:
    """Return a JPEG with these sizes, each in a header of its own before the samples; (0, 0) is the true one."""
    whole = saved(plain(), "JPEG")
    at = whole.index(b"\xff\xc0")
    length = 2 + int.from_bytes(whole[at + 2 : at + 4])
    header = whole[at : at + length]
    made = [
        header[:5] + struct.pack(">HH", height, width) + header[9:] if width else header
        for width, height in sizes
    ]
    return whole[:at] + b"".join(made) + whole[at + length :]


def interlaced(width: int = 10_000, height: int = 11_900) -> bytes:
    """Return a PNG of black and white in seven passes (Adam7), in a few kilobytes."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 1))
    passes = (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    )
    count = sum((-(-(width - x) // dx) // 8 + 2) * -(-(height - y) // dy) for x, y, dx, dy in passes)
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", zeros(count)) + png_chunk(b"IEND", b"")


def chunks_before(chunk: bytes, count: int) -> bytes:
    """Return a PNG with a chunk many times before its samples."""
    whole = saved(plain(), "PNG")
    return whole[:33] + chunk * count + whole[33:]


def enlarged(data: bytes, mark: bytes, width: int, height: int) -> bytes:
    """Return a JPEG whose header, which begins with a mark, declares another size."""
    at = data.index(mark)
    return data[: at + 5] + struct.pack(">HH", height, width) + data[at + 9 :]


def scans(count: int, side: int = 10_000) -> bytes:
    """Return a progressive JPEG that refines a large picture in many scans of a few bytes."""
    whole = enlarged(saved(Image.new("L", (64, 64), 128), "JPEG", progressive=True), b"\xff\xc2", side, side)
    second = whole.index(b"\xff\xda", whole.index(b"\xff\xda") + 2)
    return whole[:second] + whole[second:-2] * count + whole[-2:]


def restarts(count: int = 200_000, side: int = 10_000) -> bytes:
    """Return a JPEG that begins again behind each block."""
    whole = enlarged(saved(Image.new("L", (64, 64)), "JPEG"), b"\xff\xc0", side, side)
    at = whole.index(b"\xff\xda")
    blocks = b"".join(b"\x00\xff" + bytes([0xD0 + number % 8]) for number in range(count))
    return whole[:at] + b"\xff\xdd\0\4\0\1" + whole[at : at + 10] + blocks + b"\xff\xd9"


def segments(segment: bytes, count: int) -> bytes:
    """Return a JPEG with a segment many times at its begin."""
    whole = saved(plain(), "JPEG")
    return whole[:2] + segment * count + whole[2:]


def looped_exif(count: int = 1_000) -> bytes:
    """Return a JPEG whose EXIF lists name themselves."""
    rows = b"".join(struct.pack(">HHII", 0x8769, 4, 1, 8) for _ in range(count))
    block = b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">H", count) + rows + struct.pack(">I", 8)
    return segments(b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block, 1)


def small_parts(side: int, count: tuple[int, int], *, tiled: bool) -> bytes:
    """Return a TIFF of so many deflated parts across and down that all share their bytes."""
    if tiled:
        return tiles(side * count[0], side * count[1], (side, side), count[0] * count[1])
    samples, rows = zlib.compress(bytes(side)), count[1]
    own = {
        "t259": (SHORT, [8]),
        "t273": (LONG, [0] * rows),
        "t278": (LONG, [1]),
        "t279": (LONG, [len(samples)] * rows),
    }
    return tiff(picture_tags(side, rows, **own), samples)


def frames(count: int = 20_000) -> bytes:
    """Return a WebP that moves, in frames of a pixel."""
    still = saved(Image.new("RGBA", (1, 1)), "WEBP", lossless=True)
    frame = (b"ANMF", bytes(16) + still[still.index(b"VP8L") :])
    canvas = bytes([0x12, 0, 0, 0]) + (1999).to_bytes(3, "little") * 2
    return webp((b"VP8X", canvas), (b"ANIM", bytes(6)), *[frame] * count)


def many_pictures() -> bytes:
    """Return an MPO whose index declares 2^31 pictures."""
    whole = saved(plain(), "MPO", save_all=True, append_images=[plain()])
    at = whole.index(b"\x01\xb0\x04\0")
    return whole[: at + 8] + struct.pack("<I", HUGE) + whole[at + 12 :]


def labelme(mask: bytes) -> bytes:
    """Return labelme's JSON with a painted mask."""
    shape = {
        "shape_type": "mask",
        "label": "dent",
        "points": [[0, 0], [1, 1]],
        "mask": base64.b64encode(mask).decode(),
    }
    return json.dumps(
        {"imagePath": "part.png", "imageHeight": 16, "imageWidth": 16, "shapes": [shape]}
    ).encode()


PICTURES: dict[str, Make] = {
    "png, second header 20,000 x 20,000": lambda: png((16, 16), (20_000, 20_000)),
    "png, second header of 2^31": lambda: png((16, 16), (HUGE, HUGE)),
    "png, second header within the limits": lambda: png((16, 16), (9_000, 9_000)),
    "png, second header and 16 bits": lambda: png((16, 16), (9_000, 13_000), depth=16, colour=6),
    "png, second header behind the samples": lambda: png((16, 16), (30_000, 30_000), after=True),
    "png, three headers": lambda: png((16, 16), (30_000, 30_000), (16, 16)),
    "tiff, TileDepth 2^31": lambda: tiles(16, 16, (16, 16), t32998=(LONG, [2**31])),
    "tiff, TileDepth 2": lambda: tiles(16, 16, (16, 16), t32998=(LONG, [2])),
    "tiff, TileWidth 2^31": lambda: tiles(16, 16, (2**31, 16)),
    "tiff, TileLength 60,000 x 2,000": lambda: tiles(16, 16, (2_000, 59_999)),
    "tiff, ImageDepth 2^20": lambda: strips(t32997=(LONG, [2**20])),
    "tiff, SamplesPerPixel 65,535": lambda: strips(t277=(SHORT, [65_535])),
    "tiff, RowsPerStrip 2^32 - 1 and 11 million rows": lambda: strips(
        11, 11_000_000, t278=(LONG, [2**32 - 1])
    ),
    "tiff, a row of tiles for each pixel": lambda: tiles(16, 3_000, (8_000, 8_000), 3_000),
    "tiff, more tiles than the picture has": lambda: tiles(16, 16, (4_000, 4_000), 500),
    "tiff, strips that are larger JPEGs": jpegs_in_tiff,
    "tiff, 400 pages that share a list of 20,000 strips": shared_lists,
    "webp, a canvas of 119 million and a frame of 1": lambda: webp_canvas(11_900, 10_000, (1, 1)),
    "webp, a canvas of 2^24 sides": lambda: webp_canvas(2**24, 2**24, (1, 1)),
    "webp, a canvas without a frame": lambda: webp_canvas(11_900, 10_000, None),
    "webp, a still canvas that is not its picture": lambda: webp_canvas(11_900, 10_000, (16, 16), 0x10),
    "webp, lossless 16,384 x 16,384": lambda: webp_still(16_384, 16_384),
    "bmp, 2^31 x 2^31": lambda: bmp(HUGE, HUGE),
    "bmp, 60,000 rows from above": lambda: bmp(60_000, -60_000),
    "bmp, packed 60,000 x 60,000": lambda: bmp(60_000, 60_000, bits=8, compression=1),
    "jpeg, second header 65,500 x 65,500": lambda: jpeg((0, 0), (65_500, 65_500)),
    "jpeg, second header within the limits": lambda: jpeg((0, 0), (10_000, 10_000)),
    "jpeg, first header within the limits": lambda: jpeg((10_000, 10_000), (0, 0)),
    "jpeg, 65,500 x 65,500": lambda: jpeg((65_500, 65_500)),
    "jpeg, a height that stands behind the samples": lambda: enlarged(
        saved(plain(), "JPEG")[:-2] + b"\xff\xdc\0\4\xff\xff\xff\xd9", b"\xff\xc0", 16, 0
    ),
    "jpeg, 2^31 further pictures": many_pictures,
    "jpeg, EXIF lists that name themselves": looped_exif,
    "bmp, a palette of 2^31 colours": lambda: (
        bmp(16, 16, bits=8)[:46] + struct.pack("<I", HUGE) + bytes(2_000)
    ),
    "tiff, 100,000 previews within": lambda: strips(t330=(LONG, [8] * 100_000)),
    "pnm, 99,999 x 99,999": lambda: b"P6\n99999 99999\n255\n" + bytes(64),
    "pnm, text 10,000 x 10,000": lambda: b"P2\n10000 10000\n255\n" + b"0 " * 64,
    "pnm, bits 10,999 x 10,900": lambda: b"P4\n10999 10900\n" + bytes(64),
}
"""Name -> a file that must be refused in a sentence, or be read small, without the size that it declares."""

LARGEST: dict[str, Make] = {
    "png, the largest that is read": largest_png,
    "tiff, the largest that is read": lambda: tiff(
        picture_tags(
            12_000,
            10_000,
            t259=(SHORT, [8]),
            t273=(LONG, [0]),
            t278=(LONG, [10_000]),
            t279=(LONG, [len(zeros(120_000_000))]),
        ),
        zeros(120_000_000),
    ),
    "jpeg, the largest that is read": lambda: saved(Image.new("RGB", (12_000, 10_000)), "JPEG"),
    "webp, the largest that is read": lambda: saved(Image.new("RGB", (10_000, 10_000)), "WEBP", method=0),
}
"""Name -> a file that is small on disk and has every pixel that the limits allow."""

LONG_TO_DECODE: dict[str, Make] = {
    "png, 10,000 texts of a megabyte": lambda: chunks_before(
        png_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1_000_000), 9)), 10_000
    ),
    "png, a profile of 100 megabytes": lambda: chunks_before(
        png_chunk(b"iCCP", b"a\0\0" + zeros(100_000_000)), 1
    ),
    "png, 119 million pixels in seven passes": interlaced,
    "png, 200,000 frames": lambda: chunks_before(
        png_chunk(b"fcTL", struct.pack(">IIIIIHHBB", 1, 16, 16, 0, 0, 1, 1, 0, 0)), 200_000
    ),
    "jpeg, 40 scans of 10,000 x 10,000": lambda: scans(40),
    "jpeg, 400 scans of 10,000 x 10,000": lambda: scans(400),
    "jpeg, 200,000 new beginnings": restarts,
    "jpeg, 2,000 profiles": lambda: segments(
        b"\xff\xe2\xff\xff" + b"ICC_PROFILE\0\1\1" + bytes(65_519), 2_000
    ),
    "jpeg, 20,000 tables": lambda: segments(b"\xff\xdb\0\x43\0" + b"\1" * 64, 20_000),
    "tiff, 119,000 strips that share their bytes": lambda: small_parts(1_000, (1, 119_000), tiled=False),
    "tiff, 465,000 tiles that share their bytes": lambda: small_parts(16, (625, 744), tiled=True),
    "tiff, 60,000 pages": lambda: tiff(
        picture_tags(16, 16, t273=(LONG, [0]), t278=(LONG, [16]), t279=(LONG, [256])), bytes(256), 60_000
    ),
    "webp, 20,000 frames": frames,
    "bmp, packed rows of nothing but steps": lambda: bmp(
        10_000, 10_000, bits=8, compression=1, rows=b"\0\2\0\1" * 3_000_000 + b"\0\1"
    ),
    "bmp, packed by fours, a pixel at a time": lambda: bmp(
        10_000, 10_000, bits=4, compression=2, rows=b"\1\0" * 5_000_000 + b"\0\1"
    ),
    "pnm, twenty million comments": lambda: b"P2\n100 100\n255\n" + b"#\n" * 20_000_000 + b"0 " * 10_000,
    "pnm, a hundred million bits as text": lambda: b"P1\n10000 10000\n" + b"1" * 100_000_000,
    "pnm, ninety million numbers": lambda: b"P3\n6000 5000\n9\n" + b"7 " * 90_000_000,
}
"""Name -> a picture within the limits that takes its decoder long for its bytes."""
