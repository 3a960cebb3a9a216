"""The kinds of input: how an input of each is made from a seed, and the functions of the product that read it.

A reader returns in words what it took; an error of `patchcore/errors.py` is a refusal, and any other one a crash.
"""

import base64
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import strategies as st

from lab.fuzzing import changes
from lab.fuzzing.seeds import ANNOTATIONS, INSPECTOR, Seeds, picture_seeds, stored_maps
from patchcore.errors import PatchCoreError

MOST_VALUES = 30_000_000  # samples of a picture that is also read as a mask
Make = Callable[[Random, Seeds], bytes]
Read = Callable[[Path, Path, Seeds], str]  # the input, an empty folder beside it, the seeds


@dataclass(frozen=True)
class Kind:
    """A kind of input.

    Attributes
    ----------
    make
        Returns an input that follows from a `Random` alone.
    read
        Hands it in.
    file
        The input's name on disk.
    """

    make: Make
    read: Read
    file: str


# ---- pictures


def _picture(kind: str) -> Make:
    def make(rng: Random, _seeds: Seeds) -> bytes:
        own = picture_seeds()[kind]
        data, other = rng.choice(own), rng.choice(rng.choice(list(picture_seeds().values())))
        fields = rng.random()
        if fields < 0.7:
            data = changes.CONTAINERS[kind](data, rng)
        return data if 0.1 < fields < 0.6 else changes.changed(data, rng, other)

    return make


def read_picture(path: Path, spool: Path, _seeds: Seeds) -> str:
    """Take a picture in as the page does; read it as page, command line and watched folder do, and as a mask."""
    from patchcore.images.reading import display_pixels, read_image
    from patchcore.labels.masks import read_marks
    from workbench.uploads.intake import from_files

    uploads = from_files([(path.name, path)], spool)
    if uploads.left_out:
        raise PatchCoreError(uploads.left_out[0].reason)
    image = read_image(path, name=uploads.images[0].name)
    if image.pixels.size < MOST_VALUES:  # a picture at the limits takes seconds by itself
        display_pixels(image.pixels)
        with suppress(PatchCoreError):
            read_marks(path)
    return f"{image.record.width} x {image.record.height}"


def _stored(rng: Random, _seeds: Seeds) -> bytes:
    data = rng.choice(stored_maps()) if rng.random() < 0.7 else rng.choice(picture_seeds()["jpeg"])
    if rng.random() < 0.6:
        data = (changes.png if data.startswith(b"\x89PNG") else changes.jpeg)(data, rng)
    return data if rng.random() < 0.5 else changes.changed(data, rng)


def read_stored(path: Path, _spool: Path, _seeds: Seeds) -> str:
    """Read a stored map, and a stored overlay, as the pages do after a backup was restored."""
    from patchcore.errors import DataError
    from workbench.storage.map_files import read_map
    from workbench.storage.stored_pictures import stored_picture
    from workbench.tuning.map_peaks import StoredMap

    said, stored = [], StoredMap(path, "1", 1)
    for read in (lambda: read_map(path), lambda: stored.peak(1), lambda: stored.peak(5)):
        try:
            read()
            said.append("map")
        except DataError:
            continue
    with stored_picture(path, "JPEG") as picture:
        picture.load()
    return ", ".join([*said, "overlay"])


# ---- inspectors and backups


def _inspector(rng: Random, seeds: Seeds) -> bytes:
    from patchcore.files import container

    data = rng.choice(seeds.inspectors)
    if rng.random() < 0.3:
        length = int.from_bytes(data[:8], "little")
        listed = changes.as_json(changes.revalued(json.loads(data[8 : 8 + length]), rng))
        if rng.random() < 0.3:
            listed = changes.changed(listed, rng)
        data = len(listed).to_bytes(8, "little") + listed + data[8 + length :]
        return data if rng.random() < 0.7 else changes.changed(data, rng)
    file = seeds.folder / f"made-{os.getpid()}.patchcore"
    file.write_bytes(data)
    tensors, header = container.read(file)
    if rng.random() < 0.8:
        header = changes.revalued(header, rng)
    if rng.random() < 0.5:
        tensors = _other_arrays(tensors, rng)
    with suppress(
        PatchCoreError, TypeError, ValueError, RecursionError, AttributeError
    ):  # what cannot be written at all
        container.write(
            file, tensors, {key: header[key] for key in header if key not in ("format", "version", "sha256")}
        )
    return file.read_bytes()


def _other_arrays(tensors: dict[str, Any], rng: Random) -> dict[str, Any]:
    import numpy as np

    made = dict(tensors)
    name = rng.choice(sorted(made))
    array = made[name].copy()
    match rng.randrange(6):
        case 0:
            del made[name]
        case 1:
            made[name] = array.astype(rng.choice((np.float64, np.float16, np.int64, np.uint8, np.bool_)))
        case 2:
            made[name] = array[: rng.randrange(len(array) + 1)] if array.ndim else array
        case 3:
            made[name] = (
                np.repeat(array, rng.choice((2, 50)), axis=rng.randrange(array.ndim)) if array.ndim else array
            )
        case 4:
            made[f"{name}2"] = array
        case _ if array.size:
            flat = array.reshape(-1).view(np.uint8)
            for _ in range(rng.choice((1, 4, 4_000))):
                flat[rng.randrange(flat.size)] = rng.choice((0, 255, rng.randrange(256)))
            made[name] = array
    return made


def read_inspector(path: Path, _spool: Path, seeds: Seeds) -> str:
    """Import an inspector as the page does, and load it as the command line does."""
    from patchcore.detector import Detector
    from workbench.inspectors.importing import import_inspector
    from workbench.storage.workspace import Workspace

    with suppress(PatchCoreError):
        Detector.load(path)
    with closing(Workspace(seeds.workspace())) as workspace:
        return f"version {import_inspector(workspace, path).id}"


def _backup(rng: Random, seeds: Seeds) -> bytes:
    if rng.random() < 0.25:
        data = seeds.backup.read_bytes()
        data = changes.archive(data, rng) if rng.random() < 0.6 else data
        return data if rng.random() < 0.5 else changes.changed(data, rng)
    with zipfile.ZipFile(seeds.backup) as packed:
        entries = {name: packed.read(name) for name in packed.namelist()}
    contents = json.loads(entries.pop("backup.json"))
    for _ in range(rng.choice((1, 1, 2, 3))):
        _alter_backup(entries, rng)
    sums = {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        for name, data in entries.items()
    }
    contents = {**contents, "entries": sums}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name, data in entries.items():
            packed.writestr(zipfile.ZipInfo(name), data)
        packed.writestr(
            "backup.json",
            changes.as_json(changes.revalued(contents, rng) if rng.random() < 0.1 else contents),
        )
    return buffer.getvalue()


def _alter_backup(entries: dict[str, bytes], rng: Random) -> None:
    """Change entries of a backup, mostly values of its rows."""
    tables = [name for name in sorted(entries) if name.startswith("tables/") and entries[name]]
    name = rng.choice(sorted(entries) or ["x"])
    match rng.randrange(10):
        case 0:
            entries[rng.choice(("../x", "files/x", f"{name}2", "files/images/../../x", name.upper()))] = b"x"
        case 1:
            entries.pop(name, None)
        case 2 if name in entries:
            entries[name] = changes.changed(entries[name], rng)
        case _ if tables:
            name = rng.choice(tables)
            rows = []
            for line in entries[name].splitlines()[:200]:
                with suppress(ValueError, RecursionError):
                    rows.append(json.loads(line))
            rows = changes.revalued(rows, rng)
            lines = rows if isinstance(rows, list) else [rows]
            entries[name] = b"".join(changes.as_json(row) + b"\n" for row in lines)


def read_backup(path: Path, spool: Path, _seeds: Seeds) -> str:
    """Restore a backup, and see the result with the eyes of the check."""
    from workbench.storage.workspace import Workspace
    from workbench.upkeep.backups.restoring import restore
    from workbench.upkeep.check import check

    restored = restore(path, spool / "restored")
    with closing(Workspace(restored.workspace)) as workspace:
        return f"{restored.rows} rows, {len(check(workspace))} findings"


# ---- labels


WORDS = st.sampled_from(
    ("file", "label", "mask", "split", "image", "object", "good", "ok", "dent", "train", "test", "a.png", "b.png",
     "A.PNG", "./a.png", "..\\a.png", "../a.png", "/etc/passwd", "", " ", "\ufeff", "größe.png", "nan", "-1", '"', "\0",
     "x" * 300 + ".png", "a.json", "a_mask.png")
)  # fmt: skip
CELLS = WORDS | st.text(max_size=12)
TABLES = st.lists(st.lists(CELLS, max_size=6), max_size=12)


def _table(rng: Random, _seeds: Seeds) -> bytes:
    rows = changes.drawn(TABLES, rng)
    head = ["file", "label", "mask", "split"][: rng.choice((2, 2, 3, 4))]
    rng.shuffle(head)
    separator, ending = rng.choice(",;\t|"), rng.choice(("\n", "\r\n", "\r", "\u2028"))
    quote = rng.choice(("", "", '"'))
    lines = [
        separator.join(f"{quote}{cell}{quote}" for cell in row)
        for row in ([head, ["a.png", "good"], *rows] if rng.random() < 0.8 else rows)
    ]
    text = ending.join(lines * rng.choice((1, 1, 1, 300)))
    data = text.encode(rng.choice(("utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252")), "replace")
    return data if rng.random() < 0.7 else changes.changed(data, rng)


def read_table(path: Path, _spool: Path, _seeds: Seeds) -> str:
    """Read a table of labels as `python -m patchcore evaluate` does."""
    from patchcore.evaluation.label_table import read_labelled

    for name in ("a.png", "b.png"):
        (path.parent / name).write_bytes(picture_seeds()["png"][4])
    (path.parent / "a.json").write_bytes(ANNOTATIONS["labelme.json"])
    images, problems = read_labelled(path)
    return f"{len(images)} images, {len(problems)} problems"


def _annotations(rng: Random, _seeds: Seeds) -> bytes:
    name = rng.choice(sorted(ANNOTATIONS))
    data = ANNOTATIONS[name]
    if name.endswith("json") and rng.random() < 0.8:
        data = changes.as_json(changes.revalued(json.loads(data), rng))
    if name == "mask.json" and rng.random() < 0.5:
        values = json.loads(ANNOTATIONS[name])
        values["shapes"][0]["mask"] = base64.b64encode(_picture("png")(rng, _seeds)).decode()
        data = changes.as_json(values)
    if name.endswith("xml") or rng.random() < 0.2:
        data = _other_text(data, rng) if rng.random() < 0.7 else changes.changed(data, rng)
    return data


def _other_text(data: bytes, rng: Random) -> bytes:
    """Put other words in place of the numbers and names in quotes."""
    parts = data.split(b'"')
    for _ in range(rng.choice((1, 1, 3))):
        at = rng.randrange(len(parts))
        parts[at] = (
            str(changes.odd(rng)).encode("utf-8", "replace") if at % 2 else changes.changed(parts[at], rng)
        )
    return b'"'.join(parts)


def read_annotations(path: Path, _spool: Path, _seeds: Seeds) -> str:
    """Read an annotation file and draw it, as an upload of labels does."""
    from patchcore.labels.set_annotations import read_drawings
    from patchcore.labels.words import vocabulary

    name = "a.xml" if path.read_bytes()[:1] == b"<" else "a.json"
    found = read_drawings({name: path}, ["a.png"], vocabulary())
    for drawing in found.of_image.values():
        drawing.marks((24, 24))
    if not found.of_image:
        raise PatchCoreError(" ".join(found.problems) or "nothing is drawn")
    return f"{len(found.problems)} problems"


# ---- archives and sets


PARTS = st.sampled_from(
    ("good", "defect", "test", "train", "ground_truth", "mask", "NG", "OK", "labels.csv", "a.png", "..", ".", "", " ",
     "~", "CON", "a" * 255, "é" * 200, "x" * 4_000, "größe", "gro\u0308ße", "a\0b", "\ud800", "-rf", "C:\\x", "a.",
     ".git",
     "__MACOSX", "a.png/b.png", "\u202e", "annotations", "Thumbs.db", "1", "2")
) | st.text(max_size=8)  # fmt: skip
NAMES = st.lists(PARTS, min_size=1, max_size=4).map("/".join)
SUFFIXES = st.sampled_from(("", ".png", ".PNG", ".jpg", ".csv", ".json", ".xml", ".zip", ".tif", "_mask.png"))
CONTENTS = st.sampled_from(
    ("picture", "mask", "table", "labelme.json", "coco.json", "cvat.xml", "text", "nothing", "folder")
)
SETS = st.lists(st.tuples(NAMES, SUFFIXES, CONTENTS), min_size=1, max_size=10)


def _named(rng: Random) -> list[tuple[str, bytes]]:
    found = []
    for number, (name, suffix, content) in enumerate(changes.drawn(SETS, rng)):
        pictures = picture_seeds()["png"]
        data = {
            "picture": pictures[number % 6],
            "mask": pictures[0],
            "table": b"file,label\na.png,good\ngood/a.png,dent\n",
            "text": b"notes",
            "nothing": b"",
            "folder": b"",
        }.get(content) or ANNOTATIONS.get(content, b"")
        found.append((name + ("/" if content == "folder" else suffix), data))
    return found * rng.choice((1, 1, 2))


def _archive(rng: Random, _seeds: Seeds) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name, data in _named(rng):
            packed.NameToInfo.clear()  # it would warn of a name that comes again
            with suppress(ValueError, UnicodeEncodeError):
                packed.writestr(zipfile.ZipInfo(name[:60_000]), data, rng.choice((0, 8, 12, 14)))
    data = buffer.getvalue()
    if rng.random() < 0.6:
        data = changes.archive(data, rng)
    return data if rng.random() < 0.5 else changes.changed(data, rng, data)


def read_archive(path: Path, spool: Path, _seeds: Seeds) -> str:
    """Unpack an archive as the page does."""
    from workbench.uploads.intake import from_files
    from workbench.uploads.spool_budget import spool_budget

    uploads = from_files([(path.name, path)], spool)
    spool_budget.give_back(spool)
    if not uploads.images:
        raise PatchCoreError(uploads.left_out[0].reason)
    return f"{len(uploads)} images, {len(uploads.left_out)} left out"


def _set(rng: Random, _seeds: Seeds) -> bytes:
    return changes.as_json([[name, base64.b64encode(data).decode()] for name, data in _named(rng)])


def read_set(path: Path, spool: Path, seeds: Seeds) -> str:
    """Bring a labelled set in: dropped on the pages Evaluate and Inspect, and as a folder of the command line."""
    from patchcore.evaluation.label_table import read_labelled
    from workbench.inspections.labelled_sets import import_images, import_labelled
    from workbench.storage.workspace import Workspace
    from workbench.uploads.intake import from_files, from_folder

    named = [(name, base64.b64decode(data)) for name, data in json.loads(path.read_bytes())]
    folder, said = spool / "set", []
    folder.mkdir()
    for name, data in named:
        target = (
            folder / os.path.normpath("/" + name.replace("\\", "/")).lstrip("/")
            if "\0" not in name
            else folder
        )
        with suppress(OSError, ValueError):  # a name that no disk takes
            target.parent.mkdir(parents=True, exist_ok=True)
            target.mkdir(exist_ok=True) if name.endswith("/") else target.write_bytes(data)
    with closing(Workspace(seeds.workspace())) as workspace:
        for take in (
            lambda: read_labelled(folder),
            lambda: import_labelled(workspace, INSPECTOR, from_folder(folder), "A set", []),
            lambda: import_labelled(workspace, INSPECTOR, from_files(named, spool), "A set", []),
            lambda: import_images(workspace, INSPECTOR, from_files(named, spool), "A set"),
        ):
            with suppress(PatchCoreError):
                take()
                said.append("taken")
    if not said:
        raise PatchCoreError("refused in every way")
    return f"taken in {len(said)} ways"


# ---- addresses


PAGES = ("home", "build", "inspect", "tune", "evaluate", "review", "history", "library", "show")
CHOICES = (
    "inspector", "batch", "image", "threshold", "review", "trial", "good", "look", "set", "shown", "version", "with",
    "other", "size", "queued", "inspection", "filter", "sort", "job", "sample_job", "draft", "view", "scene",
    "part", "costs",    "back", "step", "shelf", "folder", "draw",
)  # fmt: skip
TRIAL = {
    "rule": {"name": "by_hand", "parameters": {"value": 0.5}}, "accept_rule": None, "pixel_rule": None,
    "judge_by": "score",    "min_area": 1, "picture_check": True,
}  # fmt: skip
FILTER = {
    "of": "all",
    "verdicts": ["defect"],
    "since": "2026-01-01",
    "text": "a",
    "purpose": "both",
    "least": 0.1,
}
VALUES = (
    "0", "1", "2", "-1", "3", "9" * 49, "9" * 18, "1e400", "nan", "inf", "-0", "0x1", "１", "1.5", "none", INSPECTOR,
    "padim-1", "Good images", "replay", "certificate", "compare", "1;2;3;4;EUR", "p 1 2026-01-01", "pages 1 x", "\0",
    "%00",    "../../etc", "x" * 9_000, "{}", "[]", "null", "true", '{"rule":{}}', "v1", "1:1", "by_hand:1",
)  # fmt: skip


def _address(rng: Random, _seeds: Seeds) -> bytes:
    def value(name: str) -> str:
        if name in ("trial", "filter") and rng.random() < 0.7:
            return changes.as_json(changes.revalued(TRIAL if name == "trial" else FILTER, rng)).decode()[
                :20_000
            ]
        return str(rng.choice(VALUES)) if rng.random() < 0.8 else changes.drawn(st.text(max_size=12), rng)

    names = rng.sample(CHOICES, rng.choice((1, 2, 3, 6)))
    return changes.as_json([rng.choice(PAGES), {name: value(name) for name in names}])


def read_address(path: Path, _spool: Path, seeds: Seeds) -> str:
    """Open a page by an address, twice in one session, as a link and a reload do."""
    from streamlit.testing.v1 import AppTest

    from lab import ROOT

    os.environ["PATCHCORE_WORKSPACE"] = str(seeds.workspace())
    page, choices = json.loads(path.read_bytes())
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    for name, value in choices.items():
        app.query_params[name] = value
    app.run()
    if page != "home":
        app.switch_page(f"pages/{page}.py").run()
    app.run()
    for error in app.exception:
        raise AssertionError(f"{page}: {error.message} {' '.join(error.stack_trace[-3:])}")
    return f"{len(app.error)} sentences"


def _typed(rng: Random, _seeds: Seeds) -> bytes:
    text = rng.choice(VALUES) if rng.random() < 0.3 else changes.drawn(st.text(max_size=30) | NAMES, rng)
    return changes.as_json([rng.choice(("number", "path", "csv", "email")), text])


def read_typed(path: Path, _spool: Path, _seeds: Seeds) -> str:
    """Read what is typed into a field, a number, a folder or an address of e-mail; write a text as CSV."""
    from workbench.inspections.csv_text import csv_text
    from workbench.people.accounts import plain_address
    from workbench.uploads.intake import open_path
    from workbench.widgets.fields import number

    what, text = json.loads(path.read_bytes())
    if what == "number":
        return str([number.read(text), number.read(text, least=0, most=10, digits=0)])
    if what == "path":
        return str(open_path(text, roots=[path.parent]))
    return plain_address(text) if what == "email" else csv_text([[text, 1]])


KINDS: dict[str, Kind] = {
    "png": Kind(_picture("png"), read_picture, "part.png"),
    "jpeg": Kind(_picture("jpeg"), read_picture, "part.jpg"),
    "bmp": Kind(_picture("bmp"), read_picture, "part.bmp"),
    "webp": Kind(_picture("webp"), read_picture, "part.webp"),
    "tiff": Kind(_picture("tiff"), read_picture, "part.tif"),
    "pnm": Kind(_picture("pnm"), read_picture, "part.pnm"),
    "stored": Kind(_stored, read_stored, "map.png"),
    "inspector": Kind(_inspector, read_inspector, "plate.patchcore"),
    "backup": Kind(_backup, read_backup, "backup.zip"),
    "table": Kind(_table, read_table, "labels.csv"),
    "annotations": Kind(_annotations, read_annotations, "annotations"),
    "zip": Kind(_archive, read_archive, "lot.zip"),
    "set": Kind(_set, read_set, "set.json"),
    "address": Kind(_address, read_address, "address.json"),
    "typed": Kind(_typed, read_typed, "typed.json"),
}
"""Name -> a kind of input."""
