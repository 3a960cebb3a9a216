"""PBM, PGM and PPM files (Netpbm, P1 to P6): black and white, grey and colour, 8 and 16 bits, packed or as text.

The header states the sample value that means white, so such a file needs no value range. Format:
https://netpbm.sourceforge.net/doc/pnm.html
"""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patchcore.images.raw_image import Limits, RawImage, from_channels

LONGEST_HEADER = 1 << 16  # bytes, with comments
_START = re.compile(rb"P[1-6](?=[\s#])\s*[\d#]")
_TOKEN = re.compile(rb"(?:\s|#[^\r\n]*[\r\n])*(\d{1,9})(?=[\s#])")
_BITMAPS = (1, 4)
_FOREIGN = re.compile(rb"[^\d\s+-]")  # what stands in no sample that is written as text
_AT_ONCE = 1 << 18  # bytes of text that are read at a time


def is_netpbm(data: bytes) -> bool:
    """Whether a file begins as PBM, PGM or PPM files do."""
    return _START.match(data) is not None


def decode_netpbm(data: bytes, name: str, limits: Limits) -> RawImage:
    """Unpack the first picture of a PBM, PGM or PPM file.

    Raises
    ------
    EOFError
        The file ends before the picture is complete.
    ValueError
        The header or a sample is not as the format has it.
    """
    kind = int(data[1:2])
    count = 2 if kind in _BITMAPS else 3
    at, numbers = 2, list[int]()
    for _ in range(count):
        token = _TOKEN.match(data, at, LONGEST_HEADER)
        if token is None:
            raise ValueError("no complete header")
        numbers.append(int(token[1]))
        at = token.end()
    width, height, peak = (*numbers, 1)[:3]
    if not 1 <= peak <= 65535:
        raise ValueError(f"a largest value of {peak}; it must be 1 to 65535")
    channels = 3 if kind in (3, 6) else 1
    limits.check(name, width, height, channels * (2 if peak > 255 else 1))
    return _raw(data, at, kind, (height, width, channels), peak)


def _raw(data: bytes, at: int, kind: int, shape: tuple[int, int, int], peak: int) -> RawImage:
    samples, rest = (_from_text if kind <= 3 else _packed)(data, at, kind, shape, peak)
    if kind in _BITMAPS:
        samples = 1 - samples  # 1 means black in a bitmap
    elif int(samples.max()) > peak:
        raise ValueError(f"a sample of {samples.max()}, above the largest value of {peak}")
    bits = 1 if kind in _BITMAPS else max(8, peak.bit_length())
    raw = from_channels(samples if shape[2] == 3 else samples[..., 0], "PNM", bits, float(peak))
    if is_netpbm(rest.lstrip()):
        raw.notes.append("Only the first of several pictures in the file was read.")
    return raw


def _packed(
    data: bytes, at: int, kind: int, shape: tuple[int, int, int], peak: int
) -> tuple[NDArray[Any], bytes]:
    height, width, channels = shape
    at += 1  # one blank ends the header
    dtype = np.dtype(">u2" if peak > 255 else np.uint8)
    row = (width + 7) // 8 if kind == 4 else width * channels * dtype.itemsize
    end = at + row * height
    if len(data) < end:
        raise EOFError("samples are missing")
    if kind == 4:
        bits = np.frombuffer(data, np.uint8, row * height, at).reshape(height, row)
        return np.unpackbits(bits, axis=1)[:, :width, None], data[end : end + 64]
    packed = np.frombuffer(data, dtype, (end - at) // dtype.itemsize, at)
    return packed.reshape(shape).astype(dtype.newbyteorder("=")), data[end : end + 64]


def _from_text(
    data: bytes, at: int, kind: int, shape: tuple[int, int, int], peak: int
) -> tuple[NDArray[Any], bytes]:
    wanted, found = shape[0] * shape[1] * shape[2], 0
    if (
        len(data) - at < wanted
    ):  # a sample takes a character at least; nothing is allocated for those that are missing
        raise EOFError("samples are missing")
    samples = np.empty(wanted, np.uint16 if peak > 255 else np.uint8)
    read = _digits if kind == 1 else _numbers  # bits need no blanks between them
    for text in _without_comments(data, at):
        values = read(text)[: wanted - found]
        if values.size and values.min() < 0:
            raise ValueError("a sample below zero")
        if values.size and values.max() > peak:
            raise ValueError(f"a sample of {values.max()}, above the largest value of {peak}")
        samples[found : found + values.size] = values
        found += values.size
        if found == wanted:
            return samples.reshape(shape), b""
        if kind != 1 and _FOREIGN.search(text):
            raise ValueError("a sample that is no number")
    raise EOFError("samples are missing")


def _digits(text: bytes) -> NDArray[Any]:
    digits = np.frombuffer(text, np.uint8)
    bits: NDArray[np.uint8] = digits[(digits == ord("0")) | (digits == ord("1"))]
    return bits - np.uint8(ord("0"))


def _numbers(text: bytes) -> NDArray[Any]:
    """Return the numbers of a text, as far as it holds nothing else."""
    end = _FOREIGN.search(text)
    plain = text if end is None else text[: end.start()]
    # NumPy takes blanks alone for a zero.
    return np.fromstring(plain, np.int64, sep=" ") if plain.strip() else np.empty(0, np.int64)


def _without_comments(data: bytes, at: int) -> Iterator[bytes]:
    """Yield the text piece by piece, blanks in place of comments; no piece ends within a number.

    A file may be one comment, or hold a comment behind each sample: pieces keep the memory for it small.
    """
    is_comment, rest = False, b""
    for start in range(at, len(data), _AT_ONCE):
        piece = np.frombuffer(bytearray(data[start : start + _AT_ONCE]), np.uint8)
        if is_comment or (piece == ord("#")).any():
            places = np.arange(piece.size, dtype=np.int32)
            opened = np.maximum.accumulate(np.where(piece == ord("#"), places, -1))
            closed = np.maximum.accumulate(np.where((piece == ord("\n")) | (piece == ord("\r")), places, -1))
            comment = (opened > closed) | ((closed < 0) & is_comment)
            piece[comment] = ord(" ")
            is_comment = bool(comment[-1])
        text = rest + piece.tobytes()
        end = max(text.rfind(blank) for blank in (b" ", b"\n", b"\r", b"\t")) + 1
        if start + _AT_ONCE >= len(data):
            end = len(text)
        elif end == 0:
            end = len(text)  # bits without blanks, or no numbers at all
        rest = text[end:]
        yield text[:end]
