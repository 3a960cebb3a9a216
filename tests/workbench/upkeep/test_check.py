"""The check as a whole: in order, out of order, put in order, and when it must not touch anything."""

import pytest

from workbench.inspections.batches import list_results
from workbench.storage.database import WorkspaceError
from workbench.storage.workspace import Workspace
from workbench.upkeep.check import check, repair


def test_a_workspace_that_was_worked_in_is_in_order(worked):
    assert check(worked, grace=0) == []


def test_an_empty_one_is_in_order(workspace):
    assert check(workspace, grace=0) == []


def test_one_thing_that_cannot_be_repaired_stops_none_of_the_others(worked):
    first, second, third = list_results(worked, 1, 1)
    for result in (first, second, third):
        (worked.root / result.map_path).unlink()
    worked.image_path(first.image.sha256).unlink()
    repaired = list(repair(worked, check(worked)))
    assert [one.done for one in repaired] == [False, False, True, True]
    assert [finding.place for finding in check(worked)] == [
        worked.relative(worked.image_path(first.image.sha256)),
        first.map_path,
    ]


def test_another_database_is_noticed_before_everything_is_called_orphaned(worked, tmp_path, monkeypatch):
    for number in range(20):
        worked.store_image(b"%d" % number, "x.png")
    monkeypatch.setenv("PATCHCORE_DATABASE_URL", f"sqlite:///{tmp_path / 'anothers.db'}")
    mistaken = Workspace(worked.root)
    with pytest.raises(WorkspaceError, match="probably belongs to another"):
        check(mistaken, grace=0)
    mistaken.database.close()


def test_a_damaged_database_is_reported_and_left_alone(worked):
    if not worked.database.is_sqlite:
        pytest.skip("PostgreSQL looks after its own files")
    worked.database.close()
    path = worked.root / "workspace.db"
    data = bytearray(path.read_bytes())
    data[4096 * 3 :] = bytes(len(data) - 4096 * 3)
    path.write_bytes(data)
    before = sorted(worked.root.rglob("*"))
    with pytest.raises(WorkspaceError, match=r"(is damaged|cannot be used).*[Rr]estore a backup"):
        check(worked)
    assert {path for path in worked.root.rglob("*") if "workspace.db" not in path.name} == {
        path for path in before if "workspace.db" not in path.name
    }
