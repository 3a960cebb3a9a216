"""Rules as they are written on the command line, numbers as they are shown, and the end by a signal."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from patchcore.cli.terminal import number, read_parameters, read_rule, run
from patchcore.disk.work_notes import WorkNotes
from patchcore.errors import SettingsError
from patchcore.thresholds.operating_point import Choice

ROOT = Path(__file__).parents[3]


def test_rules_and_their_parameters():
    assert read_rule("from_good") == Choice("from_good")
    assert read_rule("from_good:budget=0.05") == Choice("from_good", {"budget": 0.05})
    assert read_rule("cheapest: cost_ratio=10, defect_rate=1e-3").parameters == {
        "cost_ratio": 10.0,
        "defect_rate": 0.001,
    }


@pytest.mark.parametrize("written", ["budget", "budget=", "=1", "budget=few", ""])
def test_malformed_parameters_are_refused(written):
    with pytest.raises(SettingsError, match="name=number"):
        read_parameters([written])


def test_numbers():
    assert number(None) == "-"
    assert number(0.123456) == "0.1235"


def test_a_full_disk_is_told_in_a_sentence_without_a_trace(monkeypatch, capsys):
    app = typer.Typer(pretty_exceptions_enable=False)

    @app.command()
    def fill() -> None:
        with open("/dev/full", "wb", buffering=0) as file:  # noqa: PTH123
            file.write(b"x")

    monkeypatch.setattr(sys, "argv", ["fill"])
    with pytest.raises(SystemExit) as ended:
        run(app)
    said = capsys.readouterr().err
    assert ended.value.code == 1 and "is full (No space left on device)" in said and "Traceback" not in said


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_sigterm_ends_a_command_and_leaves_the_file_in_work_without_blame(tmp_path):
    script = (
        "import signal, sys, typer\nfrom pathlib import Path\n"
        "from patchcore.cli.terminal import run\nfrom patchcore.disk import work_notes\n"
        "app = typer.Typer()\n"
        "@app.command()\ndef work():\n"
        "    work_notes.use(notes := work_notes.WorkNotes(folder))\n"
        "    with notes.in_work('a' * 64, 'a.png'):\n"
        "        signal.raise_signal(signal.SIGTERM)\n"
        "folder = Path(sys.argv.pop())\nrun(app)\n"
    )
    folder = tmp_path / "in_work"
    ended = subprocess.run([sys.executable, "-c", script, str(folder)], cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGTERM
    assert folder.is_dir() and WorkNotes(folder).suspects() == {}
