"""`watch` as on a line's PC: verdicts, exit codes, signals, kill -9, and the rows in the history."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from patchcore import PatchCore
from patchcore.thresholds.operating_point import OperatingPoint
from tests.odd_pictures import REMARKS, odd_pictures
from tests.workbench.parts import plate
from tests.workbench.processes import wait_until
from workbench.__main__ import app
from workbench.inspectors.versions import load_model, set_operating_point
from workbench.storage.tables import Inspection, Inspector, InspectorVersion, WatchedFile
from workbench.storage.timestamps import now
from workbench.storage.workspace import Workspace
from workbench.upkeep.check import check

ROOT = Path(__file__).parents[3]
QUICK = ("--settle", 0.05, "--interval", 0.05, "--broken-after", 0.3)
SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)  # no matter of the database


@pytest.fixture(autouse=True)
def here(workspace, version, monkeypatch):
    """Have the command work in the test's workspace, which has an inspector."""
    monkeypatch.setenv("PATCHCORE_WORKSPACE", str(workspace.root))


@pytest.fixture
def file(workspace, version, tmp_path):
    """A file of an inspector, not in the library."""
    return shutil.copy(workspace.root / version.path, tmp_path / "Line 3.patchcore")


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "in"
    place.mkdir()
    (place / "plain.png").write_bytes(plate(61))
    (place / "scratch.png").write_bytes(plate(60, scratched=True))
    return place


def run(inspector, folder, *options, expect=0):
    done = CliRunner().invoke(app, ["watch", *map(str, (inspector, folder, *QUICK, *options))])
    assert done.exit_code == expect, done.stderr
    return done


def once(*arguments, **expect):
    return run(*arguments, "--once", **expect)


def refused(*arguments):
    return str(once(*arguments, expect=1).exception)


def verdicts_of(done):
    return {one["file"]: one for one in map(json.loads, done.stdout.splitlines())}


def rows(workspace, table):
    with workspace.database.read() as session:
        return list(session.scalars(select(table).order_by(table.id)))


def test_inspector_file_outside_the_library_judges_and_its_verdicts_enter_the_history(
    workspace, version, file, folder
):
    (folder / "cut.png").write_bytes(plate(62)[:500])
    done = once(file, folder, "--json")
    model = PatchCore.load(file)
    point = model.operating_point_
    for name in ("plain.png", "scratch.png"):
        one, expected = verdicts_of(done)[name], model.score(folder / name)
        assert one["score"] == pytest.approx(expected.score)
        assert one["verdict"] == point.verdict(expected.score) and one["inspector"] == "Line 3"
        assert (one["accept"], one["reject"]) == (point.accept, point.reject)
        assert one["sha256"] == expected.record.sha256
    x0, y0, x1, y1 = verdicts_of(done)["scratch.png"]["regions"][0]["box"]
    assert verdicts_of(done)["scratch.png"]["verdict"] == "reject" and x0 <= 32 <= x1 and y0 <= 32 <= y1
    assert (
        verdicts_of(done)["cut.png"]["score"] is None and "truncated" in verdicts_of(done)["cut.png"]["error"]
    )
    assert "Scored 2 of" in done.stderr and "1 could not be scored" in done.stderr

    kept = {row.name: row for row in rows(workspace, Inspection)}
    row, one = kept["scratch.png"], verdicts_of(done)["scratch.png"]
    assert (row.inspector_name, row.inspector_id, row.version_id) == ("Line 3", None, None)
    assert (row.score, row.verdict, row.regions) == (one["score"], "reject", one["regions"])
    assert row.region_count == len(row.regions) > 0 and (row.width, row.height) == (64, 64)
    assert (row.min_area, row.judge_by) == (point.min_area, point.judge_by)
    assert workspace.image_path(row.sha256).read_bytes() == (folder / "scratch.png").read_bytes()
    assert (workspace.root / row.overlay_path).is_file()
    broken = kept["cut.png"]
    assert broken.error and broken.overlay_path is None and workspace.image_path(broken.sha256).exists()
    assert all(file.finished for file in rows(workspace, WatchedFile)) and check(workspace, grace=0) == []
    again = once("Plate", folder, "--json")  # whoever watches the folder
    assert again.stdout == "" and "Scored 0 of" in again.stderr


def test_library_inspector_judges_by_the_version_in_use(workspace, version, folder):
    point = OperatingPoint.from_dict(version.operating_point)
    high = replace(point, accept=1e6, reject=1e6, picture_check=False)
    set_operating_point(workspace, version, high)  # in force, and not what its file says
    done = once("Plate", folder, "--json")
    assert {one["verdict"] for one in verdicts_of(done).values()} == {"accept"}
    assert {one["inspector"] for one in verdicts_of(done).values()} == {"Plate"}
    (folder / "later.png").write_bytes(plate(62, scratched=True))
    set_operating_point(workspace, version, point)
    assert verdicts_of(once("plate-1", folder, "--json"))["later.png"]["verdict"] == "reject"
    kept = rows(workspace, Inspection)
    assert {(row.inspector_id, row.version_id, row.version_number) for row in kept} == {
        ("plate-1", version.id, version.number)
    }
    assert [row.point_number for row in kept] == [2, 2, 3] and kept[-1].batch_image_id is None
    expected = load_model(workspace, version).score(folder / "later.png")
    assert kept[-1].score == pytest.approx(expected.score) and check(workspace, grace=0) == []


@SQLITE
def test_new_thresholds_judge_the_next_image(workspace, version, folder, tmp_path):
    sorted_to = tmp_path / "sorted"

    def work():
        wait_until((sorted_to / "reject/scratch.png").exists)
        point = OperatingPoint.from_dict(version.operating_point)
        high = replace(point, accept=1e6, reject=1e6, picture_check=False)
        set_operating_point(workspace, version, high)
        (folder / "later.png").write_bytes(plate(62, scratched=True))
        wait_until((sorted_to / "accept/later.png").exists)
        os.kill(os.getpid(), signal.SIGINT)

    worker = threading.Thread(target=work)
    worker.start()
    assert "Scored 3 of" in run("Plate", folder, "--move", sorted_to).stderr
    worker.join()


@SQLITE
def test_file_of_a_library_version_is_stored_as_that_version(workspace, version, folder):
    once(workspace.root / version.path, folder)
    assert {(row.inspector_id, row.version_id) for row in rows(workspace, Inspection)} == {
        ("plate-1", version.id)
    }


@SQLITE
def test_missing_workspace_is_made(file, folder, tmp_path, monkeypatch):
    monkeypatch.setenv("PATCHCORE_WORKSPACE", str(tmp_path / "new"))
    assert f"history of {tmp_path / 'new'}" in once(file, folder).stderr
    made = Workspace(tmp_path / "new")
    assert len(rows(made, Inspection)) == len(rows(made, WatchedFile)) == 2
    made.close()


@SQLITE
def test_files_are_moved_and_lines_written_for_a_controller(folder, tmp_path):
    out, lines = tmp_path / "out", tmp_path / "lines.jsonl"
    done = once("Plate", folder, "--move", out, "--json-to", lines)
    written = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
    assert {Path(one["moved_to"]) for one in written} == {path for path in out.rglob("*") if path.is_file()}
    assert (out / "reject/scratch.png").exists() and list(folder.iterdir()) == []
    assert sorted(line.split("\t")[1] for line in done.stdout.splitlines()) == sorted(
        one["verdict"] for one in written
    )


@SQLITE
def test_verdict_folders_and_workspace_below_a_watched_folder_are_skipped(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(folder.parent)
    options = ("--subfolders", "--move", folder / "sorted")
    assert (
        len(once("Plate", "in", *options).stdout.splitlines()) == 2
    )  # one path from here, one from the root
    assert once("Plate", "in", *options).stdout == ""
    assert set(verdicts_of(once("Plate", tmp_path, "--subfolders", "--json"))) == {
        path.relative_to(tmp_path).as_posix() for path in (folder / "sorted").rglob("*.png")
    }


@SQLITE
def test_impossible_arguments_are_refused_in_a_sentence(workspace, version, folder, tmp_path):
    assert "not a folder" in refused("Plate", tmp_path / "no")
    accept = folder / "accept"
    accept.mkdir()
    assert "files are moved to" in refused("Plate", accept, "--move", folder)
    assert "There is no inspector Slate in" in refused("Slate", folder)
    assert "nowhere.patchcore" in refused(tmp_path / "nowhere.patchcore", folder)
    assert "--weights goes with a file" in refused("Plate", folder, "--weights", "w.pth")
    with workspace.database.write() as session:
        session.add(Inspector(id="plate-2", name="Plate", current_id=version.id))
    assert "2 inspectors are called Plate. Name one by its id: " in refused("Plate", folder)
    with workspace.database.write() as session:
        session.get(Inspector, "plate-1").deleted = now()
    assert "has been deleted" in refused("plate-1", folder)
    assert rows(workspace, Inspection) == []


@SQLITE
def test_files_without_a_threshold_are_scored_and_never_moved(workspace, version, file, folder, tmp_path):
    bare = tmp_path / "bare.patchcore"
    PatchCore.load(file).with_operating_point(None).save(bare)
    assert "No file can be moved" in refused(bare, folder, "--move", tmp_path)
    with workspace.database.write() as session:
        row = session.get(InspectorVersion, version.id)
        row.operating_point = row.operating_point | {"stale": "The bank has changed."}
    assert "The bank has changed" in refused("Plate", folder, "--move", tmp_path)
    done = once(bare, folder, "--json")
    assert "only scored" in done.stderr
    assert {one["verdict"] for one in verdicts_of(done).values()} == {None}
    assert {(row.verdict, row.judge_by) for row in rows(workspace, Inspection)} == {(None, None)}


def begin(inspector, folder, *options):
    command = ["watch", inspector, folder, "--json", "--threads", 1, *QUICK, *options]
    return subprocess.Popen(
        [sys.executable, "-m", "workbench", *map(str, command)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


@SQLITE
def test_service_goes_on_after_kill_9_and_sigterm_ends_it_with_exit_code_0(workspace, file, folder, tmp_path):
    lines = tmp_path / "lines.jsonl"
    options = ("--json-to", lines, "--move", tmp_path / "out")
    killed = begin(file, folder, *options)
    assert json.loads(killed.stdout.readline())["file"] in ("plain.png", "scratch.png")
    killed.kill()
    killed.communicate(timeout=20)
    process = begin("Plate", folder, *options)  # what the other left is completed by whoever comes next
    (folder / "later.png").write_bytes(plate(63, scratched=True))
    for line in process.stdout:  # flushed at once
        if json.loads(line)["file"] == "later.png":
            break
    process.terminate()
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Watching" in errors and "Scored" in errors
    names = Counter(("plain.png", "scratch.png", "later.png"))
    assert Counter(row.name for row in rows(workspace, Inspection)) == names
    assert (
        Counter(json.loads(line)["file"] for line in lines.read_text(encoding="utf-8").splitlines()) == names
    )
    assert Counter(path.name for path in (tmp_path / "out").rglob("*.png")) == names
    assert list(folder.iterdir()) == [] and all(one.finished for one in rows(workspace, WatchedFile))


@SQLITE
def test_ctrl_c_ends_it_and_the_earlier_signal_handlers_return(folder, tmp_path):
    lines, before = tmp_path / "lines.jsonl", signal.getsignal(signal.SIGINT)

    def interrupt():
        while not lines.exists():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    sender = threading.Thread(target=interrupt)
    sender.start()
    assert "Ctrl-C ends it" in run("Plate", folder, "--json-to", lines).stderr
    sender.join()
    assert signal.getsignal(signal.SIGINT) is before and lines.exists()


@SQLITE
@pytest.mark.parametrize("by", ["inspector", "file"])
def test_remarks_are_printed_and_stand_in_the_json_and_in_the_history(workspace, folder, file, by):
    shutil.rmtree(folder)
    folder.mkdir()
    with PIL.Image.open(io.BytesIO(plate(60))) as picture:
        files = odd_pictures(np.asarray(picture))
    for name in ("turned.jpg", "pages.tif", "stereo.jpg"):
        (folder / name).write_bytes(files[name])
    done = once("Plate" if by == "inspector" else file, folder, "--json")
    told = {line["file"]: line["remarks"] for line in map(json.loads, done.stdout.splitlines())}
    with workspace.database.read() as session:
        kept = {row.name: row.remarks for row in session.scalars(select(Inspection))}
    for name, remarks in told.items():
        assert REMARKS[name] in " ".join(remarks) and REMARKS[name] in done.stderr
    assert kept == told and len(told) == 3
