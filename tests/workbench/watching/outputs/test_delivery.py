"""Outputs are told of a verdict one after the other, each once."""

import json
from pathlib import Path

import pytest

from patchcore.errors import NotKept
from tests.workbench.watching.watched import arrived, files
from workbench.watching.outputs.declaration import Output
from workbench.watching.outputs.delivery import Outputs
from workbench.watching.outputs.lines import LineFile, as_line
from workbench.watching.outputs.moving import Mover


class Recorder(Output):
    """Notes what it is told, and fails as often as asked."""

    def __init__(self, failures=0):
        self.told, self.failures = [], failures

    def give(self, verdict, *, again):
        if self.failures:
            self.failures -= 1
            raise NotKept("The printer is out of paper.")
        self.told.append((verdict, again))
        return verdict


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def test_outputs_move_first_and_tell_where_the_file_is(folder, tmp_path):
    last = Recorder()
    outputs = Outputs([Mover(folder, tmp_path / "out"), LineFile(tmp_path / "lines.jsonl"), last])
    one = outputs.plan(arrived(folder, "a.png", verdict="review"))
    outputs.give(one)
    told = json.loads((tmp_path / "lines.jsonl").read_text())
    assert told["moved_to"] == str(tmp_path / "out/review/a.png") and Path(told["moved_to"]).exists()
    assert as_line(last.told[0][0]) == json.dumps(told)


def test_what_has_no_verdict_stays(folder, tmp_path):
    outputs = Outputs([Mover(folder, tmp_path / "out")])
    one = outputs.plan(arrived(folder, "a.png", verdict=None))
    outputs.give(one)
    assert one.moved_to is None and files(folder) == {"a.png": b"abc"}


def test_a_retry_goes_on_at_the_output_that_failed(folder, tmp_path):
    first, last = Recorder(), Recorder(failures=2)
    outputs = Outputs([first, Mover(folder, tmp_path / "out"), last])
    one = outputs.plan(arrived(folder, "a.png"))
    for again in (False, True):
        with pytest.raises(NotKept, match="out of paper"):
            outputs.give(one, again=again)
    outputs.give(one, again=True)
    assert first.told == [(one, False)] and last.told == [(one, True)]
    outputs.give(one, again=True)  # as after a restart: from the first one on
    assert first.told == [(one, False), (one, True)]


def test_outputs_say_what_they_need(folder, tmp_path):
    mover = Mover(folder, tmp_path / "out")
    assert Outputs([Recorder(), mover]).needs_verdict() == "No file can be moved by its verdict"
    assert Outputs([Recorder()]).needs_verdict() == ""
    assert Outputs([Recorder(), mover]).folders_left_out() == [
        tmp_path / "out" / verdict for verdict in ("accept", "review", "reject")
    ]
