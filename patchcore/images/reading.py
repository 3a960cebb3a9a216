"""Owns the way from any industrial image file, bytes or array to float32 RGB in 0..1, with a record of it.

8-bit samples are scaled by 255 and 16-bit samples by 65535, whatever the picture holds; a value range,
fixed when an inspector is built, replaces that for 16-bit and float data. No image is ever stretched to its
own minimum and maximum: the same part under the same light must give the same numbers.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patchcore.disk.work_notes import READ, Step, WorkNotes, of_process
from patchcore.errors import (
    FatalImage,
    ImageError,
    ImageTooLarge,
    NoImagesError,
    SettingsError,
    UnreadableImage,
)
from patchcore.images.decoding.pool import POOL
from patchcore.images.file_names import IMAGE_SUFFIXES, display_name, is_folder, is_hidden
from patchcore.images.formats import sniff_format, why_not_an_image
from patchcore.images.raw_image import Limits, RawImage, from_array, memory_for
from patchcore.images.sample_scaling import to_rgb
from patchcore.images.unread_files import contents_of, why_no_images

WHITE = (1.0, 1.0, 1.0)
_TINT, _LOOKED_AT = 2.5 / 255, 100  # difference of colours that still counts as grey; pixels a side
LATER = {
    "pixel_sha256": "",
    "near_copy_of": "",
    "taken": "",
    "session": "",
}  # fields that records of earlier programs lack
_STEPS = 65535  # of brightness in the hash of pixels: an 8-bit value is the same step in 16 bits
_HASHED_AT_ONCE = 1 << 18  # values, which stay in the cache


@dataclass(frozen=True)
class ImageRecord:
    """The record of an image: all facts besides its pixels.

    Attributes
    ----------
    name
        As the user knows it, on one line.
    sha256
        Hash of the file's bytes; for an array, of dtype, shape and samples.
    format
        ``PNG``, ``JPEG``, ``BMP``, ``TIFF``, ``WebP``, ``PNM`` or ``array``.
    width, height
        In pixels, upright.
    channels, bit_depth
        As stored in the file.
    notes
        Conversions and observations while reading, each a sentence.
    lowest, highest
        Smallest and largest sample as stored, over all colours.
    colourful
        Whether the picture has colour, whatever its channels.
    pixel_sha256
        `LoadedImage.pixel_sha256` of an image that was learned from; "" where nobody asked for it.
    near_copy_of
        `pixel_sha256` of the first good image of its group of near copies; "" for an image without near copies.
    taken
        When the camera says that it was taken, "2026-05-03T14:20:00" by the camera's clock; "" where it does not say.
    session
        The session of an image that was learned from; "" where the good images are of one session.
    """

    name: str
    sha256: str
    format: str
    width: int
    height: int
    channels: int
    bit_depth: int
    notes: tuple[str, ...] = ()
    lowest: float = 0.0
    highest: float = 0.0
    colourful: bool = True
    pixel_sha256: str = ""
    near_copy_of: str = ""
    taken: str = ""
    session: str = ""

    @property
    def is_deep(self) -> bool:
        """Whether its samples are whole numbers of more than 8 bits."""
        return self.bit_depth == 16 and self.highest > 1  # without a value range, float images end at 1

    def to_dict(self) -> dict[str, Any]:
        """Give the record as plain JSON types."""
        return {**asdict(self), "notes": list(self.notes)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ImageRecord:
        """Rebuild a record from `to_dict`; unknown keys are ignored, and old ones tell colour by channels."""
        values = {"colourful": values["channels"] > 2, **LATER, **values}
        known = {key: values[key] for key in cls.__dataclass_fields__}
        return cls(**{**known, "notes": tuple(known["notes"])})


@dataclass(frozen=True)
class LoadedImage:
    """An image ready for the method.

    Attributes
    ----------
    pixels
        [H, W, 3] float32 RGB in 0..1; grey is repeated.
    record
        The facts about the file, and conversions.
    """

    pixels: NDArray[np.float32]
    record: ImageRecord

    @cached_property
    def pixel_sha256(self) -> str:
        """SHA-256 of the size and of the pixels as 16-bit steps: the same for exact copies in any kind of file.

        Format, metadata, bit depth, an alpha channel without effect, three equal channels and the EXIF orientation of
        upright pixels make no difference.
        """
        digest = hashlib.sha256(f"{self.pixels.shape} ".encode())
        flat = self.pixels.reshape(-1)
        for start in range(0, flat.size, _HASHED_AT_ONCE):
            steps = np.rint(flat[start : start + _HASHED_AT_ONCE] * np.float32(_STEPS))
            digest.update(steps.astype("<u2").data)
        return digest.hexdigest()

    @property
    def hashed_record(self) -> ImageRecord:
        """The record with the hash of the pixels."""
        return replace(self.record, pixel_sha256=self.pixel_sha256)


def read_image(
    source: str | os.PathLike[str] | bytes | NDArray[Any],
    *,
    name: str | None = None,
    value_range: tuple[float, float] | None = None,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    background: tuple[float, float, float] = WHITE,
) -> LoadedImage:
    """Read one image.

    Parameters
    ----------
    source
        A path, the bytes of a file, or an array [H, W] or [H, W, 1 | 3 | 4] (bool, integer or float).
    name
        The image's name; by default the path as passed.
    value_range
        (black, white) in sample values, for data of more than 8 bits and float. Values beyond it are clipped
        and counted in the record's notes.
    limits
        Checked on what the header declares and on what the decoder was made for, before pixels are unpacked.
    background
        RGB in 0..1 that shows through transparent pixels.

    Raises
    ------
    UnreadableImage
        Not an image, empty, truncated, of a kind without plain meaning, not finite, or float outside 0..1
        without a value range.
    ImageTooLarge
        Beyond the limits, or beyond the memory that is free.
    SettingsError
        `value_range` is not an increasing finite pair.
    """
    _check_range(value_range)
    label = _label(source, name)
    with memory_for(label):
        return _read(source, label, value_range, limits, background)


def _label(source: str | os.PathLike[str] | bytes | NDArray[Any], name: str | None) -> str:
    if isinstance(source, np.ndarray):
        return display_name(name or "array")
    return display_name(name or ("image" if isinstance(source, bytes) else os.fspath(source)))


def _read(
    source: str | os.PathLike[str] | bytes | NDArray[Any],
    label: str,
    value_range: tuple[float, float] | None,
    limits: Limits,
    background: tuple[float, float, float],
) -> LoadedImage:
    if isinstance(source, np.ndarray):
        raw, sha256 = from_array(source, label, limits), array_sha256(source)
        pixels, lowest, highest = to_rgb(raw, label, value_range, background)
    else:
        data = source if isinstance(source, bytes) else _file_bytes(Path(source), label, limits)
        sha256 = hashlib.sha256(data).hexdigest()
        with in_work(sha256, label):
            raw = _decode(data, label, limits)
            del data
            pixels, lowest, highest = to_rgb(raw, label, value_range, background)
    record = ImageRecord(
        label,
        sha256,
        raw.format,
        pixels.shape[1],
        pixels.shape[0],
        raw.channels,
        raw.bit_depth,
        tuple(raw.notes),
        lowest,
        highest,
        raw.samples.ndim == 3 and _has_colour(pixels),
        taken=raw.taken,
    )
    return LoadedImage(pixels, record)


def _has_colour(pixels: NDArray[np.float32]) -> bool:
    """Whether the colours of [H, W, 3] differ from grey, at some ten thousand pixels spread over all."""
    steps = [max(1, side // _LOOKED_AT) for side in pixels.shape[:2]]
    return bool((np.ptp(pixels[:: steps[0], :: steps[1]], axis=2) > _TINT).any())


def read_samples(
    source: str | os.PathLike[str] | bytes,
    *,
    name: str | None = None,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> RawImage:
    """Read the samples of an image file as they are stored, neither scaled nor composed; errors as `read_image`."""
    label = _label(source, name)
    with memory_for(label):
        data = source if isinstance(source, bytes) else _file_bytes(Path(source), label, limits)
        with in_work(hashlib.sha256(data).hexdigest(), label):
            return _decode(data, label, limits)


@contextmanager
def in_work(
    sha256: str | None, name: str, step: Step = READ, notes: WorkNotes | None = None
) -> Iterator[None]:
    """Note a file for the length of a block, so that a file that keeps killing its process is left out.

    Parameters
    ----------
    sha256
        Hash of its bytes; None for a file that cannot be opened, which is not noted.
    name
        The file as the user knows it.
    step
        See `WorkNotes.in_work`.
    notes
        The notes of a workspace; None for the notes of this process (`work_notes.use`), if it has any.

    Raises
    ------
    FatalImage
        Three processes died on the file.
    """
    notes = notes or of_process()
    if notes is None or sha256 is None:
        yield
        return
    if reason := notes.refusal(sha256):
        raise FatalImage(name, reason)
    unusable = None
    with notes.in_work(sha256, name, step):
        try:
            yield
        except ImageError as error:
            unusable = error  # a result: the process has lived
    if unusable is not None:
        raise unusable


def is_exact_copy(record: ImageRecord, image: LoadedImage) -> bool:
    """Whether an image has the pixels of a recorded one; by the file where the record holds no hash of pixels."""
    if record.sha256 == image.record.sha256:
        return True
    return record.pixel_sha256 != "" and record.pixel_sha256 == image.pixel_sha256


def exact_copy(twin: str) -> str:
    """Return the reason for which an image is left out that has the same pixels as another one of its set."""
    return f"it shows the same pixels as {twin}; each picture counts once."


def display_pixels(pixels: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Round float RGB in 0..1 to uint8, same shape."""
    return (pixels * np.float32(255) + np.float32(0.5)).astype(np.uint8)


def list_images(folder: str | os.PathLike[str]) -> list[Path]:
    """List the image files below a folder by suffix, sorted by path, hidden ones and ``__MACOSX`` skipped.

    Raises
    ------
    NoImagesError
        The folder does not exist.
    """
    return list_files(folder, IMAGE_SUFFIXES)


def list_files(folder: str | os.PathLike[str], suffixes: Collection[str]) -> list[Path]:
    """List the files below a folder that have one of these suffixes, as `list_images` does; errors as there."""
    root = Path(folder)
    if not is_folder(root):  # False, not an error, for a name that no disk takes
        raise NoImagesError(f"{display_name(str(root))} is not a folder on this machine. Check the path.")
    found = []
    for where, folders, files in os.walk(root):
        folders[:] = [entry for entry in folders if not is_hidden((entry,))]
        names = (entry for entry in files if not is_hidden((entry,)))
        found += [Path(where, entry) for entry in names if Path(entry).suffix.lower() in suffixes]
    return sorted(path for path in found if path.is_file())


def require_images(folder: str | os.PathLike[str]) -> list[Path]:
    """List the image files below a folder as `list_images` does.

    Raises
    ------
    NoImagesError
        The folder does not exist, or holds no image; the sentence counts the files that it holds instead.
    """
    found = list_images(folder)
    if not found:
        raise NoImagesError(why_no_images(str(folder), contents_of(Path(folder))))
    return found


def _check_range(value_range: tuple[float, float] | None) -> None:
    if value_range is None:
        return
    if len(value_range) != 2 or not np.isfinite(value_range).all() or value_range[0] >= value_range[1]:
        raise SettingsError(f"The value range must be two numbers, black below white; it is {value_range}.")


def _file_bytes(path: Path, name: str, limits: Limits) -> bytes:
    try:
        status = path.stat()
        if stat.S_ISFIFO(status.st_mode) or stat.S_ISSOCK(status.st_mode):  # would wait for ever
            raise UnreadableImage(name, "this is not a regular file. Copy the image itself.")
        check_weight(status.st_size, name, limits)
        return path.read_bytes()
    except FileNotFoundError:
        raise UnreadableImage(name, "there is no such file. Check the path.") from None
    except (OSError, ValueError) as fault:
        why = getattr(fault, "strerror", None) or fault
        raise UnreadableImage(name, f"the file cannot be opened ({why}). Check its permissions.") from fault


def check_weight(size: int, name: str, limits: Limits = Limits()) -> None:  # noqa: B008 - frozen
    """Refuse a file of more bytes than the limits allow, before any of it is read."""
    if size > limits.max_bytes:
        raise ImageTooLarge(
            name,
            f"the file has {size:,} bytes; the limit is {limits.max_bytes:,}. Crop it or scale it down.",
        )


def _decode(data: bytes, name: str, limits: Limits) -> RawImage:
    if not data:
        raise UnreadableImage(name, "the file is empty (0 bytes). Copy it again from where it came.")
    check_weight(len(data), name, limits)
    kind = sniff_format(data)
    if kind is None:
        raise UnreadableImage(name, why_not_an_image(data))
    return POOL.decode(kind, data, name, limits)


def array_sha256(array: NDArray[Any]) -> str:
    """Hash dtype, shape and samples of an array, as its record does."""
    digest = hashlib.sha256(f"{array.dtype.str} {array.shape} ".encode())
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
