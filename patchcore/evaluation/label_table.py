"""Labelled images from a table: a CSV file with the columns file, label and, where there are any, mask."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from patchcore.errors import DataError, NoImagesError
from patchcore.evaluation.mvtec_layout import GOOD, LabelledImage, read_layout
from patchcore.images.file_names import NamedFiles, display_name, is_folder

COLUMNS = ("file", "label", "mask")
SEPARATORS = ",;\t"
GOOD_WORDS = frozenset({"good", "ok", "0"})
DEFECT_WORDS = frozenset({"defect", "nok", "1"})
DEFECT = "defect"  # the type of a defect without a name
LARGEST_TABLE = 32 * 1024 * 1024


def read_labelled(path: Path) -> tuple[list[LabelledImage], list[str]]:
    """List a labelled set, a folder in MVTec's layout or a table: (images, a sentence for each fault).

    Raises
    ------
    NoImagesError
        The file or folder does not exist, or none of its images can be used.
    DataError
        It cannot be read as a labelled set.
    """
    if is_folder(path):
        return read_layout(path), []
    return read_labels(path)


def read_labels(path: Path) -> tuple[list[LabelledImage], list[str]]:
    """List the images of a table.

    The first line names the columns, in any order: ``file`` and ``label``, and ``mask`` if there are masks. Commas,
    semicolons or tabs separate them. Paths count from the table's folder and may not lead out of it. Names are
    compared in Unicode's composed form (`NamedFiles`). The labels
    "good", "ok" and "0" mean a good part, "defect", "nok" and "1" a defect; any other is the defect's name.

    Parameters
    ----------
    path
        The table, in UTF-8, in UTF-16 with a byte order mark, or as Excel writes it on Windows.

    Returns
    -------
    images, problems
        The usable images, and a sentence for each fault.

    Raises
    ------
    NoImagesError
        The file does not exist, or none of its images can be used.
    DataError
        It is not a table with these columns.
    """
    rows = _rows(path)
    line, header = next(rows, (0, []))
    columns = [name.strip().casefold() for name in header]
    missing = [name for name in COLUMNS[:2] if name not in columns]
    if missing:
        raise DataError(
            f"{path.name} has no column {' or '.join(missing)}. Its first line must name the columns: file,label or "
            "file,label,mask."
        )
    problems = [
        f'{path.name}, line {line}: the column "{display_name(name)}" is unknown and was not read.'
        for name in columns
        if name and name not in COLUMNS
    ]
    reader = _Reader(path.parent, NamedFiles(path.parent.resolve()), {})
    images = []
    for number, cells in rows:
        found, said = reader.image(dict(zip(columns, (cell.strip() for cell in cells), strict=False)))
        images += [] if found is None else [found]
        problems += [f"{path.name}, line {number}: {sentence}" for sentence in said]
    if not images:
        raise NoImagesError(f"{path.name} names no image that can be used. " + " ".join(problems[:3]))
    return images, problems


@dataclass(frozen=True)
class _Reader:
    folder: Path
    files: NamedFiles  # of the folder with links resolved; every path must lie below it
    seen: dict[Path, str]

    def image(self, cells: dict[str, str]) -> tuple[LabelledImage | None, list[str]]:
        """Read one line: (image, a sentence for each fault)."""
        name, label = cells.get("file", ""), cells.get("label", "")
        if not name:
            return None, ["no file is named; the line was left out."]
        shown = display_name(name)
        if not label:
            return None, [f"{shown} has no label; it was left out."]
        path, wrong = self._inside(name)
        if path is None:
            return None, [f"{shown} {wrong}; it was left out."]
        kind = _kind(label)
        if path in self.seen:
            again = "" if self.seen[path] == kind else f" as {display_name(self.seen[path])}"
            return None, [f"{shown} was named before{again}; the first line counts."]
        self.seen[path] = kind
        mask, said = self._mask(cells.get("mask", ""), kind, shown)
        return LabelledImage(path, path.relative_to(self.folder).as_posix(), kind, mask), said

    def _mask(self, name: str, kind: str, image: str) -> tuple[Path | None, list[str]]:
        if not name:
            return None, []
        if kind == GOOD:
            return None, [f"{image} is labelled good, so its mask was not read."]
        mask, wrong = self._inside(name)
        said = (
            []
            if mask
            else [f"the mask {display_name(name)} of {image} {wrong}; the image counts without it."]
        )
        return mask, said

    def _inside(self, name: str) -> tuple[Path | None, str]:
        """Find a file below the table's folder; None with its fault."""
        root = self.files.root
        try:
            for written in dict.fromkeys((name, name.replace("\\", "/"))):  # as Windows writes paths
                path = self.files.find(written).resolve()
                if not path.is_relative_to(root):
                    return None, "lies outside the folder of the table"
                if path.is_file():
                    return self.folder / path.relative_to(root), ""
        except (OSError, ValueError, RuntimeError):
            return None, "is not a path that can be read"
        return None, "does not exist"


def _kind(label: str) -> str:
    word = label.casefold()
    if word in GOOD_WORDS:
        return GOOD
    return DEFECT if word in DEFECT_WORDS else display_name(label)


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the lines that are not empty: (line number, cells)."""
    lines = _text(path).splitlines()
    if lines and lines[0].lower().startswith("sep="):  # Excel's own hint to itself
        lines[0] = ""
    first = next((line for line in lines if line.strip()), "")
    separator = max(SEPARATORS, key=first.count)
    table = csv.reader(lines, delimiter=separator)
    try:
        for cells in table:
            if any(cell.strip() for cell in cells):
                yield table.line_num, cells
    except csv.Error as fault:
        raise DataError(
            f"{path.name}, line {table.line_num}, cannot be read as a table ({fault})."
        ) from fault


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_TABLE:
            raise DataError(
                f"{path.name} is larger than {LARGEST_TABLE // 2**20} MB; it is not a table of labels."
            )
        data = path.read_bytes()
    except OSError as fault:
        raise NoImagesError(
            f"There is no file or folder {display_name(str(path))} that can be read ({fault.strerror or fault})."
        ) from fault
    if b"\0" in data and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{path.name} is not a text file; a table of labels is a CSV file.")
    for encoding in ("utf-16",) if data.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise DataError(f"{path.name} is in an unknown character set; save it as CSV UTF-8.")
