"""An output is declared once: command line, stored options and the job of a watched folder need nothing else."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from patchcore.errors import SettingsError
from tests.workbench.parts import plate
from tests.workbench.watching.outputs.toy import REGISTERED, notes, notes_file  # noqa: F401 - fixtures
from workbench.jobs import requests
from workbench.watching.job import prepare_run
from workbench.watching.outputs.registry import complete, make_outputs, options, summaries
from workbench.watching.standing import WatchOptions, get_watch, list_watches, start_watch

ROOT = Path(__file__).parents[4]
SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)  # no matter of the database


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PATCHCORE_ROOTS", str(tmp_path))
    for name in ("in", "notes"):
        (tmp_path / name).mkdir()
    (tmp_path / "in" / "plain.png").write_bytes(plate(61))
    (tmp_path / "in" / "scratch.png").write_bytes(plate(60, scratched=True))
    return tmp_path / "in"


@pytest.fixture
def watch_command(workspace, notes_file):  # noqa: F811
    """What runs `watch` in a process of its own, with the output registered."""

    def run(*arguments):
        program = f"{REGISTERED}\nfrom patchcore.cli.terminal import run\nfrom workbench.__main__ import app\nrun(app)"
        command = [sys.executable, "-c", program, "watch", *map(str, arguments)]
        places = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(notes_file)]), "COLUMNS": "200"}
        here = os.environ | places | {"PATCHCORE_WORKSPACE": str(workspace.root)}
        return subprocess.run(command, cwd=ROOT, env=here, capture_output=True, encoding="utf-8", check=False)

    return run


def written(folder):
    return {path.name: path.read_text(encoding="utf-8") for path in (folder.parent / "notes").iterdir()}


@SQLITE
def test_output_of_one_file_and_one_line_has_its_options_and_gets_verdicts_on_the_command_line(
    workspace, version, folder, watch_command
):
    assert "--notes-to" in watch_command("--help").stdout
    quick = ("--settle", 0.05, "--interval", 0.05, "--once")
    asked = ("--notes-to", folder.parent / "notes", "--notes-sign", "=", "--notes-copies", 2)
    done = watch_command("Plate", folder, *quick, *asked)
    assert done.returncode == 0, done.stderr
    assert written(folder) == {"plain.png.txt": "= accept\n" * 2, "scratch.png.txt": "= reject\n" * 2}


def test_watched_folder_of_the_dashboard_stores_its_options_and_delivers_verdicts(
    workspace, version, folder, notes  # noqa: F811
):  # fmt: skip
    places = {"notes_to": str(folder.parent / "notes")}
    watch_id = start_watch(workspace, "plate-1", str(folder), WatchOptions(settle=0.05, outputs=places))
    watch = get_watch(workspace, watch_id)
    assert watch.options["notes_copies"] == 1 and watch.options["move_to"] == ""
    run = prepare_run(workspace, watch, stop=threading.Event(), report=lambda _: None)
    assert run.run(once=True).scored == 2
    run.journal.close()
    assert written(folder) == {"plain.png.txt": "* accept\n", "scratch.png.txt": "* reject\n"}
    (state,) = list_watches(workspace)
    assert summaries(state.options.outputs) == [f"notes go to {folder.parent / 'notes'}"]


@SQLITE
@pytest.mark.parametrize(
    ("name", "flag", "value", "sentence"),
    [
        ("notes_copies", "--notes-copies", 0, "a whole number of at least 1 and at most 9, not 0."),
        ("notes_sign", "--notes-sign", "long", "The sign has at most three letters, unlike long."),
    ],
)
def test_the_command_line_and_the_dashboard_refuse_a_value_by_the_same_sentence(
    workspace, version, folder, notes, watch_command, name, flag, value, sentence  # noqa: F811
):  # fmt: skip
    place = str(folder.parent / "notes")
    with pytest.raises(SettingsError) as refusal:
        start_watch(workspace, "plate-1", str(folder), WatchOptions(outputs={"notes_to": place, name: value}))
    assert sentence in str(refusal.value) and requests.list_jobs(workspace) == []
    done = watch_command("Plate", folder, "--once", "--notes-to", place, flag, value)
    assert done.returncode == 1 and str(refusal.value) in " ".join(done.stderr.split())


def test_every_option_has_a_name_and_a_flag_of_its_own():
    every = options(terminal=True)
    assert len({option.name for option in every}) == len({option.flag for option in every}) == len(every)
    assert not {option.name for option in every} & {"subfolders", "settle", "threads"}  # stored beside them


def test_printing_exists_on_the_command_line_alone(tmp_path):
    assert "as_json" in complete({}, terminal=True) and "as_json" not in complete({})
    assert make_outputs({}, tmp_path).outputs == ()
    assert len(make_outputs({}, tmp_path, terminal=True).outputs) == 1


def test_an_option_of_another_program_is_refused_by_its_name(tmp_path):
    with pytest.raises(SettingsError, match="has the option sent_to"):
        make_outputs({"sent_to": "line 3"}, tmp_path)
