"""Rules as they are written on the command line, and numbers as they are shown."""

import sys

import pytest
import typer

from patchcore.cli.terminal import number, read_parameters, read_rule, run
from patchcore.errors import SettingsError
from patchcore.thresholds.operating_point import Choice


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
