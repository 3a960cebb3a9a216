"""Stored maps and overlays, opened for reading: a restored backup may hold something else in their place."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO, Literal

import PIL.Image

from patchcore.errors import DataError
from patchcore.images.formats import DECODER_FAULTS

LONGEST_SIDE = 2048  # pixels; this program writes maps and overlays of 512 at most
MOST_BYTES = 64 * 2**20


@contextmanager
def stored_picture(path: Path | BinaryIO, kind: Literal["PNG", "JPEG"]) -> Iterator[PIL.Image.Image]:
    """Open a picture of the workspace, of one kind of file, its size checked before any pixel is unpacked.

    Raises
    ------
    OSError
        There is no such file, or it cannot be opened.
    DataError
        It is of another kind, damaged, or larger than this program writes pictures.
    """
    if isinstance(path, Path) and path.stat().st_size > MOST_BYTES:
        raise DataError(f"the stored picture {path.name} has more than {MOST_BYTES:,} bytes.")
    try:
        # A file whose first read fails is not closed by Pillow.
        opened = path.open("rb") if isinstance(path, Path) else nullcontext(path)
        with opened as file, PIL.Image.open(file, formats=(kind,)) as picture:
            if max(picture.size) > LONGEST_SIDE:
                width, height = picture.size
                raise DataError(
                    f"the stored picture has {width:,} × {height:,} pixels; {LONGEST_SIDE:,} a side are most."
                )
            yield picture
    except (DataError, FileNotFoundError):
        raise
    except (*DECODER_FAULTS, MemoryError, PIL.Image.DecompressionBombError) as fault:
        raise DataError(f"the stored picture is damaged ({type(fault).__name__}).") from fault
