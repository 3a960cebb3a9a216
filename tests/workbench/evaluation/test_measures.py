"""Measures from stored scores and maps equal those of a new scoring; images left out are named."""

import numpy as np
import pytest

from patchcore.errors import NoImagesError
from patchcore.evaluation.measures import evaluate, judge
from patchcore.evaluation.mvtec_layout import LabelledImage
from patchcore.patchcore import PatchCore
from patchcore.statistics.curves import Undefined
from patchcore.thresholds.operating_point import OperatingPoint
from tests.points import by_hand
from tests.workbench.parts import picture, plate, scratch_mask, store_plates
from workbench.evaluation.measures import evaluation_of, labelled_scores
from workbench.inspections.batches import create_batch, list_results, score_batch
from workbench.inspectors.versions import load_model
from workbench.storage.tables import BatchImage
from workbench.storage.workspace import NamedImage


def batch_of(workspace, version, mask=None, more=()):
    images = store_plates(workspace, 3, first=50, truth="good")
    sha256 = None if mask is None else workspace.store_image(mask, "mask.png").sha256
    images += [
        NamedImage(image.sha256, image.name, "scratch", sha256)
        for image in store_plates(workspace, 3, first=60, scratched=True)
    ]
    return create_batch(workspace, version.inspector_id, [*images, *more], "Monday")


@pytest.fixture
def masked(workspace, version):
    batch = batch_of(workspace, version, scratch_mask())
    list(score_batch(workspace, batch, version))
    return batch


def test_measures_from_stored_scores_equal_a_new_scoring(workspace, version, masked, tmp_path, monkeypatch):
    (tmp_path / "m.png").write_bytes(scratch_mask())
    images = [
        LabelledImage(
            workspace.image_path(item.result.image.sha256),
            item.name,
            item.defect_type,
            tmp_path / "m.png" if item.is_defect else None,
        )
        for item in labelled_scores(workspace, version, list_results(workspace, masked, version.id))
    ]
    point = OperatingPoint.from_dict(version.operating_point)
    expected = evaluate(load_model(workspace, version).with_operating_point(point), images)
    monkeypatch.setattr(PatchCore, "score", None)
    steps = []
    found = evaluation_of(workspace, masked, version, lambda *step: steps.append(step))
    assert found.image == expected.image and found.verdicts() == expected.verdicts()
    assert [item.score for item in found.scored] == pytest.approx([item.score for item in expected.scored])
    assert found.pixel.auroc == pytest.approx(expected.pixel.auroc, abs=1e-4)
    assert found.pixel.aupro == pytest.approx(expected.pixel.aupro, abs=1e-3)
    assert (found.pixel.n_defect_pixels, found.problems) == (3 * 288, [])
    assert steps == [(done, 6) for done in range(1, 7)]


def test_other_thresholds_are_applied_without_a_map(workspace, version, masked, monkeypatch):
    found = evaluation_of(workspace, masked, version)
    now = OperatingPoint.from_dict(version.operating_point)
    monkeypatch.setattr("workbench.inspections.batches.read_map", None)
    everything = judge(found, by_hand(0.0, now.evidence, now.bank_id, set_by=""))
    assert (everything.counts.false_rejects, everything.counts.caught) == (3, 3)
    assert all(item.result.image.name == item.name for item in everything.false_rejects())


def test_a_set_without_masks_is_measured_and_no_map_is_read(workspace, version, monkeypatch):
    batch = batch_of(workspace, version)
    list(score_batch(workspace, batch, version))
    monkeypatch.setattr("workbench.inspections.batches.read_map", None)
    found = evaluation_of(workspace, batch, version)
    assert found.image.auroc == 1.0 and isinstance(found.pixel.auroc, Undefined) and not found.problems


def test_a_mask_of_another_size_becomes_a_problem_and_the_rest_goes_on(workspace, version, masked):
    item = labelled_scores(workspace, version, list_results(workspace, masked, version.id))[3]
    small = workspace.store_image(picture(np.eye(9, 12, dtype=np.uint8)), "s.png").sha256
    with workspace.database.write() as session:
        session.get_one(BatchImage, item.result.image.id).mask_sha256 = small
    found = evaluation_of(workspace, masked, version)
    assert found.problems == [
        "scratch/060.png: its mask was not counted. The mask is 12 × 9 but the image 64 × 64; it needs the "
        "image's size or its proportions."
    ]
    assert found.pixel.n_defect_pixels == 2 * 288


def test_images_left_out_are_named_with_the_reason(workspace, version):
    more = [
        *store_plates(workspace, 2, first=70),
        *store_plates(workspace, 1, first=0, truth="good"),
        workspace.store_image(plate(80)[:500], "cut.png", truth="good"),
        *store_plates(workspace, 1, first=90, truth="good"),
    ]
    batch = batch_of(workspace, version, more=more)
    scoring = score_batch(workspace, batch, version)
    for _ in range(10):
        next(scoring)
    scoring.close()
    found = evaluation_of(workspace, batch, version)
    assert len(found.scored) == 6 and found.problems[0].startswith("cut.png: left out. ")
    assert found.problems[1:] == [
        "1 image not scored yet.",
        "2 images left out for want of a label.",
        "1 image left out: part of the bank, so that a score says nothing.",
    ]


def test_a_batch_without_labels_raises_no_images_error(workspace, version):
    batch = create_batch(workspace, version.inspector_id, store_plates(workspace, 2, first=70), "b")
    with pytest.raises(NoImagesError, match="no labelled image with a score.*2 images not scored yet"):
        evaluation_of(workspace, batch, version)
