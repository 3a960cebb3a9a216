"""Files of network weights: read without unpickling code, identified by hash, downloaded as a whole or not at all."""

import hashlib
import urllib.request
from collections.abc import Callable
from pathlib import Path
from pickle import UnpicklingError  # torch's error for refused files; nothing is unpickled here

import safetensors
import torch
from safetensors.torch import load_file
from torch import Tensor

from patchcore.disk.whole_files import whole_file
from patchcore.errors import WeightsError, WeightsMismatch

BLOCK = 1 << 20  # bytes


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_hash(path: Path, expected: str) -> str:
    """Return a file's SHA-256 if it begins as expected.

    Raises
    ------
    WeightsMismatch
        If it does not.
    """
    digest = file_sha256(path)
    if not digest.startswith(expected):
        raise WeightsMismatch(
            f"{path} is not the expected file: its SHA-256 begins {digest[:8]}, expected {expected[:8]}. "
            "Replace it with an undamaged copy."
        )
    return digest


def read_state(path: Path) -> dict[str, Tensor]:
    """Read a state dict from `.safetensors`, or from `.pth`/`.pt` without ever unpickling code.

    Raises
    ------
    WeightsError
        If the file is neither.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise WeightsError(
            f"{path} is not a state dict, or holds more than plain tensors, and is refused; save a plain state dict."
        ) from error
    except (OSError, RuntimeError, ValueError, EOFError, safetensors.SafetensorError) as error:
        raise WeightsError(f"{path} cannot be read as network weights: {error}") from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise WeightsError(f"{path} is not a state dict (a mapping from parameter names to tensors).")
    return state


def fetch(
    url: str, target: Path, sha256: str, progress: Callable[[int, int], None] | None, timeout: float
) -> None:
    """Download a file beside its place, check its hash, and rename it.

    Parameters
    ----------
    url, target
        Address of the file, and its place on this machine.
    sha256
        The hash, or its first digits.
    progress
        Called with (bytes done, all bytes).
    timeout
        Seconds to wait for an answer.

    Raises
    ------
    OSError
        If it cannot be fetched; urllib's errors are of this kind.
    WeightsMismatch
        If the download is not the expected file; it is deleted then.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(target, target.with_suffix(".part")) as part:
        with urllib.request.urlopen(url, timeout=timeout) as answer, part.open("wb") as out:
            total = int(answer.headers.get("Content-Length", 0))
            while block := answer.read(BLOCK):
                out.write(block)
                if progress:
                    progress(out.tell(), total)
        check_hash(part, sha256)
