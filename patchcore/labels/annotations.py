"""Annotation files: labelme's JSON, COCO's JSON and CVAT's XML become marks by the names of images.

The files come from strangers. Sizes, depths, numbers of points and coordinates are limited, and XML with a document
type or entities is refused.
"""

import json
from pathlib import Path
from typing import Any

from patchcore.errors import DataError
from patchcore.images.file_names import display_name
from patchcore.labels.annotated_image import AnnotatedImage
from patchcore.labels.coco import is_coco, read_coco
from patchcore.labels.cvat import read_cvat
from patchcore.labels.labelme import is_labelme, read_labelme

LARGEST = 128 * 2**20  # bytes; labelme puts the photograph itself into its file
MOST_PARTS = 4_000_000  # lists and objects of a JSON file; each takes some hundred bytes in memory
MOST_VALUES = 20_000_000  # of a JSON file
KINDS = "labelme JSON, COCO JSON or CVAT XML"


def read_annotations(source: bytes | Path, name: str) -> list[AnnotatedImage]:
    """Read an annotation file.

    Parameters
    ----------
    source
        The file's bytes, or its path.
    name
        As the user knows it.

    Raises
    ------
    DataError
        It cannot be read, is too large, or is none of the three kinds; the sentence names the file.
    """
    shown = display_name(name)
    text = _text(source, shown)
    try:
        return read_cvat(text) if name.lower().endswith(".xml") else _of_json(_parsed(text))
    except DataError as fault:
        raise DataError(f"{shown}: {fault}") from fault
    except MemoryError as fault:
        raise DataError(f"{shown} is too large for the memory that is free. Split it.") from fault
    except RecursionError as fault:
        raise DataError(f"{shown} is nested too deeply to be {KINDS}; it was not read.") from fault
    except ValueError as fault:
        raise DataError(f"{shown} is damaged ({_first_line(fault)}). Export it once more.") from fault


def _parsed(text: str) -> Any:
    if text.count("[") + text.count("{") > MOST_PARTS or text.count(",") > MOST_VALUES:
        raise DataError("it has millions of entries; it was not read. Split it.")
    return json.loads(text)


def _of_json(values: Any) -> list[AnnotatedImage]:
    if is_labelme(values):
        return [read_labelme(values)]
    if is_coco(values):
        return read_coco(values)
    raise DataError(f"it is not {KINDS}; it was not read.")


def _text(source: bytes | Path, shown: str) -> str:
    try:
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        if size > LARGEST:
            raise DataError(f"{shown} is larger than {LARGEST // 2**20} MB; it was not read. Split it.")
        data = source if isinstance(source, bytes) else source.read_bytes()
    except OSError as fault:
        raise DataError(f"{shown} cannot be opened ({fault.strerror}). Check its permissions.") from fault
    try:
        return data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError as fault:
        raise DataError(f"{shown} is not text in UTF-8. Export it once more.") from fault


def _first_line(fault: Exception) -> str:
    return str(fault).partition("\n")[0][:120]
