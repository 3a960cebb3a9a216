"""Sources of good images: file, bytes or array; an image's name, and its hash without decoding."""

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patchcore.backbones import file_sha256

Source = str | os.PathLike[str] | bytes | NDArray[Any]
"""A path, the bytes of a file, or an array."""


def named(item: Source | tuple[str, Source], number: int) -> tuple[str, Source]:
    """Return an image with a name; one without gets the name of its file, or its place in the list."""
    if isinstance(item, tuple):
        return item
    return (f"image {number}" if isinstance(item, bytes | np.ndarray) else Path(item).name), item


def source_sha256(source: Source) -> str | None:
    """Hash a file or its bytes without decoding; None for an array or a file that cannot be read."""
    if isinstance(source, np.ndarray):
        return None
    try:
        return hashlib.sha256(source).hexdigest() if isinstance(source, bytes) else file_sha256(Path(source))
    except OSError:
        return None  # reading the image gives the reason
