"""The corpus of hostile input: each file with the reader through which users hand it in."""

import os
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from lab.fuzzing.kinds import read_address, read_set
from lab.fuzzing.seeds import Seeds
from patchcore.errors import PatchCoreError
from tests.hostile import archives, files, pictures, slow, tables
from tests.hostile.pictures import labelme

SEEDS = "HOSTILE_SEEDS"
Read = Callable[[Path, Path], str]  # the file, an empty folder beside it -> what was said


@dataclass(frozen=True)
class Hostile:
    """A file that somebody hands in.

    Attributes
    ----------
    make
        Returns its bytes.
    file
        Its name on disk.
    reader
        A key of `READERS`.
    length
        Its bytes where it is longer than what was made; the rest has no place on the disk.
    """

    make: Callable[[], bytes]
    file: str
    reader: str
    length: int = 0


def as_picture(path: Path, spool: Path) -> str:
    """Take a picture in as the page does, and read it as page, command line and watched folder do."""
    from patchcore.images.reading import read_image
    from workbench.uploads.intake import from_files

    uploads = from_files([(path.name, path)], spool)
    if uploads.left_out:
        return uploads.left_out[0].reason
    record = read_image(path, name=uploads.images[0].name).record
    return f"read, {record.width} × {record.height}"


def as_archive(path: Path, spool: Path) -> str:
    """Unpack an archive as the page does."""
    from workbench.uploads.intake import from_files

    uploads = from_files([(path.name, path)], spool)
    written = sum(file.stat().st_size for file in spool.iterdir())
    said = uploads.left_out[0].reason if uploads.left_out else "all taken"
    return f"{len(uploads):,} files of {written:,} bytes; {said}"


def as_backup(path: Path, spool: Path) -> str:
    """Open an archive as a backup to restore, and ask what the rule of retention would delete of it."""
    from workbench.storage.workspace import Workspace
    from workbench.upkeep.backups.restoring import restore
    from workbench.upkeep.retention import what_goes

    restore(path, spool / "restored")
    with closing(Workspace(spool / "restored")) as workspace:
        return f"restored; {what_goes(workspace, 1)} would go"


def as_inspector(path: Path, spool: Path) -> str:
    """Import an inspector as the page does, and load it as the command line does."""
    from patchcore.detector import Detector
    from workbench.inspectors.importing import import_inspector
    from workbench.storage.workspace import Workspace

    with suppress(PatchCoreError):
        Detector.load(path)
    with closing(Workspace(spool / "workspace")) as workspace:
        return f"version {import_inspector(workspace, path).id}"


def as_table(path: Path, spool: Path) -> str:
    """Read a table of labels as `python -m patchcore evaluate` does."""
    from patchcore.evaluation.label_table import read_labelled

    (path.parent / "a.png").write_bytes(archives.PNG)
    images, problems = read_labelled(path)
    return f"{len(images)} image; {problems[0]} … {problems[-1]}"


def as_annotations(path: Path, spool: Path) -> str:
    """Read an annotation file, and draw it, as an upload of labels does."""
    from patchcore.labels.set_annotations import read_drawings
    from patchcore.labels.words import vocabulary

    found = read_drawings({path.name: path}, ["a.png"], vocabulary())
    for drawing in found.of_image.values():
        drawing.marks((16, 16))
    return " ".join(found.problems) or "drawn"


def as_map(path: Path, spool: Path) -> str:
    """Read a stored map."""
    from workbench.storage.map_files import read_map

    return f"read, {read_map(path).shape}"


def _of_fuzzing(read: Callable[[Path, Path, Seeds], str]) -> Read:
    """Return a reader of `lab.fuzzing` that works in a workspace with an inspector."""
    return lambda path, spool: read(path, spool, Seeds(Path(os.environ[SEEDS])))


READERS: dict[str, Read] = {
    "picture": as_picture,
    "archive": as_archive,
    "backup": as_backup,
    "table": as_table,
    "annotations": as_annotations,
    "map": as_map,
    "inspector": as_inspector,
    "csv": files.as_csv,
    "set": _of_fuzzing(read_set),
    "address": _of_fuzzing(read_address),
}
AMONG_OTHERS = ("set", "address")
"""Readers that need a workspace in which an inspector has judged images; `SEEDS` names its folder to the process."""


def _rows(form: str) -> Callable[[], bytes]:
    return lambda: tables.table(form, 999_000).encode()


def corpus() -> dict[str, Hostile]:
    """Return every hostile file by its name."""
    found = {
        name: Hostile(make, f"part.{_suffix(name)}", "picture")
        for name, make in (pictures.PICTURES | pictures.LARGEST | pictures.LONG_TO_DECODE | slow.SLOW).items()
    }
    zips = archives.REFUSED | archives.REFUSED_LARGE | archives.PARTLY | archives.TAKEN
    found |= {name: Hostile(make, "lot.zip", "archive") for name, make in zips.items()}
    found |= {
        f"backup: {name}": Hostile(make, "backup.zip", "backup") for name, make in archives.REFUSED.items()
    }
    found |= {
        f"table, 999,000 lines of {form}": Hostile(_rows(form), "labels.csv", "table")
        for form in tables.ROWS[:4]
    }
    found |= {
        name: Hostile(make, "labels.csv", "table") for name, make in (tables.REFUSED | tables.LONGEST).items()
    }
    found |= {
        name: Hostile(make, "a.xml" if name.startswith("xml") else "a.json", "annotations")
        for name, make in tables.ANNOTATIONS.items()
    }
    masks = [name for name in pictures.PICTURES if name.startswith(("png", "tiff, Tile"))]
    found |= {
        f"labelme, a mask: {name}": Hostile(
            lambda name=name: labelme(pictures.PICTURES[name]()), "a.json", "annotations"
        )
        for name in masks
    }
    found |= {
        f"stored map: {name}": Hostile(pictures.PICTURES[name], "map.png", "map")
        for name in pictures.PICTURES
    }
    for reader, file, made in (
        ("inspector", "plate.patchcore", files.INSPECTORS),
        ("backup", "backup.zip", files.BACKUPS),
        ("set", "set.json", files.SETS),
        ("address", "address.json", files.ADDRESSES),
        ("csv", "cell.json", files.TEXTS),
    ):
        found |= {name: Hostile(make, file, reader) for name, make in made.items()}
    for name, (reader, file, begin) in files.LONG.items():
        found[name] = Hostile(lambda begin=begin: begin, file, reader, files.TERABYTE)
    return found


def _suffix(name: str) -> str:
    return {"png": "png", "tiff": "tif", "webp": "webp", "bmp": "bmp", "jpeg": "jpg", "pnm": "pnm"}[
        name.partition(",")[0]
    ]
