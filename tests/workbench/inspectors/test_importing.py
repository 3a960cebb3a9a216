"""Import: an exported file comes in whole and scores the same; every other file is refused, and nothing is written."""

import hashlib
import json
import shutil
from contextlib import closing

import numpy as np
import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from patchcore import PatchCore
from patchcore.cli import commands
from patchcore.errors import ArtifactError, PatchCoreError, SettingsError
from patchcore.thresholds.operating_point import OperatingPoint
from tests.patchcore.hostile import HOSTILE, rewritten, stretch
from tests.workbench.parts import plate, remove_good, store_plates
from workbench.evaluation.audit import audit
from workbench.evaluation.certificate import certificate_of
from workbench.evaluation.report import report_of
from workbench.inspections.batches import create_batch, explain, good_batch, score_batch
from workbench.inspectors import importing
from workbench.inspectors.exporting import export, export_bytes, file_name
from workbench.inspectors.importing import import_inspector
from workbench.inspectors.timeline import timeline
from workbench.inspectors.versions import (
    find_inspector,
    get_version,
    good_images,
    has_good_images,
    list_inspectors,
    load_model,
    make_current,
    reslice,
)
from workbench.people.roles import NotAllowed, Person, Role, acting
from workbench.storage.database import WorkspaceError
from workbench.storage.revisions import ChangedMeanwhile
from workbench.storage.tables import Base, Image
from workbench.storage.workspace import Workspace
from workbench.tuning.teaching_preview import preview_teaching
from workbench.upkeep.bin import delete_inspector
from workbench.upkeep.check import check

PLATE = "plate-1"


def test_a_sparse_file_of_gigabytes_is_not_copied_into_the_workspace(
    workspace, exported, tmp_path, monkeypatch
):
    file = tmp_path / "sparse.patchcore"
    shutil.copyfile(exported[0], file)
    stretch(file, [0, -1], 7 << 30)
    monkeypatch.setattr(importing.shutil, "copyfile", lambda *_, **__: pytest.fail("it was copied"))
    with pytest.raises(ArtifactError, match="empty space that its disk does not hold"):
        import_inspector(workspace, file)
    assert not any((workspace.root / "temporary").iterdir())


@pytest.fixture(scope="module")
def exported(built, tmp_path_factory):
    """The file of a small inspector at a smaller share, and the scores that it gives where it was built."""
    root = tmp_path_factory.mktemp("exported")
    shutil.copytree(built, root / "there")
    with closing(Workspace(root / "there")) as there:
        version = reslice(there, get_version(there, 1), 0.2, note="small")
        export(there, find_inspector(there, PLATE), timeline(there, PLATE)[0], root / "plate.patchcore")
        images = store_plates(there, 2, first=60, scratched=True)
        scores = [r.score for r in score_batch(there, create_batch(there, PLATE, images, "b"), version)]
        point = version.operating_point
    return root / "plate.patchcore", scores, point


@pytest.fixture
def path(exported, tmp_path):
    return shutil.copy(exported[0], tmp_path / "plate.patchcore") and tmp_path / "plate.patchcore"


def state(workspace):
    """Every file of a workspace but the database's own, and every row."""
    files = {
        str(path.relative_to(workspace.root)): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else ""
        for path in sorted(workspace.root.rglob("*"))
        if not path.name.startswith("workspace.db")
    }
    with workspace.database.read() as session:
        rows = {
            table.name: sorted(map(str, session.execute(select(table))))
            for table in Base.metadata.sorted_tables
        }
    return files, rows


def test_an_inspector_comes_into_another_workspace_and_scores_bit_for_bit_the_same(workspace, exported, path):
    _, scores, point = exported
    version = import_inspector(workspace, path)
    inspector = find_inspector(workspace, version.inspector_id)
    assert (inspector.name, inspector.current_id, version.change) == ("Plate", version.id, "import")
    assert version.operating_point == point and version.note == "small" and version.share < 0.21
    images = store_plates(workspace, 2, first=60, scratched=True)
    found = list(score_batch(workspace, create_batch(workspace, inspector.id, images, "b"), version))
    assert [result.score for result in found] == scores
    assert workspace.thumbnail(version.thumbnail_sha256).exists()
    assert check(workspace, grace=0) == []
    (entry,) = timeline(workspace, inspector.id)
    assert entry.what == "import" and entry.record.note == "As in the file, version 2.1."
    assert version.numbers[importing.IMPORTED]["file"] == "plate.patchcore"


def test_an_exported_file_scores_the_same_for_the_command_line_and_in_python(exported, path, tmp_path):
    _, scores, point = exported
    for number in (60, 61):
        (tmp_path / f"{number}.png").write_bytes(plate(number, scratched=True))
    model = PatchCore.load(path)
    assert [model.score(tmp_path / f"{number}.png").score for number in (60, 61)] == scores
    assert model.operating_point_ == OperatingPoint.from_dict(point)
    images = [str(tmp_path / f"{number}.png") for number in (60, 61)]
    told = CliRunner().invoke(commands.app, ["score", str(path), "--json", *images])
    assert told.exit_code == 0, told.stderr
    assert [one["score"] for one in json.loads(told.stdout)] == scores


def test_hostile_files_are_refused_and_nothing_is_written(workspace, version, exported, tmp_path):
    before, there = state(workspace), set(tmp_path.iterdir())
    for spoil, reason in HOSTILE.items():
        path = tmp_path / "hostile.patchcore"
        shutil.copy(exported[0], path)
        spoil(path)
        with pytest.raises(PatchCoreError, match=reason):
            import_inspector(workspace, path)
        if path.is_file() and not path.is_symlink():
            with pytest.raises(PatchCoreError, match=reason):
                import_inspector(workspace, path.read_bytes(), file="hostile.patchcore")
        for left in set(tmp_path.iterdir()) - there:
            shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
        assert list((workspace.root / "temporary").iterdir()) == [], spoil.__name__
    assert state(workspace) == before
    assert len(HOSTILE) >= 20


def test_a_hostile_name_of_the_file_leads_nowhere(workspace, exported):
    data = exported[0].read_bytes()
    version = import_inspector(workspace, data, file="../../<img src=x>\x1b.patchcore")
    assert find_inspector(workspace, version.inspector_id).name == "Plate"
    assert sorted(p.name for p in workspace.root.parent.iterdir() if p.suffix == ".patchcore") == []
    for name in (
        "../../x.patchcore",
        "C:\\con.patchcore",
        "10:15?.patchcore",
        "🔩" * 100 + ".patchcore",
        "",
        "..",
    ):
        with pytest.raises(ArtifactError, match="is not an inspector"):
            import_inspector(workspace, b"nothing at all", file=name)


def test_an_inspector_without_a_name_is_called_after_its_file(workspace, path):
    rewritten(path, lambda tensors, header: (header.pop("about"), tensors.pop("about.picture")))
    version = import_inspector(workspace, path)
    assert (
        find_inspector(workspace, version.inspector_id).name == "plate" and version.thumbnail_sha256 is None
    )
    named = import_inspector(workspace, path, "Plate, line 4")
    assert find_inspector(workspace, named.inspector_id).name == "Plate, line 4"


def test_a_threshold_not_in_force_is_replaced_with_a_note(workspace, path):
    rewritten(path, lambda tensors, header: header.update(operating_point=None))
    version = import_inspector(workspace, path)
    assert version.operating_point["rule"]["name"] == "provisional"
    assert "had no threshold" in timeline(workspace, version.inspector_id)[0].record.note


def test_stored_good_images_are_recognised_after_an_import(workspace, version, path):
    again = import_inspector(workspace, path)
    assert has_good_images(again) and again.thumbnail_sha256 == version.thumbnail_sha256
    assert [i.sha256 for i in good_images(workspace, again)] == [
        i.sha256 for i in good_images(workspace, version)
    ]
    worst = max(again.good_scores, key=again.good_scores.get)
    assert remove_good(workspace, again, [worst]).number == 2


def test_an_import_can_be_the_next_version_of_an_inspector(workspace, version, path):
    seen = find_inspector(workspace, PLATE).revision
    later = import_inspector(workspace, path, into=PLATE, seen=seen)
    assert (later.inspector_id, later.number) == (PLATE, 2)
    assert find_inspector(workspace, PLATE).current_id == later.id
    before = state(workspace)
    with pytest.raises(ChangedMeanwhile):
        import_inspector(workspace, path, into=PLATE, seen=seen)
    with pytest.raises(WorkspaceError, match="no inspector nobody"):
        import_inspector(workspace, path, into="nobody")
    assert state(workspace) == before
    make_current(workspace, PLATE, version.id)
    delete_inspector(workspace, PLATE)
    with pytest.raises(WorkspaceError, match="in the bin"):
        import_inspector(workspace, path, into=PLATE)


def test_actions_on_absent_good_images_raise_an_error(workspace, path):
    version = import_inspector(workspace, path)
    assert not has_good_images(version) and len(good_images(workspace, version)) == 6
    assert [one.name for one in audit(workspace, version)] and good_batch(workspace, version)
    assert list(score_batch(workspace, good_batch(workspace, version), version)) == []
    with pytest.raises(SettingsError, match="not in this workspace: it was imported"):
        remove_good(workspace, version, list(version.good_scores)[:1])
    images = store_plates(workspace, 2, first=60, scratched=True, truth="scratch")
    images += store_plates(workspace, 2, first=70, truth="good")
    batch = create_batch(workspace, version.inspector_id, images, "b")
    results = list(score_batch(workspace, batch, version))
    assert explain(workspace, results[0]).neighbour_name.startswith("good/00")
    with pytest.raises(SettingsError, match="not in this workspace: it was imported"):
        preview_teaching(workspace, version, [results[2]])
    assert "<img" in report_of(workspace, version, batch, "", "")
    smaller = reslice(workspace, version, 0.05)
    assert smaller.number == 2 and not has_good_images(smaller)
    inspector = find_inspector(workspace, version.inspector_id)
    page = certificate_of(workspace, inspector, timeline(workspace, inspector.id)[-1])
    assert "good/000.png" in page and "Self-test passed" in page and "This version has not" not in page


def test_a_good_image_of_the_bank_is_recognised_in_any_upload(workspace, path):
    version = import_inspector(workspace, path)
    images = store_plates(workspace, 1, truth="good")  # the plate 0 is in the bank
    batch = create_batch(workspace, version.inspector_id, images, "b")
    assert len(list(score_batch(workspace, batch, version))) == 1
    from workbench.tuning.evidence import tested_images

    assert tested_images(workspace, version, batch) == []


def test_an_import_is_exported_again_with_all_that_it_brought(workspace, path):
    version = import_inspector(workspace, path)
    inspector = find_inspector(workspace, version.inspector_id)
    (entry,) = timeline(workspace, inspector.id)
    data = export_bytes(workspace, inspector, entry)
    again = import_inspector(workspace, data, file=file_name(inspector, entry))
    assert again.operating_point == version.operating_point
    assert np.array_equal(
        load_model(workspace, again).bank_.features, load_model(workspace, version).bank_.features
    )
    assert again.thumbnail_sha256 is not None and file_name(inspector, entry) == "Plate_v1.1.patchcore"


def test_a_full_disk_leaves_nothing(workspace, version, path, monkeypatch):
    before = state(workspace)
    monkeypatch.setattr(
        importing.shutil, "copyfile", lambda *a, **b: (_ for _ in ()).throw(OSError(28, "No space"))
    )
    with pytest.raises(WorkspaceError, match=r"is full \(No space"):
        import_inspector(workspace, path)
    assert state(workspace) == before and [one.id for one in list_inspectors(workspace)] == [PLATE]


def test_importing_without_the_role_is_refused(workspace, path):
    with acting(Person("Otto", Role.OPERATE)), pytest.raises(NotAllowed, match="import inspectors"):
        import_inspector(workspace, path)
    with workspace.database.read() as session:
        assert session.scalars(select(Image)).all() == []
