"""An inspector's file that somebody else wrote: everything in it is bounded and checked before it is used.

`Detector.load` detects a damaged file; this module detects a file that was made to do harm or nonsense. Declared sizes
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

from patchcore.errors import ArtifactError, SettingsError
from patchcore.files import container
from patchcore.files.description import PICTURE, About
from patchcore.files.header_rules import check_header
from patchcore.files.method_rules import FileRules, Header, Part, Tensors, hold
from patchcore.files.picture_rules import PICTURE_PARTS
from patchcore.methods import DEFAULT_METHOD, METHODS, detector_class
from patchcore.settings import Settings, names_of
from patchcore.thresholds.operating_point import LARGEST_SCORE, OperatingPoint

LARGEST_FILE = 8 << 30  # bytes
LARGEST_HEADER = 64 << 20  # bytes; a hundred thousand images need a third of it
LARGEST_ROI = 8192  # pixels a side
PARTS: Mapping[str, Part] = {
    "self_test.pixels": ("U8", 1, 3),
    "self_test.distances": ("F32", 4, 1),
    **PICTURE_PARTS,
}
"""Arrays of every file; `method_rules` adds the arrays of the file's method."""
OPTIONAL_PARTS: Mapping[str, Part] = {"roi": ("U8", 1, 2), PICTURE: ("U8", 1, 3)}
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
        Makes the model of the file once its contents are checked: `Detector.load`, with the path of the network's
        weights if they do not lie in the usual place.

    Raises
    ------
    ArtifactError
        The file does not hold a sound inspector, or this machine does not compute the scores stored in its self-test;
        the message names the fault.
    WeightsError
        The weights that built it are not on this machine.
    """
    method, rules = check_layout(path)
    try:
        tensors, header = container.read(path)
        Settings.from_dict({name: header["settings"][name] for name in names_of(method)})
        check_header(header, rules.check_header)
        about = About.from_parts(tensors, header)
        hold({**rules.rules(tensors, header), **_rules(tensors, header)})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the self-test's outcome, checked below
            model = load(path)
    except SettingsError as error:
        raise ArtifactError(f"{path.name} is not a sound inspector. {error}") from error
    except MISFITS as error:
        raise ArtifactError(f"{path.name} does not hold a whole inspector ({error!r:.200}).") from error
    hold(rules.last_rules(tensors, header))
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


def check_layout(path: Path) -> tuple[str, FileRules]:
    """Compare the declared parts of a file with its size, before any part is read; return its method and rules.

    Raises
    ------
    ArtifactError
        It is no plain file, or cannot hold an inspector; the message names the fault.
    """
    size = require_plain_file(path)
    container.require_solid(path)
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
    method, rules = _rules_of_method(path.name, listed)
    required = {**PARTS, **rules.parts}
    end = 0
    parts = [(name, entry) for name, entry in listed.items() if name != "__metadata__"]
    try:
        for name, entry in sorted(parts, key=lambda part: part[1]["data_offsets"]):
            end = _check_part(path.name, name, entry, end, {**required, **OPTIONAL_PARTS, **rules.optional})
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ArtifactError(f"{path.name} is damaged: its header lists an impossible part.") from error
    if missing := sorted(required.keys() - listed.keys()):
        raise ArtifactError(f"{path.name} is not a whole inspector: it has no {missing[0]}.")
    absent = sorted(rules.optional.keys() - listed.keys())
    if absent and len(absent) < len(rules.optional):
        raise ArtifactError(f"{path.name} is not a whole inspector: it has no {absent[0]}.")
    if 8 + length + end != size:
        raise ArtifactError(
            f"{path.name} is damaged: its parts take {8 + length + end:,} bytes and the file has {size:,}."
        )
    return method, rules


def _rules_of_method(file: str, listed: Mapping[str, Any]) -> tuple[str, FileRules]:
    """Find the method that a file names, PatchCore where it names none, and the rules for its part of the file."""
    try:
        name = json.loads(listed["__metadata__"][container.HEADER_KEY]).get("method", DEFAULT_METHOD)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        name = DEFAULT_METHOD  # the header is foreign: `container.read` says why
    if not isinstance(name, str) or name not in METHODS:
        raise ArtifactError(
            f"{file} was built by a method that this program does not know, {name!a:.80}. Update the program."
        )
    rules: FileRules = detector_class(name).file_rules
    return name, rules


def _check_part(
    file: str, name: str, entry: Mapping[str, Any], begin: int, allowed: Mapping[str, Part]
) -> int:
    """Check one listed part, which must begin at the end of the last one; return its own end."""
    kind = allowed.get(name)
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


def _rules(tensors: Tensors, header: Header) -> dict[str, bool]:
    """Rules for the arrays of every file that `saved` does not check: a file of this program cannot break them."""
    distances, roi = tensors["self_test.distances"], tensors.get("roi")
    return {
        "the self-test has a distance for each patch of the map": distances.shape
        == (header["grid"][0] * header["grid"][1],)
        and bool(((distances >= 0) & (distances <= LARGEST_SCORE)).all()),
        "the region of interest leaves something to look at": roi is None
        or (max(roi.shape) <= LARGEST_ROI and bool(roi.any()) and bool((roi <= 1).all())),
    }


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
