"""`watch` as a line's PC runs it: verdicts, exit codes, signals, and the places that keep them."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from patchcore import PatchCore, cli_watch
from patchcore.errors import SettingsError
from patchcore.watch_journal import FileJournal
from tests.patchcore.conftest import stripes
from tests.patchcore.test_cli import ROOT, patchcore

QUICK = ("--settle", 0.05, "--interval", 0.05, "--broken-after", 0.3)


@pytest.fixture(scope="module")
def striped(tmp_path_factory, model):
    path = tmp_path_factory.mktemp("inspectors") / "striped.patchcore"
    model.save(path)
    return path


@pytest.fixture
def folder(tmp_path, bad):
    place = tmp_path / "in"
    place.mkdir()
    Image.fromarray(stripes(50)).save(place / "plain.png")
    Image.fromarray(bad).save(place / "spot.png")
    return place


@pytest.fixture
def opened(monkeypatch, tmp_path):
    """Have the dashboard's place for verdicts be one of the test's own; gives what was opened."""
    calls = []

    def open_place(inspector, folder, say):
        calls.append((inspector, folder))
        return FileJournal(tmp_path / "history.jsonl", folder, say)

    monkeypatch.setattr(cli_watch, "place_for_tests", open_place, raising=False)
    monkeypatch.setattr(cli_watch, "DASHBOARD", "patchcore.cli_watch:place_for_tests")
    return calls


def watch(striped, folder, *options, expect=0):
    return patchcore("watch", striped, folder, "--once", *QUICK, *options, expect=expect)


def test_once_scores_what_is_there_and_prints_what_the_model_says(striped, folder, tmp_path):
    (folder / "notes.png").write_text("no image")
    journal = tmp_path / "journal.jsonl"
    done = watch(striped, folder, "--json", "--journal", journal)
    told = {one["file"]: one for one in map(json.loads, done.stdout.splitlines())}
    model = PatchCore.load(striped)
    point = model.operating_point_
    for name in ("plain.png", "spot.png"):
        expected = model.score(folder / name)
        assert told[name]["score"] == pytest.approx(expected.score)
        assert told[name]["verdict"] == point.verdict(expected.score)
        assert (told[name]["accept"], told[name]["reject"]) == (point.accept, point.reject)
        assert told[name]["sha256"] == expected.record.sha256 and told[name]["inspector"] == "striped"
    x0, y0, x1, y1 = told["spot.png"]["regions"][0]["box"]
    assert told["spot.png"]["verdict"] == "reject" and x0 <= 48 <= x1 and y0 <= 28 <= y1
    assert told["notes.png"]["score"] is None and "text, not an image" in told["notes.png"]["error"]
    assert "Scored 2 of" in done.stderr and "1 could not be scored" in done.stderr
    again = watch(striped, folder, "--json", "--journal", journal)
    assert again.stdout == "" and "Scored 0 of" in again.stderr


def test_files_are_moved_and_lines_written_for_a_controller(striped, folder, tmp_path):
    out, lines = tmp_path / "out", tmp_path / "lines.jsonl"
    done = watch(striped, folder, "--move", out, "--json-to", lines, "--journal", tmp_path / "j")
    told = [json.loads(line) for line in lines.read_text().splitlines()]
    assert {Path(one["moved_to"]) for one in told} == {path for path in out.rglob("*") if path.is_file()}
    assert (out / "reject/spot.png").exists() and list(folder.iterdir()) == []
    assert sorted(line.split("\t")[1] for line in done.stdout.splitlines()) == sorted(
        one["verdict"] for one in told
    )


def test_a_folder_of_verdicts_inside_the_watched_one_is_not_watched(striped, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(folder.parent)
    options = ("--subfolders", "--move", folder / "sorted", "--journal", tmp_path / "j")
    assert (
        len(watch(striped, "in", *options).stdout.splitlines()) == 2
    )  # one path from here, one from the root
    assert watch(striped, "in", *options).stdout == ""


def test_verdicts_go_to_the_dashboard_where_it_is_installed(striped, folder, tmp_path, opened):
    assert len(watch(striped, folder).stdout.splitlines()) == 2
    assert opened == [(striped, folder)] and (tmp_path / "history.jsonl").exists()
    watch(striped, folder, "--history", "patchcore.cli_watch:place_for_tests")
    assert len(opened) == 2 and not list(striped.parent.glob("*.jsonl"))


def test_without_the_dashboard_they_are_kept_beside_the_inspector(striped, folder, monkeypatch):
    monkeypatch.setattr(cli_watch, "DASHBOARD", "nowhere.to_be_found:open")
    done = watch(striped, folder)
    (journal,) = striped.parent.glob("striped.watched-*.jsonl")
    assert f"kept in {journal} alone" in done.stderr and len(done.stdout.splitlines()) == 2
    assert watch(striped, folder).stdout == ""
    journal.unlink()


def test_what_cannot_work_is_refused_in_a_sentence(striped, folder, tmp_path, model):
    journal = ("--journal", tmp_path / "j")
    assert "Choose one place" in watch(striped, folder, *journal, "--history", "a:b", expect=1).stderr
    assert "no function that can be" in watch(striped, folder, "--history", "json:no", expect=1).stderr
    assert "not a folder" in watch(striped, tmp_path / "no", *journal, expect=1).stderr
    accept = folder / "accept"
    accept.mkdir()
    assert "files are moved to" in watch(striped, accept, "--move", folder, *journal, expect=1).stderr
    assert not (tmp_path / "j").exists()


def test_without_a_threshold_files_are_scored_and_never_moved(folder, tmp_path, model):
    path = tmp_path / "bare.patchcore"
    model.with_operating_point(None).save(path)
    journal = ("--journal", tmp_path / "j")
    assert "No file can be moved" in watch(path, folder, "--move", tmp_path, *journal, expect=1).stderr
    done = watch(path, folder, "--json", *journal)
    assert "only scored" in done.stderr
    assert {json.loads(line)["verdict"] for line in done.stdout.splitlines()} == {None}


def test_sigterm_ends_a_service_after_the_image_in_hand_with_exit_code_0(striped, folder, tmp_path):
    command = ["watch", striped, folder, "--json", "--journal", tmp_path / "j", "--threads", 1, *QUICK]
    process = subprocess.Popen(
        [sys.executable, "-m", "patchcore", *map(str, command)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    told = [json.loads(process.stdout.readline()) for _ in range(2)]
    assert {one["file"] for one in told} == {"plain.png", "spot.png"}
    Image.fromarray(np.rot90(stripes(51)).copy()).save(folder / "later.png")
    assert json.loads(process.stdout.readline())["file"] == "later.png"  # flushed at once
    process.terminate()
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Watching" in errors and "Scored 3 of" in errors


def test_ctrl_c_ends_it_too_and_what_was_done_at_it_before_is_done_again(striped, folder, tmp_path):
    lines, before = tmp_path / "lines.jsonl", signal.getsignal(signal.SIGINT)

    def interrupt():
        while not lines.exists():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    sender = threading.Thread(target=interrupt)
    sender.start()
    options = ("--json-to", lines, "--journal", tmp_path / "j", *QUICK)
    assert "Ctrl-C ends it" in patchcore("watch", striped, folder, *options).stderr
    sender.join()
    assert signal.getsignal(signal.SIGINT) is before and lines.exists()


def test_an_opener_is_written_module_colon_function():
    with pytest.raises(SettingsError, match="MODULE:FUNCTION"):
        cli_watch._opener("json")
