"""The bin: what is put aside keeps its place, with a note."""

import json
from datetime import UTC, datetime

from workbench.upkeep.quarantine import Bin

MOMENT = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)


def test_nothing_put_aside_makes_no_folder(workspace):
    Bin(workspace, MOMENT)
    assert not (workspace.root / "bin").exists()


def test_a_file_keeps_its_place_and_gets_a_line(workspace):
    path = workspace.root / "images" / "aa" / "x.png"
    path.parent.mkdir()
    path.write_bytes(b"x")
    where = Bin(workspace, MOMENT).put_file(path, "it is damaged")
    assert where == workspace.root / "bin" / "2026-03-01_12-00-05" / "images" / "aa" / "x.png"
    assert where.read_bytes() == b"x" and not path.exists()
    note = (where.parents[2] / "note.txt").read_text(encoding="utf-8")
    assert "check --repair" in note and "images/aa/x.png: it is damaged\n" in note


def test_a_row_keeps_its_values(workspace):
    to = Bin(workspace, MOMENT)
    to.put_row("jobs", {"id": 1, "created": MOMENT, "arguments": {"a": None}}, "it points nowhere")
    (line,) = (to.folder / "rows.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line) == {
        "table": "jobs",
        "row": {"id": 1, "created": "2026-03-01T12:00:05+00:00", "arguments": {"a": None}},
        "why": "it points nowhere",
    }


def test_two_of_one_second_do_not_mix(workspace):
    first, second = Bin(workspace, MOMENT).folder, Bin(workspace, MOMENT).folder
    assert (first.name, second.name) == ("2026-03-01_12-00-05", "2026-03-01_12-00-05_2")
