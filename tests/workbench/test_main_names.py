"""The workbench's commands with names that no console shows, and with places that cannot be written to."""

import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from sqlalchemy import select

from patchcore.cli.terminal import run
from tests.workbench.parts import plate
from workbench.__main__ import app
from workbench.inspectors import exporting
from workbench.storage.tables import Inspection
from workbench.upkeep.backups import writing
from workbench.watching import command

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
DISKS = pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
QUICK = ("--settle", 0.05, "--interval", 0.05, "--broken-after", 0.3, "--once")
ODD = [
    "螺栓.png",
    "größe →.png",
    "[red]:warning:.png",
    os.fsdecode(b"gr\xf6\xdfe.png"),
    "tab\tand\nline.png",
]


@pytest.fixture(autouse=True)
def here(workspace, version, monkeypatch):
    monkeypatch.setenv("PATCHCORE_WORKSPACE", str(workspace.root))


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "in"
    place.mkdir()
    return place


def workbench(*arguments, encoding="cp1252", expect=0):
    """Run the command line on a console of an encoding: (standard output, standard error)."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding, write_through=True) for _ in range(2))
    code = 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["workbench", *map(str, arguments)])
        patch.setenv("COLUMNS", "200")
        try:
            run(app)
        except SystemExit as finished:
            code = finished.code or 0
    shown = [stream.buffer.getvalue().decode(encoding) for stream in (out, err)]
    assert code == expect, shown[1]
    assert "Traceback" not in shown[1]
    return shown


@SQLITE
@DISKS
@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_watching_goes_on_after_every_name(workspace, folder, tmp_path, encoding):
    for seed, name in enumerate(ODD):
        (folder / name).write_bytes(plate(seed))
    (folder / os.fsdecode(b"kaputt\xfc.png")).write_bytes(b"no image")
    out, err = workbench("watch", "Plate", folder, *QUICK, "--move", tmp_path / "裂", encoding=encoding)
    assert len(out.splitlines()) == len(ODD) + 1 and "Scored 5 of" in err
    assert sorted(path.name for path in (tmp_path / "裂").rglob("*.png")) == sorted(ODD)
    with workspace.database.read() as session:
        assert len(list(session.scalars(select(Inspection)))) == len(ODD) + 1
    again, _ = workbench("watch", "Plate", folder, *QUICK, encoding=encoding)
    assert again == ""


@SQLITE
@DISKS
def test_lines_for_machines_are_ascii(folder, tmp_path):
    for seed, name in enumerate(ODD):
        (folder / name).write_bytes(plate(seed))
    out, _ = workbench("watch", "Plate", folder, *QUICK, "--json", "--json-to", tmp_path / "lines.jsonl")
    assert out.isascii()
    for text in (out, (tmp_path / "lines.jsonl").read_text(encoding="ascii")):
        assert sorted(json.loads(line)["file"] for line in text.splitlines()) == sorted(ODD)


@SQLITE
@DISKS
def test_a_taken_name_of_255_bytes_is_moved_all_the_same(folder, tmp_path):
    name = "ü" * 125 + "x.png"
    (tmp_path / "out/accept").mkdir(parents=True)
    (tmp_path / "out/reject").mkdir()
    for place in ("accept", "reject"):
        (tmp_path / "out" / place / name).write_bytes(b"old")
    (folder / name).write_bytes(plate(5))
    workbench("watch", "Plate", folder, *QUICK, "--move", tmp_path / "out")
    assert list(folder.iterdir()) == [] and len(list((tmp_path / "out").rglob("*_2.png"))) == 1


@SQLITE
@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.gif", b"GIF89a", "1 GIF"),
        ("a.npy", b"\x93NUMPY\x01", "1 NumPy array"),
        ("notes.txt", b"lot 7", "1 text file"),
        ("sub/a.png", b"\x89PNG", "1 subfolder"),
    ],
)
def test_a_watched_folder_without_images_says_what_it_holds(folder, name, data, words):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(data)
    _, err = workbench("watch", "Plate", folder, *QUICK)
    assert f"holds no images that can be read: {words}." in " ".join(err.split())


@SQLITE
@DISKS
def test_links_are_named_and_an_empty_folder_is_watched_in_silence(folder, tmp_path):
    _, err = workbench("watch", "Plate", folder, *QUICK)
    assert "holds no images" not in err
    (tmp_path / "a.png").write_bytes(plate(1))
    (folder / "a.png").symlink_to(tmp_path / "a.png")
    (folder / "b.png").symlink_to(tmp_path / "a.png")
    _, err = workbench("watch", "Plate", folder, *QUICK)
    assert "2 links" in err and "copy the images themselves" in err


@pytest.fixture
def idle(monkeypatch):
    """Nothing costly may begin: no model is loaded, no inspector written, no row dumped."""

    def refuse(*_args, **_options):
        raise AssertionError("the work began before its target was tried")

    monkeypatch.setattr(command, "_judge", refuse)
    monkeypatch.setattr(exporting, "model_of", refuse)
    monkeypatch.setattr(writing, "dump_rows", refuse)


@SQLITE
@pytest.mark.parametrize("place", ["file/x", "file/deeper/x", "long", "/proc/none/x"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("watch", "Plate", "{folder}", "--json-to", "{place}.jsonl"),
        ("watch", "Plate", "{folder}", "--move", "{place}"),
        ("export", "Plate", "{place}.patchcore"),
        ("backup", "{place}.zip"),
    ],
    ids=["lines", "move", "export", "backup"],
)
def test_targets_are_tried_before_the_work(folder, tmp_path, idle, arguments, place):
    if place.startswith("/proc") and not Path("/proc/self").exists():
        pytest.skip("a place that nobody can write to, on Linux")
    (tmp_path / "file").write_text("here", encoding="utf-8")
    target = (
        Path("/proc/none/x") if place.startswith("/proc") else tmp_path / place.replace("long", "x" * 300)
    )
    before = sorted(tmp_path.iterdir())
    values = {"folder": folder, "place": target}
    out, err = workbench(*(text.format(**values) for text in arguments), expect=1)
    said = "".join(err.split())
    assert str(target).replace(" ", "") in said and "cannotbewritten" in said and "Choose" in said
    assert (
        out == ""
        and sorted(tmp_path.iterdir()) == before
        and (tmp_path / "file").read_text(encoding="utf-8") == "here"
    )


@SQLITE
def test_restore_into_a_file_and_other_refusals_are_sentences(tmp_path):
    (tmp_path / "file").write_text("here", encoding="utf-8")
    workbench("backup", tmp_path / "all.zip")
    for into in ("file", "file/new", "x" * 300):
        _, err = workbench("restore", tmp_path / "all.zip", "--into", tmp_path / into, expect=1)
        assert err.rstrip().endswith(".")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.zip", "file", "here"]


@SQLITE
def test_a_user_without_a_home_is_told_to_name_a_workspace(monkeypatch):
    monkeypatch.delenv("PATCHCORE_WORKSPACE")
    monkeypatch.setattr(Path, "home", classmethod(_no_home))
    monkeypatch.setattr(Path, "expanduser", _no_home)
    _, err = workbench("check", expect=1)
    assert "Set PATCHCORE_WORKSPACE" in err


def _no_home(*_: object) -> Path:
    raise RuntimeError("Could not determine home directory.")
