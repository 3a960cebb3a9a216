"""Labelled images from a table: a CSV file with a column of files, one of labels and, where there are any, of masks."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

from patchcore.errors import DataError, NoImagesError
from patchcore.evaluation.mvtec_layout import LabelledImage, read_folders
from patchcore.images.file_names import IMAGE_SUFFIXES, LONGEST_NAME, NamedFiles, is_folder, quoted
from patchcore.images.reading import list_files
from patchcore.labels.layout import Layout, read_names
from patchcore.labels.mask_names import ANNOTATION_SUFFIXES, is_annotation
from patchcore.labels.problems import Problems
from patchcore.labels.set_annotations import add_drawings
from patchcore.labels.words import (
    GOOD,
    NothingGood,
    Vocabulary,
    WrittenLabels,
    columns_of,
    is_mask_folder,
    require_good,
    vocabulary,
    written_labels,
)

SEPARATORS = ",;\t"
LARGEST_TABLE = 32 * 1024 * 1024
MOST_LINES = 1_000_001
MOST_COLUMNS = 1_000
MOST_IN_VAIN = 500  # names that are looked up on the disk without finding a further image


def read_labelled(path: Path, *, good_elsewhere: bool = False) -> tuple[list[LabelledImage], list[str]]:
    """List a labelled set, a folder in MVTec's layout or a table: (images, a sentence for each fault).

    Parameters
    ----------
    path
        The folder or the table.
    good_elsewhere
        Good images are known without the set: a set without any is taken, and a sentence says so.

    Raises
    ------
    NoImagesError
        The file or folder does not exist, or none of its images can be used.
    NothingGood
        None of its labels means good, and no good images are known elsewhere.
    DataError
        It cannot be read as a labelled set.
    """
    images, problems = read_folders(path) if is_folder(path) else read_labels(path)
    try:
        require_good(quoted(str(path), LONGEST_NAME), labels_of(images))
    except NothingGood as fault:
        if not good_elsewhere:
            raise
        problems.append(str(fault))
    return images, problems


def labels_of(images: Iterable[LabelledImage]) -> WrittenLabels:
    """Count the labels of a set, as they were written."""
    return written_labels((image.label or image.defect_type, image.is_defect) for image in images)


def read_labels(
    path: Path, words: Vocabulary | None = None, within: Path | None = None
) -> tuple[list[LabelledImage], list[str]]:
    """List the images of a table.

    The first line names the columns, in any order: ``file`` and ``label``, and ``mask`` if there are masks, or other
    names of `patchcore.labels.words.COLUMNS`. Commas, semicolons or tabs separate them. Paths count from the table's
    folder and may not lead out of it; VisA's tables lie deeper, so a path that is not there counts from the folder
    above. Names are compared in Unicode's composed form (`NamedFiles`). Lines of a split for training or validation
    are left out. `patchcore.labels.words` says which labels mean a good part and which a defect without a type; any
    other label is the defect's type.

    Parameters
    ----------
    path
        The table, in UTF-8, in UTF-16 with a byte order mark, or as Excel writes it on Windows.
    words
        The words in force; None: `vocabulary`.
    within
        The folder that no path may leave; None: the one above the table's folder.

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
    if len(header) > MOST_COLUMNS:
        raise DataError(f"{path.name} has {len(header):,} columns; it is not a table of labels.")
    columns = columns_of(header)
    missing = [role for role in ("file", "label") if role not in columns]
    if missing:
        raise DataError(
            f"{path.name} has no column {' or '.join(missing)}. Its first line must name the columns: file,label or "
            "file,label,mask."
        )
    problems = Problems(path.name)
    for at, name in enumerate(header):
        if name.strip() and at not in columns.values():
            why = _why_unread(name, columns, header)
            problems.add(f'{path.name}, line {line}: the column "{quoted(name.strip())}" {why}')
    words = words or vocabulary()
    places = {folder: NamedFiles(folder.resolve()) for folder in _folders(path, within)}
    reader = _Reader(places, words, {})
    images, others = [], Counter[str]()
    for number, cells in rows:
        row = {role: cells[at].strip() for role, at in columns.items() if at < len(cells)}
        if (split := row.get("split")) and words.split(split) in ("train", "validation"):
            others[quoted(split)] += 1
            continue
        found, said = reader.image(row)
        images += [] if found is None else [found]
        problems.add(*(f"{path.name}, line {number}: {sentence}" for sentence in said))
    problems.add(
        *(
            f"{path.name}: {count:,} line{'' if count == 1 else 's'} of the split {split} left out."
            for split, count in others.items()
        )
    )
    if not images:
        reasons = " ".join(problems.sentences()[:3])
        raise NoImagesError(f"{path.name} names no image that can be used. {reasons}")
    return _with_marks(images, reader, "mask" in columns, problems), problems.sentences()


def _with_marks(
    images: list[LabelledImage], reader: "_Reader", column: bool, problems: Problems
) -> list[LabelledImage]:
    """Give images their marks from annotation files and, where no column names masks, from masks near the images."""
    near = reader.files_near(images)
    by_name = {image.name: image for image in images}
    layout = read_names([name for name in near if not is_annotation(name)], reader.words)
    sources = {name: near.get(name, image.path) for name, image in by_name.items()} | near
    found = Layout(
        {image.name: image.label for image in images},
        {} if column else {name: masks for name, masks in layout.masks.items() if name in by_name},
        {} if column else layout.masks_of_good,
        layout.no_images,
    )
    named = {image.name: [str(image.mask_path)] for image in images if image.mask_path is not None}
    found.masks = found.masks | named
    drawn = add_drawings(
        found, {name: path for name, path in near.items() if is_annotation(name)}, sources, reader.words
    )
    problems.add(*found.problems)
    return [
        replace(
            image,
            mask_path=image.mask_path or next((near[one] for one in masks), None),
            further_masks=tuple(near[one] for one in masks[1:]),
            drawing=drawn.get(image.name),
        )
        for image in images
        for masks in [[] if image.mask_path else found.masks.get(image.name, [])]
    ]


def _why_unread(name: str, columns: dict[str, int], header: list[str]) -> str:
    same = next((role for role in columns_of([name]) if role in columns), None)
    if same is None:
        return "is unknown and was not read."
    return f'was not read, because "{quoted(header[columns[same]].strip())}" was read as {same}.'


def _folders(path: Path, within: Path | None) -> list[Path]:
    """Return the folders that the paths of a table count from."""
    here, top = path.parent, (within or path.absolute().parent.parent).resolve()
    above = here.absolute().parent
    return (
        [here, above] if above.resolve().is_relative_to(top) and above.resolve() != here.resolve() else [here]
    )


@dataclass
class _Reader:
    places: dict[Path, NamedFiles]  # the folders that paths count from, and their files with links resolved
    words: Vocabulary
    seen: dict[Path, str]
    annotations: dict[str, Path] = field(default_factory=dict)
    found: dict[str, tuple[Path | None, str]] = field(default_factory=dict)  # by name, without empty parts
    vain: int = (
        0  # names that were looked up on the disk, and led to nothing or to a file that was named before
    )

    def image(self, cells: dict[str, str]) -> tuple[LabelledImage | None, list[str]]:
        """Read one line: (image, a sentence for each fault)."""
        name, label = cells.get("file", ""), cells.get("label", "")
        if not name:
            return None, ["no file is named; the line was left out."]
        shown = quoted(name)
        if not label:
            return None, [f"{shown} has no label; it was left out."]
        path, wrong = self._inside(name)
        if path is None:
            return None, [f"{shown} {wrong}; it was left out."]
        kind = self.words.defect_type(label)
        if path in self.seen:
            again = "" if self.seen[path] == kind else f" as {self.seen[path]}"
            return None, [f"{shown} was named before{again}; the first line counts."]
        self.seen[path] = kind
        mask, said = self._mask(cells.get("mask", ""), kind, shown)
        return LabelledImage(path, self._name(path), kind, mask, label=label), said

    def files_near(self, images: Iterable[LabelledImage]) -> dict[str, Path]:
        """List images, masks and annotation files in the folders of the images and of the table, by name."""
        found = dict(self.annotations)
        plain = {next(iter(self.places)), *(image.path.parent for image in images)}
        for folder in sorted(plain):
            for path in sorted(folder.iterdir()):
                if is_mask_folder(path.name) and is_folder(path):
                    files = list_files(path, IMAGE_SUFFIXES | ANNOTATION_SUFFIXES)
                else:
                    files = [path] if path.suffix.lower() in IMAGE_SUFFIXES | ANNOTATION_SUFFIXES else []
                found |= {self._name(file): file for file in files}
        return found

    def _name(self, path: Path) -> str:
        root = next(folder for folder in self.places if path.is_relative_to(folder))
        return path.relative_to(root).as_posix()

    def _mask(self, name: str, kind: str, image: str) -> tuple[Path | None, list[str]]:
        if not name:
            return None, []
        if kind == GOOD:
            return None, [f"{image} is labelled good, so its mask was not read."]
        mask, wrong = self._inside(name)
        if mask is not None and is_annotation(name):
            self.annotations[self._name(mask)] = mask
            return None, []
        said = [] if mask else [f"the mask {quoted(name)} of {image} {wrong}; the image counts without it."]
        return mask, said

    def _inside(self, name: str) -> tuple[Path | None, str]:
        """Find a file below the table's folder, else below the one above it; None with its fault."""
        own, *above = self.places.values()
        if own.surely_lack(name) and (
            ("/" not in name and "\\" not in name) or all(files.surely_lack(name) for files in above)
        ):
            return None, "does not exist"
        key = (
            name
            if name.startswith("/")
            else "/".join(part for part in name.split("/") if part not in ("", "."))
        )
        if key not in self.found:
            if self.vain >= MOST_IN_VAIN:
                return None, "was not looked up, after hundreds of names that lead to no further image"
            path, wrong = self._looked_up(name)
            self.vain += path is None or path in self.seen
            self.found[key] = path, wrong
        return self.found[key]

    def _looked_up(self, name: str) -> tuple[Path | None, str]:
        own, *above = self.places.items()
        path, wrong = _below(*own, name)
        plain = PurePath(name.replace("\\", "/"))
        if path is None and len(plain.parts) > 1 and ".." not in plain.parts and not plain.is_absolute():
            path = next(filter(None, (_below(*place, name)[0] for place in above)), None)
        return path, "" if path else wrong


def _below(folder: Path, files: NamedFiles, name: str) -> tuple[Path | None, str]:
    """Find a file below a folder; None with its fault."""
    root = files.root
    try:
        for written in dict.fromkeys((name, name.replace("\\", "/"))):  # as Windows writes paths
            path = files.find(written).resolve()
            if not path.is_relative_to(root):
                return None, "lies outside the folder of the table"
            if path.is_file():
                return folder / path.relative_to(root), ""
    except (OSError, ValueError, RuntimeError):
        return None, "is not a path that can be read"
    return None, "does not exist"


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the lines that are not empty: (line number, cells)."""
    lines = _text(path).splitlines()
    if len(lines) > MOST_LINES:
        raise DataError(f"{path.name} has more than {MOST_LINES - 1:,} lines. Split it into several tables.")
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
            f"There is no file or folder {quoted(str(path), LONGEST_NAME)} that can be read "
            f"({fault.strerror or fault})."
        ) from fault
    if b"\0" in data and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{path.name} is not a text file; a table of labels is a CSV file.")
    for encoding in ("utf-16",) if data.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise DataError(f"{path.name} is in an unknown character set; save it as CSV UTF-8.")
