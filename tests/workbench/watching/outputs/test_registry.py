"""An output is declared once: command line, stored options and the job of a watched folder need nothing else."""

import json
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


COMMANDS = """
import contextlib, io, json, sys
from patchcore.cli.terminal import run
from workbench.__main__ import app
for arguments in json.loads(sys.argv[1]):
    sys.argv, code, streams = ["workbench", *arguments], 0, (io.StringIO(), io.StringIO())
    with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
        try:
            run(app)
        except SystemExit as end:
            code = end.code or 0
    print(json.dumps([code, *(stream.getvalue() for stream in streams)]))
"""


@pytest.fixture
def watch_commands(workspace, notes_file):  # noqa: F811
    """What runs commands `watch` one after the other in a process of its own, with the output registered."""

    def run(*commands):
        """Return of each its exit code, standard output and standard error."""
        arguments = json.dumps([["watch", *map(str, command)] for command in commands])
        places = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(notes_file)]), "COLUMNS": "200"}
        here = os.environ | places | {"PATCHCORE_WORKSPACE": str(workspace.root)}
        command = [sys.executable, "-c", REGISTERED + COMMANDS, arguments]
        done = subprocess.run(command, cwd=ROOT, env=here, capture_output=True, encoding="utf-8", check=False)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


def written(folder):
    return {path.name: path.read_text(encoding="utf-8") for path in (folder.parent / "notes").iterdir()}


@SQLITE
def test_output_of_one_file_and_one_line_has_its_options_and_gets_verdicts_on_the_command_line(
    workspace, version, folder, notes, watch_commands  # noqa: F811
):  # fmt: skip
    """A value that does not fit is refused by the sentence that the dashboard says."""
    place = str(folder.parent / "notes")
    sentences = []
    for name, value in (("notes_copies", 0), ("notes_sign", "long")):
        with pytest.raises(SettingsError) as refusal:
            options = WatchOptions(outputs={"notes_to": place, name: value})
            start_watch(workspace, "plate-1", str(folder), options)
        sentences.append(str(refusal.value))
    assert "a whole number of at least 1 and at most 9, not 0." in sentences[0]
    assert "The sign has at most three letters, unlike long." in sentences[1]
    assert requests.list_jobs(workspace) == []

    once = ("Plate", folder, "--settle", 0.05, "--interval", 0.05, "--once", "--notes-to", place)
    helped, few, long, done = watch_commands(
        ("--help",),
        (*once, "--notes-copies", 0),
        (*once, "--notes-sign", "long"),
        (*once, "--notes-sign", "=", "--notes-copies", 2),
    )
    assert helped[0] == 0 and "--notes-to" in helped[1]
    for sentence, (code, _, said) in zip(sentences, (few, long), strict=True):
        assert code == 1 and sentence in " ".join(said.split())
    assert done[0] == 0, done[2]
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
