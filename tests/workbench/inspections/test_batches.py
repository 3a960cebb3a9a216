"""Inspecting: every image scored once and kept; a reload, a second tab and another threshold score nothing again."""

import threading

import numpy as np
import pytest
from sqlalchemy import delete

from patchcore.errors import NoImagesError
from patchcore.images.reading import read_image
from tests.workbench.parts import picture, plate, store_plates
from workbench.inspections import batches
from workbench.inspections.batches import (
    Explained,
    count_unscored,
    create_batch,
    explain,
    get_result,
    good_batch,
    list_batches,
    list_results,
    load_map,
    load_mask,
    load_pixels,
    load_tile,
    score_batch,
)
from workbench.inspectors.versions import load_model, reslice
from workbench.storage.database import WorkspaceError
from workbench.storage.pictures import original_size
from workbench.storage.tables import BatchImage, Result
from workbench.storage.workspace import Workspace


@pytest.fixture
def batch(workspace, version):
    images = store_plates(workspace, 2, first=50, truth="good")
    images += store_plates(workspace, 2, first=60, scratched=True, truth="scratch")
    return create_batch(workspace, version.inspector_id, images, "Monday")


def test_results_come_one_by_one_and_are_the_models(workspace, version, batch):
    assert count_unscored(workspace, batch, version.id) == 4
    seen = []
    for result in score_batch(workspace, batch, version):
        seen.append(result)
        assert count_unscored(workspace, batch, version.id) == 4 - len(seen)
        assert get_result(workspace, result.id).score == result.score
    model = load_model(workspace, version)
    for result in seen:
        expected = model.score(workspace.image_path(result.image.sha256))
        assert result.score == pytest.approx(expected.score, rel=1e-6)
        assert tuple(result.worst_box) == tuple(expected.worst_box)
        stored = load_map(workspace, result)
        assert np.abs(stored - expected.map).max() <= expected.map.max() / 65_000
    assert [r.image.truth for r in seen] == ["good", "good", "scratch", "scratch"]
    assert min(r.score for r in seen[2:]) > max(r.score for r in seen[:2])


def test_a_reload_finds_everything(workspace, version, batch):
    scored = list(score_batch(workspace, batch, version))
    explain(workspace, scored[3])
    again = Workspace(workspace.root)
    assert [b.id for b in list_batches(again, "plate-1")] == [batch]
    found = list_results(again, batch, version.id)
    assert [(r.id, r.score, r.image.name) for r in found] == [(r.id, r.score, r.image.name) for r in scored]
    np.testing.assert_array_equal(load_map(again, found[0]), load_map(workspace, scored[0]))
    assert found[3].explanation is not None
    assert list(score_batch(again, batch, version)) == []
    again.database.close()


def test_an_abandoned_run_goes_on_where_it_stopped(workspace, version, batch):
    run = score_batch(workspace, batch, version)
    first = next(run)
    run.close()
    rest = list(score_batch(workspace, batch, version))
    assert len(rest) == 3 and first.id not in {r.id for r in rest}


def test_two_tabs_score_every_image_once(workspace, version, batch):
    yielded = []
    threads = [
        threading.Thread(target=lambda: yielded.extend(score_batch(workspace, batch, version)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(r.id for r in yielded) == [r.id for r in list_results(workspace, batch, version.id)]
    assert len(yielded) == 4


def test_a_run_goes_on_when_another_share_is_put_into_use(workspace, version, batch):
    run = score_batch(workspace, batch, version)
    smaller = reslice(workspace, version, 0.1)
    assert [result.version_id for result in run] == [version.id] * 4
    assert len(list(score_batch(workspace, batch, smaller))) == 4


def test_an_image_that_cannot_be_read_has_a_reason_and_stops_nothing(workspace, version):
    images = [workspace.store_image(plate(70)[:700], "cut.png"), *store_plates(workspace, 1, first=71)]
    batch = create_batch(workspace, version.inspector_id, images, "b")
    broken, whole = score_batch(workspace, batch, version)
    assert broken.score is None and broken.error and whole.score is not None
    with pytest.raises(WorkspaceError, match=r"cut\.png"):
        load_map(workspace, broken)


def test_the_same_picture_under_two_names_is_two_results(workspace, version):
    image = store_plates(workspace, 1, first=80)[0]
    batch = create_batch(workspace, version.inspector_id, [image, image], "b")
    one, two = score_batch(workspace, batch, version)
    assert one.score == two.score and one.id != two.id


def test_an_explanation_is_computed_once_and_names_a_good_image(workspace, version, batch, monkeypatch):
    result = list(score_batch(workspace, batch, version))[3]
    why = explain(workspace, result)
    model = load_model(workspace, version)
    expected = model.explain(workspace.image_path(result.image.sha256))
    assert why.neighbour_sha256 == expected.neighbour_sha256
    assert why.neighbour_name.startswith("good/") and why.distance == pytest.approx(expected.distance)
    assert why.test_box == tuple(result.worst_box)
    assert Explained.from_dict(why.to_dict()) == why
    monkeypatch.setattr(batches, "load_model", None)
    assert explain(workspace, get_result(workspace, result.id)) == why


def test_map_and_picture_are_of_the_originals_pixels(workspace, version):
    wide = workspace.store_image(plate(90, side=700), "large.png")
    batch = create_batch(workspace, version.inspector_id, [wide], "b")
    (result,) = score_batch(workspace, batch, version)
    assert load_map(workspace, result).shape == load_pixels(workspace, wide.sha256).shape[:2] == (700, 700)
    whole = read_image(workspace.image_path(wide.sha256)).pixels
    np.testing.assert_array_equal(load_pixels(workspace, wide.sha256), np.rint(whole * 255).astype(np.uint8))


def test_a_tile_is_stored_when_scoring_and_made_where_it_is_absent(workspace, version, batch, monkeypatch):
    result = next(score_batch(workspace, batch, version))
    path = workspace.tile_path(result.map_path)
    stored = path.read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(batches, "load_pixels", None)  # nothing is read again
        assert load_tile(workspace, result) == stored
    path.unlink()
    assert original_size(load_tile(workspace, result)) == original_size(stored) == (64, 64)
    assert path.exists()


def with_mask(workspace, pixels):
    mask = workspace.store_image(picture(pixels), "m.png")
    image = store_plates(workspace, 1, first=60, scratched=True)[0]
    return BatchImage(sha256=image.sha256, name="part.png", mask_sha256=mask.sha256)


def test_a_mask_marks_the_pixels_that_are_not_black(workspace, version):
    marks = np.zeros((64, 64), np.uint8)
    marks[3:5, 7] = 1  # a class number, as some tools write
    np.testing.assert_array_equal(load_mask(workspace, with_mask(workspace, marks)), marks == 1)
    assert load_mask(workspace, BatchImage(sha256="a", name="b")) is None


@pytest.mark.parametrize(
    "pixels, words",
    [
        (np.eye(32, 64, dtype=np.uint8), r"part\.png: The mask is 64 × 32 but the image 64 × 64"),
        (np.tile(np.arange(64, dtype=np.uint8), (64, 1)), r"part\.png: .* as in a photograph"),
    ],
)
def test_a_mask_that_does_not_fit_raises_workspace_error(workspace, version, pixels, words):
    with pytest.raises(WorkspaceError, match=words):
        load_mask(workspace, with_mask(workspace, pixels))


def test_good_images_are_one_batch_of_a_bank_and_no_test(workspace, version):
    good = good_batch(workspace, version)
    assert good_batch(workspace, version) == good and list_batches(workspace, "plate-1") == []
    assert next(score_batch(workspace, good, version)).image.truth == "good"
    smaller = reslice(workspace, version, 0.1)
    assert smaller.id != version.id and good_batch(workspace, smaller) == good
    assert count_unscored(workspace, good, smaller.id) == 6


def test_good_images_are_scored_without_themselves(workspace, version):
    results = list(score_batch(workspace, good_batch(workspace, version), version))
    model = load_model(workspace, version)
    assert {result.image.sha256: result.score for result in results} == version.good_scores
    first = results[0]
    scored = model.score(workspace.image_path(first.image.sha256), leave_out=True)
    assert first.score == pytest.approx(scored.score, rel=1e-5)
    assert tuple(first.worst_box) == scored.worst_box
    assert np.abs(load_map(workspace, first) - scored.map).max() <= scored.map.max() / 65_000
    assert original_size(load_tile(workspace, first)) == (64, 64)
    why = explain(workspace, first)
    assert why.neighbour_sha256 != first.image.sha256
    assert why.distance == pytest.approx(first.score, rel=1e-5)


def test_a_good_image_that_is_inspected_too_keeps_both_its_maps(workspace, version):
    first, *_ = score_batch(workspace, good_batch(workspace, version), version)
    left_out, its_tile = load_map(workspace, first), load_tile(workspace, first)
    dropped = workspace.store_image(workspace.image_path(first.image.sha256), "again.png")
    (plain,) = score_batch(workspace, create_batch(workspace, "plate-1", [dropped], "Test"), version)
    assert plain.score < first.score and load_map(workspace, plain).max() < left_out.max()
    assert np.array_equal(load_map(workspace, first), left_out) and load_tile(workspace, first) == its_tile
    assert load_tile(workspace, plain) != its_tile


def test_a_good_image_alone_in_its_bank_has_a_reason_and_joins_with_a_larger_one(workspace, version):
    one_row = reslice(workspace, version, 0.0001)
    good = good_batch(workspace, one_row)
    assert one_row.patches == 1 and count_unscored(workspace, good, one_row.id) == 5
    larger = reslice(workspace, one_row, 0.5)
    assert good_batch(workspace, larger) == good and count_unscored(workspace, good, larger.id) == 6
    one_row = reslice(workspace, larger, 0.0001)
    errors = [result.error for result in score_batch(workspace, good, one_row) if result.error]
    assert len(errors) == 1 and "every row of the bank comes from this image itself" in errors[0]


def test_an_empty_batch_and_an_absent_result_raise(workspace, version):
    with pytest.raises(NoImagesError):
        create_batch(workspace, version.inspector_id, [], "b")
    with pytest.raises(WorkspaceError, match="no result 99"):
        get_result(workspace, 99)


def test_a_result_row_exists_only_with_its_map(workspace, version, batch, monkeypatch):
    monkeypatch.setattr(batches.KeptMap, "write", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        next(score_batch(workspace, batch, version))
    assert list_results(workspace, batch, version.id) == []
    with workspace.database.write() as session:
        session.execute(delete(Result))
