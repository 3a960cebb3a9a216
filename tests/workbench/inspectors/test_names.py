"""Names of inspectors: one name means one inspector, however it came by the name."""

import pytest

from patchcore.errors import NoImagesError
from tests.workbench.parts import store_plates
from workbench.inspectors.building import BuildSettings, submit_build
from workbench.inspectors.exporting import export_bytes
from workbench.inspectors.importing import import_inspector
from workbench.inspectors.names import LONGEST_NAME, NameTaken, free_name
from workbench.inspectors.timeline import timeline
from workbench.inspectors.versions import find_inspector, list_inspectors, rename
from workbench.storage.database import WorkspaceError
from workbench.storage.tables import Inspector
from workbench.upkeep.bin import bring_back, delete_inspector, list_bin

PLATE = "plate-1"


@pytest.fixture
def copies(workspace, version):
    """Bring the inspector of the tests in again and again from its own file; return the ids of the copies."""
    file = export_bytes(workspace, find_inspector(workspace, PLATE), timeline(workspace, PLATE)[0])
    return [import_inspector(workspace, file).inspector_id for _ in range(2)]


def names(workspace):
    return sorted(one.name for one in list_inspectors(workspace))


def test_a_copy_that_comes_in_gets_a_number_after_the_name(workspace, copies):
    assert names(workspace) == ["Plate", "Plate (2)", "Plate (3)"]


def test_an_inspector_that_comes_back_from_the_bin_does_not_take_the_name_of_another(workspace, copies):
    delete_inspector(workspace, PLATE)
    rename(workspace, copies[0], "Plate")
    bring_back(workspace, list_bin(workspace)[0])
    assert find_inspector(workspace, PLATE).name == "Plate (2)"
    assert names(workspace) == ["Plate", "Plate (2)", "Plate (3)"]


@pytest.mark.parametrize("name", ["Plate", "  plate ", "PLATE"])
def test_a_taken_name_is_refused_for_a_new_inspector_and_for_another(workspace, copies, name):
    sentence = r"There is an inspector Plate already\. Choose another name, such as .*Plate \(4\)"
    with pytest.raises(NameTaken, match=f"(?i){sentence}"):
        submit_build(workspace, BuildSettings(name), store_plates(workspace, 2, first=80))
    with pytest.raises(NameTaken, match=f"(?i){sentence}"):
        rename(workspace, copies[0], name)
    rename(workspace, PLATE, name)  # its own, spelled otherwise
    assert find_inspector(workspace, copies[0]).name == "Plate (2)"


def test_accents_are_the_same_however_they_are_composed(workspace, version):
    rename(workspace, PLATE, "Gehäuse")
    with pytest.raises(NameTaken):
        submit_build(workspace, BuildSettings("Geha\u0308use"), store_plates(workspace, 2, first=80))


def test_a_next_version_keeps_the_name_of_its_inspector(workspace, version):
    with pytest.raises(NoImagesError):
        submit_build(workspace, BuildSettings("Plate"), store_plates(workspace, 1), inspector_id=PLATE)
    assert submit_build(workspace, BuildSettings("Plate"), store_plates(workspace, 2), inspector_id=PLATE)


def test_a_long_name_is_cut_for_its_number(workspace, version):
    longest = "x" * LONGEST_NAME
    rename(workspace, PLATE, longest)
    with workspace.database.read() as session:
        found = free_name(session, longest)
    assert len(found) == LONGEST_NAME and found.endswith("x (2)")
    with pytest.raises(WorkspaceError, match="at most 200"):
        rename(workspace, PLATE, longest + "x")


def test_a_name_is_free_once_its_inspector_is_in_the_bin(workspace, version):
    delete_inspector(workspace, PLATE)
    with workspace.database.read() as session:
        assert free_name(session, "Plate") == "Plate"
        assert session.get(Inspector, PLATE).name == "Plate"
