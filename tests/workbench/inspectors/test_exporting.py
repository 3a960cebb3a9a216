"""Export: any state of an inspector, with nothing left behind; test_importing reads the files."""

import pytest

from patchcore import PatchCore
from patchcore.files import container
from patchcore.thresholds.operating_point import OperatingPoint
from tests.points import by_hand
from workbench.inspectors.exporting import export, export_bytes, file_name
from workbench.inspectors.point_history import store_point
from workbench.inspectors.timeline import find_entry, timeline
from workbench.inspectors.versions import find_inspector, reslice
from workbench.people.roles import Person, Role, acting
from workbench.storage.database import WorkspaceError
from workbench.storage.tables import PointRecord

PLATE = "plate-1"


def state(workspace, number):
    return find_inspector(workspace, PLATE), find_entry(timeline(workspace, PLATE), number)


def test_each_state_is_exported_at_its_share_and_with_its_thresholds(workspace, version, tmp_path):
    now = OperatingPoint.from_dict(version.operating_point)
    store_point(workspace, version, by_hand(7.0, now.evidence, now.bank_id, set_by=""), "higher")
    smaller = reslice(workspace, version, 0.1)
    for number, patches, reject in (
        ("1.1", version.patches, now.reject),
        ("1.2", version.patches, 7.0),
        ("2.1", smaller.patches, smaller.operating_point["reject"]),
    ):
        with acting(Person("Ada", Role.VIEW)):
            export(workspace, *state(workspace, number), tmp_path / "out.patchcore")
        model = PatchCore.load(tmp_path / "out.patchcore")
        assert (len(model.bank_), model.threshold_) == (patches, reject)
        assert len(model.full_bank_) == version.patches  # the importer can still choose a larger share
        about = container.read_header(tmp_path / "out.patchcore")["about"]
        assert (about["version"], about["made_by"], about["name"]) == (number, "Ada", "Plate")


def test_bytes_are_what_the_file_would_hold_and_nothing_is_left(workspace, version, tmp_path):
    data = export_bytes(workspace, *state(workspace, "1"))
    (tmp_path / "again.patchcore").write_bytes(data)
    assert PatchCore.load(tmp_path / "again.patchcore").bank_id_ == version.operating_point["bank_id"]
    assert list((workspace.root / "temporary").iterdir()) == []


def test_thresholds_that_are_out_of_date_are_not_exported(workspace, version, tmp_path):
    with workspace.database.write() as session:
        record = session.get_one(PointRecord, timeline(workspace, PLATE)[0].record.id)
        record.data = OperatingPoint.from_dict(record.data).outdated("Long ago.").to_dict()
    with pytest.raises(WorkspaceError, match=r"thresholds of 1\.1 cannot be used"):
        export(workspace, *state(workspace, "1.1"), tmp_path / "out.patchcore")
    assert list(tmp_path.glob("*.patchcore")) == []


def test_the_name_of_the_file_is_harmless(workspace, version):
    inspector, entry = state(workspace, None)
    inspector.name = "../../Größe 5: <b>"
    assert file_name(inspector, entry) == "Größe_5_b_v1.1.patchcore"
    inspector.name = "///"
    assert file_name(inspector, entry) == "inspector_v1.1.patchcore"
