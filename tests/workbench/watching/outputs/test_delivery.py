"""Outputs get each verdict one after the other, each once."""

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
    """Records its deliveries, and fails as often as asked."""

    def __init__(self, failures=0):
        self.deliveries, self.failures = [], failures

    def deliver(self, verdict, *, again):
        if self.failures:
            self.failures -= 1
            raise NotKept("The printer is out of paper.")
        self.deliveries.append((verdict, again))
        return verdict


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def test_outputs_move_first_and_lines_name_the_new_place(folder, tmp_path):
    last = Recorder()
    outputs = Outputs([Mover(folder, tmp_path / "out"), LineFile(tmp_path / "lines.jsonl"), last])
    one = outputs.plan(arrived(folder, "a.png", verdict="review"))
    outputs.deliver(one)
    line = json.loads((tmp_path / "lines.jsonl").read_text(encoding="utf-8"))
    assert line["moved_to"] == str(tmp_path / "out/review/a.png") and Path(line["moved_to"]).exists()
    assert as_line(last.deliveries[0][0]) == json.dumps(line)


def test_file_without_a_verdict_stays(folder, tmp_path):
    outputs = Outputs([Mover(folder, tmp_path / "out")])
    one = outputs.plan(arrived(folder, "a.png", verdict=None))
    outputs.deliver(one)
    assert one.moved_to is None and files(folder) == {"a.png": b"abc"}


def test_a_retry_goes_on_at_the_output_that_failed(folder, tmp_path):
    first, last = Recorder(), Recorder(failures=2)
    outputs = Outputs([first, Mover(folder, tmp_path / "out"), last])
    one = outputs.plan(arrived(folder, "a.png"))
    for again in (False, True):
        with pytest.raises(NotKept, match="out of paper"):
            outputs.deliver(one, again=again)
    outputs.deliver(one, again=True)
    assert first.deliveries == [(one, False)] and last.deliveries == [(one, True)]
    outputs.deliver(one, again=True)  # as after a restart: from the first one on
    assert first.deliveries == [(one, False), (one, True)]


def test_outputs_say_what_they_need(folder, tmp_path):
    mover = Mover(folder, tmp_path / "out")
    assert Outputs([Recorder(), mover]).needs_verdict() == "No file can be moved by its verdict"
    assert Outputs([Recorder()]).needs_verdict() == ""
    assert Outputs([Recorder(), mover]).folders_left_out() == [
        tmp_path / "out" / verdict for verdict in ("accept", "review", "reject")
    ]
