"""Kept files: each file once, also where several rows share it or point to nothing."""

from tests.workbench.parts import store_plates
from workbench.inspections.batches import create_batch, score_batch
from workbench.inspectors.versions import get_version, reslice
from workbench.upkeep.kept_files import kept_files, loose_files


def kept(workspace):
    with workspace.database.snapshot() as connection:
        return list(kept_files(workspace, connection))


def test_images_models_maps_and_overlays_are_there_and_whole(worked):
    files = kept(worked)
    kinds = [file.kind for file in files]
    assert [kinds.count(kind) for kind in ("image", "model", "map", "overlay")] == [9, 1, 3, 3]
    assert all((worked.root / file.path).is_file() for file in files)
    assert {file.path for file in files if file.kind == "image"} == {
        worked.relative(path) for path in (worked.root / "images").rglob("*.png")
    }
    (model,) = [file for file in files if file.kind == "model"]
    assert (model.owner, model.row_id) == ("version 1 of Plate", 1)
    assert "the image scratch/020.png" in {file.owner for file in files}


def test_a_file_that_two_rows_name_comes_once(worked):
    version = get_version(worked, 1)
    assert reslice(worked, version, 0.25).base_id == version.id
    twice = store_plates(worked, 1, first=20, scratched=True) * 2
    list(score_batch(worked, create_batch(worked, version.inspector_id, twice, "Twice"), version))
    files = kept(worked)
    assert len({file.path for file in files}) == len(files) == 18


def test_regions_and_logs_are_loose(worked):
    (worked.root / "jobs" / "99").mkdir()
    (worked.root / "jobs" / "99" / "job.log").write_text("of no job", encoding="utf-8")
    with worked.database.snapshot() as connection:
        names = [worked.relative(path) for path in loose_files(worked, connection)]
    assert [name.partition("/")[0] for name in names] == ["regions", "jobs"] and names[1] == "jobs/1/job.log"
