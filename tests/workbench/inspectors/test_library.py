"""The library: inspectors, their last use, and their names."""

import pytest

from tests.workbench.parts import store_plates
from workbench.inspections.batches import create_batch, score_batch
from workbench.inspectors.library import shelf
from workbench.inspectors.versions import find_inspector, rename, reslice
from workbench.people.roles import NotAllowed, Person, Role, acting
from workbench.storage.database import WorkspaceError
from workbench.storage.revisions import ChangedMeanwhile
from workbench.upkeep.bin import delete_inspector


def test_every_inspector_is_on_the_shelf_until_it_is_deleted(workspace, version):
    (one,) = shelf(workspace)
    assert (one.inspector.id, one.version.id, one.versions, one.last_used) == ("plate-1", version.id, 1, None)
    reslice(workspace, version, 0.1)
    assert shelf(workspace)[0].versions == 2
    delete_inspector(workspace, "plate-1")
    assert shelf(workspace) == []


def test_the_last_use_is_the_last_verdict(workspace, version):
    batch = create_batch(workspace, "plate-1", store_plates(workspace, 1, first=50), "b")
    brought = shelf(workspace)[0].last_used
    (result,) = score_batch(workspace, batch, version)
    assert shelf(workspace)[0].last_used >= max(brought, result.created)


def test_a_new_name_is_kept(workspace, version):
    seen = find_inspector(workspace, "plate-1").revision
    rename(workspace, "plate-1", " Plate, line 4 ", "B 12", seen=seen)
    inspector = find_inspector(workspace, "plate-1")
    assert (inspector.name, inspector.product, inspector.revision) == ("Plate, line 4", "B 12", seen + 1)
    with pytest.raises(ChangedMeanwhile):
        rename(workspace, "plate-1", "Another", "", seen=seen)


@pytest.mark.parametrize("name", ["", "  ", "a" * 300])
def test_an_empty_or_long_name_is_refused(workspace, version, name):
    with pytest.raises(WorkspaceError, match="name"):
        rename(workspace, "plate-1", name, "")


def test_renaming_without_the_role_is_refused(workspace, version):
    with acting(Person("Otto", Role.OPERATE)), pytest.raises(NotAllowed, match="rename inspectors"):
        rename(workspace, "plate-1", "x", "")
