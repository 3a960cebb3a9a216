"""Changes of valid files: bytes anywhere, fields of a container with the rest of it right, values of JSON.

Every function draws from one `random.Random`, so that an input follows from its seed alone.
"""

import copy
import json
import math
import struct
import zlib
from collections.abc import Callable, Sequence
from functools import cache
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

NUMBERS = (
    0, 1, 2, 3, 7, 8, 16, 127, 128, 255, 256, 4_096, 9_999, 20_000, 32_767, 32_768, 65_535, 65_536, 10**7, 2**31 - 1,
    2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1,
)  # fmt: skip
"""Numbers at which sizes overflow, or are as large as limits allow."""
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63) - 1, 10**40, 0.5, -0.0, 1e308, 5e-324, math.nan, math.inf,
    -math.inf, "", " ", "0", "-1", "1e9", "nan", "9" * 40, "\0", "\ud800", "../../x", "/etc/passwd", "=1+1", "a\nb",
    "x" * 5_000, "\u202egnp", "\N{COMBINING ACUTE ACCENT}" * 300, [], {}, [[]], {"": {}}, [0] * 100,
)  # fmt: skip
"""Values that no program writes at the place where they are put."""
PLAIN_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=10), inner, max_size=5),
    max_leaves=10,
)
MOST_BYTES = 4 << 20  # of an input; longer ones are another corpus, `tests.hostile`
Place = tuple[int, str]  # offset of a number, and its form for `struct`


def drawn(strategy: SearchStrategy[Any], rng: Random) -> Any:
    """Return a value of a strategy of Hypothesis, by random bytes."""
    while True:
        found: list[Any] = []
        _taker(strategy)(found, rng.randbytes(2_048))
        if found:
            return found[0]


@cache
def _taker(strategy: SearchStrategy[Any]) -> Callable[[list[Any], bytes], None]:
    places: list[list[Any]] = []

    @settings(database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def take(value: Any) -> None:
        places[-1].append(value)

    def fill(found: list[Any], data: bytes) -> None:
        places[:] = [found]
        take.hypothesis.fuzz_one_input(data)  # type: ignore[attr-defined]

    return fill


# ---- bytes


def changed(data: bytes, rng: Random, other: bytes = b"") -> bytes:
    """Return a file with one to six changes of its bytes; `other` is what may be spliced in."""
    for _ in range(min(6, 1 + int(rng.expovariate(0.7)))):
        data = rng.choice(_CHANGES)(data, rng, other)[:MOST_BYTES]
    return data


def _near(data: bytes, rng: Random) -> int:
    """Return a place: half of the time among the first bytes, where headers are."""
    end = len(data) if rng.random() < 0.5 else min(len(data), 256)
    return rng.randrange(end + 1)


def _flipped(data: bytes, rng: Random, _other: bytes) -> bytes:
    made = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8, 64)) if made else 0):
        made[min(_near(data, rng), len(made) - 1)] ^= 1 << rng.randrange(8)
    return bytes(made)


def _overwritten(data: bytes, rng: Random, _other: bytes) -> bytes:
    form = rng.choice("BHIQ")
    number = struct.pack(
        rng.choice("<>") + form, rng.choice(NUMBERS) % (1 << 8 * struct.calcsize("=" + form))
    )
    at = _near(data, rng)
    return data[:at] + number + data[at + len(number) :]


def _cut_off(data: bytes, rng: Random, _other: bytes) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _deleted(data: bytes, rng: Random, _other: bytes) -> bytes:
    at = _near(data, rng)
    return data[:at] + data[at + rng.choice((1, 2, 4, 16, 100, 1_000)) :]


def _repeated(data: bytes, rng: Random, _other: bytes) -> bytes:
    at, length = _near(data, rng), rng.choice((1, 4, 12, 32, 200, 2_000))
    return data[:at] + data[at : at + length] * rng.choice((2, 3, 50, 2_000)) + data[at + length :]


def _inserted(data: bytes, rng: Random, _other: bytes) -> bytes:
    at = _near(data, rng)
    more = (
        rng.randbytes(rng.choice((1, 4, 64)))
        if rng.random() < 0.5
        else bytes([rng.choice(b"\0\xff9[")]) * 5_000
    )
    return data[:at] + more + data[at:]


def _spliced(data: bytes, rng: Random, other: bytes) -> bytes:
    at, there = _near(data, rng), _near(other, rng)
    return (
        data[:at]
        + other[there : there + rng.choice((8, 64, 1_000, 10**6))]
        + data[rng.choice((at, len(data))) :]
    )


_CHANGES = (
    _flipped,
    _flipped,
    _overwritten,
    _overwritten,
    _cut_off,
    _deleted,
    _repeated,
    _inserted,
    _spliced,
)


def renumbered(data: bytes, places: Sequence[Place], rng: Random) -> bytes:
    """Return a file with one to four of its fields set to numbers at which sizes overflow, or a little beside them."""
    made = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4)) if places else 0):
        at, form = rng.choice(places)
        size = struct.calcsize(form)
        if at + size > len(made):
            continue
        (now,) = struct.unpack_from(form, made, at)
        number = rng.choice(
            (rng.choice(NUMBERS), now + rng.choice((-1, 1)), now * 2, rng.randrange(1 << 8 * size))
        )
        struct.pack_into(form, made, at, number % (1 << 8 * size))
    return bytes(made)


# ---- parts in a row, such as chunks


def reordered(parts: list[Any], rng: Random, alter: Callable[[Any, Random], Any]) -> list[Any]:
    """Return parts of which some are altered, lost, repeated or elsewhere."""
    made = list(parts)
    for _ in range(rng.choice((1, 1, 2, 3)) if made else 0):
        if not made:
            break
        at, there = rng.randrange(len(made)), rng.randrange(len(made))
        match rng.randrange(5):
            case 0:
                made[at] = alter(made[at], rng)
            case 1:
                made.insert(there, alter(made[at], rng))
            case 2:
                made[at], made[there] = made[there], made[at]
            case 3:
                made[at:at] = [made[at]] * rng.choice((1, 2, 500))
            case 4 if len(made) > 1:
                del made[at]
    return made


def png(data: bytes, rng: Random) -> bytes:
    """Return a PNG with altered chunks, each with its right sum."""
    chunks, at = [], 8
    while at + 8 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length

    def alter(chunk: tuple[bytes, bytes], rng: Random) -> tuple[bytes, bytes]:
        kind, body = chunk
        if rng.random() < 0.2:
            kind = rng.choice((b"PLTE", b"tRNS", b"gAMA", b"iCCP", b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"acTL", b"fcTL",
                               b"fdAT", b"cHRM", b"sRGB", b"pHYs", b"IHDR", b"IDAT", b"IEND"))  # fmt: skip
        if kind == b"IDAT" and rng.random() < 0.5:
            try:
                return kind, zlib.compress(changed(zlib.decompress(body), rng))
            except zlib.error:
                pass
        if kind in (b"IHDR", b"fcTL", b"acTL") and rng.random() < 0.7:
            places = [(4 * number, ">I") for number in range(len(body) // 4)]
            places += [(at, "B") for at in range(8, len(body))]
            return kind, renumbered(body, places, rng)
        return kind, changed(body, rng)

    made = reordered(chunks, rng, alter)
    return data[:8] + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in made
    )


def jpeg(data: bytes, rng: Random) -> bytes:
    """Return a JPEG with altered segments, each with its right length."""
    segments, at = [], 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        length = int.from_bytes(data[at + 2 : at + 4])
        end = at + 2 + length
        if data[at + 1] == 0xDA:  # samples follow, up to the next marker
            while end + 1 < len(data) and not (
                data[end] == 0xFF and data[end + 1] not in (0, *range(0xD0, 0xD8))
            ):
                end += 1
        segments.append((data[at + 1], data[at + 4 : at + 2 + length], data[at + 2 + length : end]))
        at = end

    def alter(segment: tuple[int, bytes, bytes], rng: Random) -> tuple[int, bytes, bytes]:
        marker, body, samples = segment
        if rng.random() < 0.2:
            marker = rng.choice(
                (0xC0, 0xC1, 0xC2, 0xC4, 0xC9, 0xDB, 0xDD, 0xDA, 0xE0, 0xE1, 0xE2, 0xEE, 0xFE)
            )
        if samples and rng.random() < 0.5:
            return marker, body, changed(samples, rng)
        if 0xC0 <= marker <= 0xCF and marker != 0xC4:
            return (
                marker,
                renumbered(body, [(1, ">H"), (3, ">H"), *((at, "B") for at in range(len(body)))], rng),
                samples,
            )
        return marker, changed(body, rng)[:65_533], samples

    made = reordered(segments, rng, alter)
    return data[:2] + b"".join(
        bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body + samples for marker, body, samples in made
    ) + data[at:]  # fmt: skip


def webp(data: bytes, rng: Random) -> bytes:
    """Return a WebP with altered chunks, the file's length right."""
    chunks, at = [], 12
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        chunks.append((data[at : at + 4], data[at + 8 : at + 8 + length]))
        at += 8 + length + length % 2

    def alter(chunk: tuple[bytes, bytes], rng: Random) -> tuple[bytes, bytes]:
        kind, body = chunk
        if rng.random() < 0.2:
            kind = rng.choice(
                (b"VP8 ", b"VP8L", b"VP8X", b"ANIM", b"ANMF", b"ALPH", b"ICCP", b"EXIF", b"XMP ")
            )
        places = [(at, "<H") for at in range(min(len(body), 40) - 1)] + [(0, "B"), (1, "<I")]
        return kind, renumbered(body, places, rng) if rng.random() < 0.5 else changed(body, rng)

    body = b"WEBP" + b"".join(
        kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
        for kind, body in reordered(chunks, rng, alter)
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def bmp(data: bytes, rng: Random) -> bytes:
    """Return a BMP with other numbers in its header."""
    places = [(at, form) for at in range(2, 54, 2) for form in ("<H", "<I")]
    return renumbered(data, places, rng)


def tiff(data: bytes, rng: Random) -> bytes:
    """Return a TIFF with other numbers in its tags: a tag, its kind, its count, its value or one of its values."""
    order = "<" if data[:2] == b"II" else ">"
    if data[2:4] not in (b"*\0", b"\0*"):  # BigTIFF
        return renumbered(
            data, [(at, f"{order}{form}") for at in range(16, len(data) - 8, 4) for form in "HIQ"], rng
        )
    places, at, lists = [(4, f"{order}I")], struct.unpack_from(f"{order}I", data, 4)[0], 0
    while 8 <= at < len(data) - 6 and lists < 10:
        count, lists = struct.unpack_from(f"{order}H", data, at)[0], lists + 1
        places.append((at, f"{order}H"))
        for entry in range(at + 2, min(at + 2 + 12 * count, len(data) - 12), 12):
            places += [(entry, f"{order}H"), (entry + 2, f"{order}H"), (entry + 4, f"{order}I")]
            places += [(entry + 8, f"{order}H"), (entry + 8, f"{order}I")] * 3
            value = struct.unpack_from(f"{order}I", data, entry + 8)[0]
            places += [
                (value + 4 * number, f"{order}I") for number in range(3) if 8 <= value < len(data) - 16
            ]
        at += 2 + 12 * count
        places.append((at, f"{order}I"))
        at = struct.unpack_from(f"{order}I", data, at)[0] if at + 4 <= len(data) else 0
    return renumbered(data, places, rng)


def pnm(data: bytes, rng: Random) -> bytes:
    """Return a PBM, PGM or PPM with other words in its header."""
    words = data.split(None, 4)
    for _ in range(rng.choice((1, 2))):
        if words:
            word = rng.choice(
                (str(rng.choice(NUMBERS)), "-1", "0x10", "1e3", "#", "#\n", "9" * 40, "", "P5", "P1", "٣")
            )
            words[rng.randrange(len(words))] = word.encode()
    return rng.choice((b" ", b"\n", b"\t\r\n", b"# a\n")).join(words)


def archive(data: bytes, rng: Random) -> bytes:
    """Return a zip with other numbers in its heads, directory or end."""
    places: list[Place] = []
    forms = {
        b"PK\x03\x04": ((6, "<H"), (8, "<H"), (14, "<I"), (18, "<I"), (22, "<I"), (26, "<H"), (28, "<H")),
        b"PK\x01\x02": (
            (8, "<H"), (10, "<H"), (16, "<I"), (20, "<I"), (24, "<I"), (28, "<H"), (30, "<H"), (32, "<H"),
            (38, "<I"), (42, "<I"),
        ),
        b"PK\x05\x06": ((4, "<H"), (8, "<H"), (10, "<H"), (12, "<I"), (16, "<I"), (20, "<H")),
    }  # fmt: skip
    for mark, fields in forms.items():
        at = data.find(mark)
        while at >= 0:
            places += [(at + offset, form) for offset, form in fields]
            at = data.find(mark, at + 1)
    return renumbered(data, places, rng)


CONTAINERS = {"png": png, "jpeg": jpeg, "webp": webp, "bmp": bmp, "tiff": tiff, "pnm": pnm}
"""Kind of picture -> the change of its fields."""


# ---- JSON


def odd(rng: Random) -> Any:
    """Return a value that stands at no such place."""
    return copy.deepcopy(rng.choice(ODD)) if rng.random() < 0.8 else drawn(PLAIN_JSON, rng)


def revalued(value: Any, rng: Random) -> Any:
    """Return JSON of which one to three values are others, lost, or under other names."""
    made = copy.deepcopy(value)
    for _ in range(rng.choice((1, 1, 2, 3))):
        holders = list(_holders(made))
        if not holders:
            return odd(rng)
        held = rng.choice(holders)
        key = rng.choice(list(held) if isinstance(held, dict) else range(len(held)))
        match rng.randrange(8):
            case 0:
                del held[key]
            case 1 if isinstance(held, dict):
                held[rng.choice((f"{key} ", "", "x" * 300, "\ud800"))] = held.pop(key)
            case 2 if isinstance(held, list):
                held[key:key] = [held[key]] * rng.choice((1, 3, 300))
            case 3 if type(held[key]) in (int, float) and math.isfinite(held[key]):
                held[key] = held[key] * rng.choice((-1, 2, 1_000_000)) + rng.choice((-1, 0, 1, 0.5))
            case 4 if isinstance(held[key], str) and held[key]:
                held[key] = changed(held[key].encode("utf-8", "replace"), rng).decode(
                    "utf-8", "surrogateescape"
                )[:70_000]
            case 5:
                nested: Any = odd(rng)
                for _ in range(rng.choice((2, 50, 3_000))):
                    nested = [nested]
                held[key] = nested
            case _:
                held[key] = odd(rng)
    return made


def _holders(value: Any) -> Any:
    """Yield the lists and objects of JSON that hold something."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict | list) and one:
            yield one
            waiting += list(one.values()) if isinstance(one, dict) else one[:50]


def as_json(value: Any) -> bytes:
    """Write JSON, deep lists included; what cannot be written becomes null."""
    try:
        return json.dumps(value).encode()
    except RecursionError:
        return b"[" * 3_000 + b"]" * 3_000
