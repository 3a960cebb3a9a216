"""Measuring a model on a labelled set."""

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from patchcore.detector import PatchCore
from patchcore.errors import NoImagesError
from patchcore.evaluation import evaluate
from patchcore.mvtec_layout import read_layout
from patchcore.thresholds import by_hand
from tests.patchcore.conftest import stripes


@pytest.fixture(scope="module")
def product(tmp_path_factory):
    folder = tmp_path_factory.mktemp("product")
    for part in ("test/good", "test/spot", "test/unmarked", "ground_truth/spot"):
        (folder / part).mkdir(parents=True)
    for seed in range(3):
        Image.fromarray(stripes(200 + seed)).save(folder / f"test/good/{seed}.png")
        image, mask = stripes(300 + seed), np.zeros((64, 64), np.uint8)
        image[8:24, 8:24], mask[8:24, 8:24] = 255, 255
        Image.fromarray(image).save(folder / f"test/spot/{seed}.png")
        Image.fromarray(mask).save(folder / f"ground_truth/spot/{seed}_mask.png")
        Image.fromarray(image).save(folder / f"test/unmarked/{seed}.png")
    (folder / "test/good/broken.png").write_text("no image")
    Image.fromarray(mask[:9]).save(folder / "ground_truth/spot/2_mask.png")
    return folder


@pytest.fixture(scope="module")
def evaluation(model, product):
    return evaluate(model, read_layout(product))


def test_image_metrics_are_those_of_the_scores(evaluation):
    labels = [s.image.is_defect for s in evaluation.scored]
    assert labels.count(True) == 6
    assert evaluation.image.auroc == pytest.approx(
        roc_auc_score(labels, [s.score for s in evaluation.scored])
    )
    assert evaluation.image.auroc == 1.0
    assert set(evaluation.image_by_type) == {"spot", "unmarked"}


def test_pixels_are_counted_where_there_is_a_mask_of_the_right_size(evaluation):
    pixels = evaluation.pixels.result()
    assert pixels.n_images == 3 + 2
    assert pixels.n_defect_pixels == 2 * 256
    assert pixels.auroc > 0.9


def test_what_was_left_out_is_said_by_name(evaluation):
    assert len(evaluation.problems) == 2
    assert "broken.png" in evaluation.problems[0]
    assert "spot/2.png" in evaluation.problems[1]


def test_verdicts_at_the_stored_threshold(model, evaluation):
    counts = evaluation.verdicts()
    rejected = [s for s in evaluation.scored if s.score > model.threshold_]
    assert counts["good"] == 3
    assert counts["defects"] == 6
    assert counts["escapes"] == 6 - sum(s.image.is_defect for s in rejected)
    assert counts["false_rejects"] == sum(not s.image.is_defect for s in rejected)


def test_plain_values_for_machines(evaluation):
    plain = evaluation.to_dict()
    assert plain["types"]["unmarked"]["pixel"] is None
    assert plain["image"]["n_good"] == 3
    assert {row["type"] for row in plain["images"]} == {"good", "spot", "unmarked"}


def test_nothing_to_measure(model, tmp_path):
    (tmp_path / "good").mkdir()
    (tmp_path / "good/x.png").write_text("no image")
    with pytest.raises(NoImagesError, match=r"x\.png"):
        evaluate(model, read_layout(tmp_path))


def labelled(folder, **kinds):
    """A set of so many images of each kind; defects are marked by the array that is given."""
    number = 0
    for kind, (count, marks) in kinds.items():
        for _ in range(count):
            number += 1
            image = folder / f"test/{kind}/{number}.png"
            image.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(stripes(500 + number)).save(image)
            if marks is not None:
                mask = folder / f"ground_truth/{kind}/{number}_mask.png"
                mask.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(marks).save(mask)
    return read_layout(folder)


def test_grey_masks_are_read_at_mid_grey_and_said_once(model, tmp_path):
    grey = np.zeros((64, 64), np.uint8)
    grey[8:16, 8:16], grey[8:16, 16:24] = 255, 90
    found = evaluate(model, labelled(tmp_path, good=(1, None), spot=(3, grey)))
    assert found.pixels.result().n_defect_pixels == 3 * 64
    assert found.problems == [
        "3 masks have grey values (first that of test/spot/2.png); what is brighter than mid-grey was taken as marked."
    ]


def test_a_mask_that_marks_nothing_is_said_and_not_counted(model, tmp_path):
    found = evaluate(model, labelled(tmp_path, good=(1, None), spot=(1, np.zeros((64, 64), np.uint8))))
    assert found.pixels.result().n_images == 1
    assert "It marks nothing" in found.problems[0]


@pytest.mark.parametrize(
    ("kinds", "reason"),
    [({"good": (2, None)}, "labelled as a defect"), ({"spot": (2, None)}, "labelled as good")],
)
def test_sets_of_one_kind_are_scored_and_metrics_undefined_with_the_reason(model, tmp_path, kinds, reason):
    found = evaluate(model, labelled(tmp_path, **kinds))
    assert len(found.scored) == 2
    assert reason in found.image.auroc.reason
    assert found.to_dict()["image"]["auroc"] is None


def test_a_good_image_of_the_bank_is_judged_without_its_own_rows(model, good, tmp_path):
    (tmp_path / "good").mkdir()
    Image.fromarray(good[0][1]).save(tmp_path / "good/0.png")
    built = PatchCore(image_size=64, coreset=0.5).fit([tmp_path / "good/0.png", *good[1:]])
    found = evaluate(built, read_layout(tmp_path))
    assert found.scored[0].score == built.good_scores_["0.png"] > 0


def test_with_a_threshold_that_is_out_of_date_nothing_is_judged_and_it_is_said(model, product):
    hand = by_hand(1.0, model.evidence_, model.bank_id_, set_by="Ada")
    stale = model.with_operating_point(hand).with_coreset(0.1)
    found = evaluate(stale, read_layout(product))
    assert found.verdicts() is None and found.image.auroc == 1.0
    assert "No image was judged" in found.problems[0] and "by hand" in found.problems[0]
