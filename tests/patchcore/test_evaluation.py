"""Measuring a model on a labelled set."""

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from patchcore.errors import NoImagesError
from patchcore.evaluation import evaluate
from patchcore.mvtec_layout import read_layout
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
