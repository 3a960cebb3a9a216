"""An inspector on disk: one safetensors file whose header carries versioned JSON; no pickle anywhere.

The header holds the SHA-256 of every tensor, so that damage or alteration is noticed before use.
"""

import errno
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import safetensors
from numpy.typing import NDArray
from safetensors.numpy import save_file

from patchcore.disk.whole_files import whole_file
from patchcore.errors import ArtifactError
from patchcore.files.targets import cannot_write
from patchcore.images.file_names import display_name, is_file

FORMAT = "patchcore-inspector"
VERSION = 1
HEADER_KEY = "patchcore"
MOST_HOLES = (
    256 << 20
)  # bytes of a file that its disk need not hold: a copy may have left out a part of zeros

Tensors = Mapping[str, NDArray[Any]]


def write(path: Path, tensors: Tensors, header: Mapping[str, Any]) -> None:
    """Write a file beside its final place and rename it; a crash leaves the old file or the new one.

    Parameters
    ----------
    path
        The file to write.
    tensors
        Arrays by name.
    header
        JSON types; `format`, `version` and `sha256` are added.
    """
    arrays = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    hashes = {name: _digest(array) for name, array in arrays.items()}
    text = json.dumps({"format": FORMAT, "version": VERSION, **header, "sha256": hashes}, ensure_ascii=False)
    plain = text.encode("utf-8", "backslashreplace").decode()  # an undecodable byte becomes JSON's own escape
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as part:
            save_file(arrays, part, metadata={HEADER_KEY: plain})
    except OSError as error:
        raise ArtifactError(cannot_write(path, error)) from error
    except safetensors.SafetensorError as error:  # its own word for a full disk
        raise ArtifactError(
            f"{path} cannot be written ({error}). Make room, or choose another place."
        ) from error


def read_header(path: Path) -> dict[str, Any]:
    """Read the JSON header alone, quickly.

    Raises
    ------
    ArtifactError
        If the file is foreign, damaged, or of a newer format.
    """
    if not is_file(path):  # False, not an error, for a name that no disk takes
        raise ArtifactError(f"There is no inspector {display_name(str(path))}.")
    try:
        with safetensors.safe_open(path, framework="np") as file:
            text = (file.metadata() or {}).get(HEADER_KEY)
        header = json.loads(text) if text else None
    except (OSError, ValueError, RecursionError, MemoryError, safetensors.SafetensorError) as error:
        raise ArtifactError(f"{path.name} is not an inspector, or it is damaged: {error}") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ArtifactError(f"{path.name} is not an inspector: it was not written by this program.")
    version = header.get("version")
    if type(version) is not int or not 1 <= version <= VERSION:  # Python counts True as a whole number
        raise ArtifactError(
            f"{path.name} has format version {version!r:.40}; this program reads up to {VERSION}. Update it."
        )
    return header


def require_solid(path: Path) -> None:
    """Refuse a file whose parts would fill the memory though its disk does not hold them; nothing of it is read.

    A sparse file of a few kilobytes has any size that it says it has.

    Raises
    ------
    ArtifactError
        Much of the file is not on the disk, or the file is larger than the free memory.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        holes = size - _bytes_on_disk(file.fileno(), size)
    if holes > MOST_HOLES:
        raise ArtifactError(
            f"{path.name} is not a whole inspector: {holes / 1e9:.1f} of its {size / 1e9:.1f} GB are empty space that "
            "its disk does not hold. Copy it again from where it was exported."
        )
    free = psutil.virtual_memory().available
    if size > free:
        raise ArtifactError(
            f"{path.name} takes {size / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are free. Close other programs, "
            "or build it with a smaller bank."
        )


def _bytes_on_disk(descriptor: int, size: int) -> int:
    """Return the bytes of a file outside its holes; all of them where the system does not tell holes."""
    if not hasattr(os, "SEEK_DATA"):
        return size
    place = held = 0
    while place < size:
        try:
            begin = os.lseek(descriptor, place, os.SEEK_DATA)
        except OSError as error:
            return (
                held if error.errno == errno.ENXIO else size
            )  # the rest is a hole, or the disk knows of none
        place = os.lseek(descriptor, begin, os.SEEK_HOLE)
        held += place - begin
    return held


def read(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Read and check a whole file: (arrays by name, header).

    Raises
    ------
    ArtifactError
        If the file is foreign, damaged, altered, or of a newer format.
    """
    header = read_header(path)
    require_solid(path)
    try:
        with safetensors.safe_open(path, framework="np") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a dict)
    except (OSError, ValueError, TypeError, MemoryError, safetensors.SafetensorError) as error:
        raise ArtifactError(f"{path.name} is damaged: {error}") from error  # TypeError: numbers NumPy lacks
    hashes = header.get("sha256")
    if not isinstance(hashes, dict) or set(hashes) != set(tensors):
        raise ArtifactError(f"{path.name} is damaged: its parts are not those listed in its header.")
    for name, array in tensors.items():
        if _digest(array) != hashes[name]:
            raise ArtifactError(
                f"{path.name} is damaged or was altered: '{name}' does not have the hash recorded for it."
            )
    return tensors, header


def _digest(array: NDArray[Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data).hexdigest()
