"""An inspector's file that somebody else wrote: everything in it is bounded and checked before it is used.

`PatchCore.load` detects a damaged file; this module detects a file that was made to do harm or nonsense. Declared sizes
are compared with the file's size before anything is allocated, and every text, number and array with the values that an
inspector can have.
"""

from __future__ import annotations

import json
import stat
import struct
import warnings
from collections.abc import Callable, Mapping
from math import prod
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from patchcore.errors import ArtifactError, SettingsError
from patchcore.files import container
from patchcore.files.description import PICTURE, About
from patchcore.files.header_rules import check_header
from patchcore.files.value_rules import MOST_IMAGES
from patchcore.settings import SETTINGS, Settings
from patchcore.thresholds.operating_point import LARGEST_SCORE, OperatingPoint

LARGEST_FILE = 8 << 30  # bytes
LARGEST_HEADER = 64 << 20  # bytes; a hundred thousand images need a third of it
LONGEST_FEATURE = 16_384  # numbers
LARGEST_FEATURES = 2 << 30  # bytes of the features of one image
LARGEST_ROI = 8192  # pixels a side
PARTS = {  # name: numbers, bytes of one, dimensions
    "bank.features": ("F32", 4, 2),
    "bank.images": ("I32", 4, 1),
    "bank.positions": ("I32", 4, 1),
    "good_scores.offsets": ("I64", 8, 1),
    "good_scores.sizes": ("I64", 8, 1),
    "good_scores.values": ("F32", 4, 1),
    "good_scores.cover_radius": ("F32", 4, 1),
    "good_scores.images": ("I32", 4, 1),
    "self_test.pixels": ("U8", 1, 3),
    "self_test.distances": ("F32", 4, 1),
}
OPTIONAL_PARTS = {"roi": ("U8", 1, 2), PICTURE: ("U8", 1, 3)}
FOREIGN = {  # first bytes of other kinds of file
    b"PK\x03\x04": "a zip archive (PyTorch's .pth files are such)",
    b"\x80\x02": "a Python pickle, which is never opened: it could run anything",
    b"\x80\x03": "a Python pickle, which is never opened: it could run anything",
    b"\x80\x04": "a Python pickle, which is never opened: it could run anything",
    b"\x80\x05": "a Python pickle, which is never opened: it could run anything",
    b"\x1f\x8b": "a gzip archive",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
}
MISFITS = (
    KeyError, IndexError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError, MemoryError,
    RuntimeError,
)  # fmt: skip


class Fitted(Protocol):
    """The parts of a loaded model that are compared with its file: bank, thresholds and self-test."""

    @property
    def bank_id_(self) -> str: ...  # noqa: D102
    @property
    def operating_point_(self) -> OperatingPoint | None: ...  # noqa: D102
    @property
    def self_test_(self) -> Test: ...  # noqa: D102


class Test(Protocol):
    """The outcome of a self-test."""

    @property
    def passed(self) -> bool: ...  # noqa: D102
    @property
    def sentence(self) -> str: ...  # noqa: D102


Model = TypeVar("Model", bound=Fitted)


def read_untrusted(path: Path, load: Callable[[Path], Model]) -> tuple[Model, About, dict[str, Any]]:
    """Read an inspector from any source: (model, description, header).

    Parameters
    ----------
    path
        A plain file.
    load
        Makes the model of the file once its contents are checked: `PatchCore.load`, with the path of the network's
        weights if they do not lie in the usual place.

    Raises
    ------
    ArtifactError
        The file does not hold a sound inspector; the message names the fault. Also when this machine does not compute
        the scores stored in its self-test.
    WeightsError
        The weights that built it are not on this machine.
    """
    require_plain_file(path)
    _check_layout(path)
    try:
        tensors, header = container.read(path)
        Settings.from_dict({name: header["settings"][name] for name in SETTINGS})
        check_header(header)
        about = About.from_parts(tensors, header)
        _check_arrays(tensors, header)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the self-test's outcome, checked below
            model = load(path)
    except SettingsError as error:
        raise ArtifactError(f"{path.name} is not a sound inspector. {error}") from error
    except MISFITS as error:
        raise ArtifactError(f"{path.name} does not hold a whole inspector ({error!r:.200}).") from error
    _check_infinite_scores(tensors)
    _check_model(model, header)
    return model, about, header


def require_plain_file(path: Path) -> int:
    """Return a file's size in bytes; its path must lead to the file itself.

    Raises
    ------
    ArtifactError
        The file is missing, a link, a folder or a device, empty, or larger than any inspector.
    """
    try:
        found = path.lstat()
    except (OSError, ValueError) as error:
        raise ArtifactError(f"There is no file {path.name} that can be read.") from error
    if stat.S_ISLNK(found.st_mode):
        raise ArtifactError(f"{path.name} is a link to another file. Name the file itself.")
    if not stat.S_ISREG(found.st_mode):
        raise ArtifactError(f"{path.name} is not a file. Choose a file that was exported as an inspector.")
    if found.st_size == 0:
        raise ArtifactError(f"{path.name} is empty. Export the inspector again.")
    if found.st_size > LARGEST_FILE:
        raise ArtifactError(
            f"{path.name} has {found.st_size / 1e9:.1f} GB; {LARGEST_FILE / 1e9:.1f} GB are the most."
        )
    return found.st_size


def _check_layout(path: Path) -> None:
    """Compare the declared parts of a file with its size, before any part is read."""
    size = path.stat().st_size
    with path.open("rb") as file:
        begins = file.read(8)
        for mark, kind in FOREIGN.items():
            if begins.startswith(mark):
                raise ArtifactError(f"{path.name} is not an inspector but {kind}.")
        length = struct.unpack("<Q", begins)[0] if len(begins) == 8 else size
        if length > min(size - 8, LARGEST_HEADER):
            raise ArtifactError(
                f"{path.name} is not an inspector, or it was cut off: it is shorter than it says its header is."
                if length > size - 8
                else f"{path.name} has a header of {length / 1e6:,.0f} MB; no inspector needs one."
            )
        text = file.read(length)
    try:
        listed = json.loads(text, object_pairs_hook=_once_each)
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"{path.name} is not an inspector, or it is damaged: {error}") from error
    if not isinstance(listed, dict):
        raise ArtifactError(f"{path.name} is not an inspector: its header lists no parts.")
    end = 0
    parts = [(name, entry) for name, entry in listed.items() if name != "__metadata__"]
    try:
        for name, entry in sorted(parts, key=lambda part: part[1]["data_offsets"]):
            end = _check_part(path.name, name, entry, end)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ArtifactError(f"{path.name} is damaged: its header lists an impossible part.") from error
    if missing := sorted(PARTS.keys() - listed.keys()):
        raise ArtifactError(f"{path.name} is not a whole inspector: it has no {missing[0]}.")
    if 8 + length + end != size:
        raise ArtifactError(
            f"{path.name} is damaged: its parts take {8 + length + end:,} bytes and the file has {size:,}."
        )


def _check_part(file: str, name: str, entry: Mapping[str, Any], begin: int) -> int:
    """Check one listed part, which must begin at the end of the last one; return its own end."""
    kind = {**PARTS, **OPTIONAL_PARTS}.get(name)
    if kind is None:
        raise ArtifactError(f"{file} is not a sound inspector: it has an unknown part {name[:60]!r}.")
    numbers, width, dimensions = kind
    shape = entry["shape"]
    if entry["dtype"] != numbers or len(shape) != dimensions:
        raise ArtifactError(
            f"{file} is not a sound inspector: {name} must be {numbers} with {dimensions} dimensions, not "
            f"{str(entry['dtype'])[:20]} with {len(shape)}."
        )
    if not all(type(side) is int and side >= 0 for side in (*shape, *entry["data_offsets"])):
        raise ArtifactError(f"{file} is damaged: the size of {name} is impossible.")
    first, last = entry["data_offsets"]
    if first != begin or last - first != prod(shape) * width:
        raise ArtifactError(
            f"{file} is damaged: {name} is declared as {' x '.join(map(str, shape))[:60]} numbers, but the file "
            "holds another number of them."
        )
    return int(last)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice in its header")
    return found


def _check_arrays(tensors: Mapping[str, NDArray[Any]], header: Mapping[str, Any]) -> None:
    """Check rules that `saved.from_saved` does not check, because this program cannot break them."""
    features, distances = tensors["bank.features"], tensors["self_test.distances"]
    taught = header["taught_rows"]
    rows, images, cells = len(features), len(header["images"]), header["grid"][0] * header["grid"][1]
    offsets, sizes = tensors["good_scores.offsets"], tensors["good_scores.sizes"]
    values, cover = tensors["good_scores.values"], tensors["good_scores.cover_radius"]
    scored, roi = tensors["good_scores.images"], tensors.get("roi")
    extremes = np.array([features.min(initial=0), features.max(initial=0)])
    rules = {
        "a feature has a length that a network gives": 1 <= features.shape[1] <= LONGEST_FEATURE
        and cells * features.shape[1] * 4 <= LARGEST_FEATURES,
        "a feature is no larger than a score can be": not bool(
            (np.isfinite(extremes) & (np.abs(extremes) > LARGEST_SCORE)).any()
        ),
        "no image has more patches than its map": rows - taught <= header["total_patches"] <= images * cells,
        "the good scores follow each other": len(offsets) == len(scored) + 1
        and offsets[0] == 0
        and offsets[-1] == len(sizes)
        and bool((np.diff(offsets) > 0).all()),
        "a good score changes at a size that the bank can have": len(sizes) == len(values)
        and bool(((sizes >= 1) & (sizes <= rows)).all()),
        "every good score belongs to a listed image, once": len(scored) <= MOST_IMAGES
        and len(np.unique(scored)) == len(scored)
        and bool(((scored >= 0) & (scored < images)).all()),
        "no good score is negative or no number": bool((values >= 0).all()),
        "good scores and cover radii are no larger than a score can be": bool(
            (values[np.isfinite(values)] <= LARGEST_SCORE).all() and (cover <= LARGEST_SCORE).all()
        ),
        "cover radii are numbers that only fall": bool(np.isfinite(cover).all() and (cover >= 0).all())
        and bool((np.diff(cover) <= 0).all()),
        "the self-test has a distance for each patch of the map": distances.shape == (cells,)
        and bool(((distances >= 0) & (distances <= LARGEST_SCORE)).all()),
        "the region of interest leaves something to look at": roi is None
        or (max(roi.shape) <= LARGEST_ROI and bool(roi.any()) and bool((roi <= 1).all())),
    }
    for rule, holds in rules.items():
        if not holds:
            raise ArtifactError(f"The inspector is not sound; it fails the rule: {rule}.")


def _check_infinite_scores(tensors: Mapping[str, NDArray[Any]]) -> None:
    """Check that a good score is infinite only while its image is alone in the bank (`leave_one_out`)."""
    offsets, sizes = tensors["good_scores.offsets"], tensors["good_scores.sizes"]
    images, scored = tensors["bank.images"], tensors["good_scores.images"]
    others = np.flatnonzero(images != images[0]) if len(images) else np.empty(0, np.int64)
    alone = int(others[0]) if len(others) else len(images)  # leading rows that all come from one image
    for step in np.flatnonzero(np.isinf(tensors["good_scores.values"])):
        place = int(np.searchsorted(offsets, step, side="right")) - 1
        followed = step + 1 < offsets[place + 1] and sizes[step + 1] == alone + 1
        if scored[place] != images[0] or sizes[step] > alone or not (followed or alone == len(images)):
            raise ArtifactError(
                "The inspector is not sound; it fails the rule: a good score is infinite only while its image is "
                "alone in the bank."
            )


def _check_model(model: Fitted, header: Mapping[str, Any]) -> None:
    """Check that the thresholds belong to this bank, and that this machine computes the builder's scores."""
    if model.bank_id_ != header["bank_id"]:
        raise ArtifactError(
            "The inspector is not sound: its bank does not follow from its images and settings."
        )
    point = model.operating_point_
    if point is not None and not point.stale and point.bank_id != model.bank_id_:
        raise ArtifactError("The inspector is not sound: its thresholds were set for another bank.")
    if not model.self_test_.passed:
        raise ArtifactError(model.self_test_.sentence)
