"""Measuring a model on a labelled set."""

import math
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from patchcore.errors import NoImagesError
from patchcore.evaluation.labelled_score import LabelledScore
from patchcore.evaluation.measures import evaluate, judge, measure
from patchcore.evaluation.mvtec_layout import read_layout
from patchcore.evaluation.pixel_metrics import PixelMetrics
from patchcore.images.reading import display_pixels, read_image
from patchcore.patchcore import PatchCore
from patchcore.statistics.bootstrap import auroc_interval
from patchcore.statistics.curves import Undefined
from patchcore.thresholds.operating_point import Choice, OperatingPoint
from tests.patchcore.conftest import stripes
from tests.points import by_hand as by_hand_of


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
    (folder / "test/good/broken.png").write_text("no image", encoding="utf-8")
    Image.fromarray(mask[:9]).save(folder / "ground_truth/spot/2_mask.png")
    return folder


@pytest.fixture(scope="module")
def evaluation(model, product):
    return evaluate(model, read_layout(product))


def test_image_metrics_equal_the_metrics_of_the_scores(evaluation):
    labels = [s.is_defect for s in evaluation.scored]
    assert labels.count(True) == 6
    assert evaluation.image.auroc == pytest.approx(
        roc_auc_score(labels, [s.score for s in evaluation.scored])
    )
    assert evaluation.image.auroc == 1.0
    assert set(evaluation.image_by_type) == {"spot", "unmarked"}


def test_pixels_are_counted_where_there_is_a_mask_of_the_right_size(evaluation):
    pixels = evaluation.pixel
    assert pixels.n_images == 3 + 2
    assert pixels.n_defect_pixels == 2 * 256
    assert pixels.auroc > 0.9


def test_left_out_images_are_named(evaluation):
    assert len(evaluation.problems) == 2
    assert "broken.png" in evaluation.problems[0]
    assert "spot/2.png" in evaluation.problems[1]


def test_verdicts_at_the_stored_threshold(model, evaluation):
    counts = evaluation.verdicts()
    rejected = [s for s in evaluation.scored if s.score > model.threshold_]
    assert counts["good"] == 3
    assert counts["defects"] == 6
    assert counts["escapes"] == 6 - sum(s.is_defect for s in rejected)
    assert counts["false_rejects"] == sum(not s.is_defect for s in rejected)


def test_plain_values_for_machines(evaluation):
    plain = evaluation.to_dict()
    assert plain["types"]["unmarked"]["pixel"] is None
    assert plain["image"]["n_good"] == 3
    assert {row["type"] for row in plain["images"]} == {"good", "spot", "unmarked"}


def test_measuring_without_scores_raises_no_images_error(model, tmp_path):
    (tmp_path / "good").mkdir()
    (tmp_path / "good/x.png").write_text("no image", encoding="utf-8")
    with pytest.raises(NoImagesError, match=r"x\.png"):
        evaluate(model, read_layout(tmp_path))


def test_measuring_stored_scores_equals_scoring_and_measuring(model, product, evaluation):
    items, maps = [], {}
    for image in read_layout(product):
        if image.path.name == "broken.png":
            continue
        result = model.score(image.path)
        maps[image.name] = result.map

        def load(image=image):
            marks = image.mask((64, 64))
            return None if marks is None else marks.pixels

        items.append(
            LabelledScore(
                image.name, image.defect_type, result.score, lambda n=image.name: maps[n], load, list
            )
        )
    reported = []
    found = measure(items, progress=lambda *at: reported.append(at), point=model.operating_point_)
    assert found.to_dict() | {"problems": []} == evaluation.to_dict() | {"problems": []}
    assert found.problems == evaluation.problems[1:]
    assert reported == [(done, 9) for done in range(1, 10)]


def test_maps_and_pictures_can_be_read_again_after_scoring(model, product, evaluation):
    item = evaluation.scored[0]
    path = product / item.name
    assert np.array_equal(item.load_map(), model.score(path).map)
    assert np.array_equal(item.load_pixels(), display_pixels(read_image(path).pixels))


# From here on: scores by hand, with maps that say which of them are looked at.

MARK = np.zeros((8, 8), bool)
MARK[2:4, 2:4] = True


def item(name, kind, score, *, peak=None, mask=None):
    def load_map():
        READ.append(name)
        values = np.full((8, 8), 0.5, np.float32)
        values[2:4, 2:4] = score if peak is None else peak
        return values

    return LabelledScore(name, kind, score, load_map, lambda: mask, lambda: np.zeros((8, 8, 3), np.uint8))


READ: list[str] = []


def by_hand():
    READ.clear()
    return [
        item("g1", "good", 1.0),
        item("g2", "good", 2.5),
        item("g3", "good", 3.5),
        item("g4", "good", 4.0),
        item("b1", "bent", 1.5, mask=MARK),
        item("b2", "bent", 3.8, mask=MARK),
        item("b3", "bent", 9.0, mask=MARK),
        item("c1", "cut", 2.8),
        item("c2", "cut", 0.5),
    ]


def point(accept=2.0, reject=3.0, **changes):
    values = {"bank_id": "b", "statement": "", "set_by": "Ada", "set_at": "2025-01-01T09:00:00+00:00"}
    return OperatingPoint(accept, reject, Choice("by_hand"), **(values | changes))


def test_rows_by_type_by_hand():
    bent, cut = measure(by_hand(), point=point()).by_type()
    assert (bent.defect_type, bent.count, bent.caught, bent.in_review, bent.escaped) == ("bent", 3, 2, 0, 1)
    assert (cut.defect_type, cut.count, cut.caught, cut.in_review, cut.escaped) == ("cut", 2, 0, 1, 1)
    assert bent.auroc == pytest.approx((1 + 3 + 4) / 12)
    assert cut.auroc == pytest.approx((2 + 0) / 8)
    assert (bent.worst_name, bent.worst_score, cut.worst_name) == ("b1", 1.5, "c2")
    naive = PixelMetrics()
    for one in by_hand()[:7]:
        naive.add(one.load_map(), one.load_mask())
    assert bent.aupro == pytest.approx(naive.result().aupro)
    assert isinstance(cut.aupro, Undefined) and "mask" in cut.aupro.reason
    assert cut.to_dict()["aupro"] is None


def test_misses_and_false_rejects_come_worst_first():
    found = measure(by_hand(), point=point())
    assert [one.name for one in found.misses()] == ["c2", "b1"]
    assert [one.name for one in found.false_rejects()] == ["g4", "g3"]
    counts = found.counts
    assert (counts.good, counts.false_rejects, counts.good_in_review) == (4, 2, 1)
    assert (counts.defects, counts.caught, counts.defects_in_review, counts.escapes) == (5, 2, 1, 2)
    assert counts.false_reject_rate.interval == pytest.approx((0.0676, 0.9324), abs=1e-4)
    assert counts.escape_rate.value == 2 / 5


def test_the_interval_of_the_auroc_is_the_stratified_bootstrap():
    found = measure(by_hand())
    assert found.auroc_interval == auroc_interval([1.0, 2.5, 3.5, 4.0], [1.5, 3.8, 9.0, 2.8, 0.5])
    lone = measure(by_hand()[3:])
    assert isinstance(lone.auroc_interval, Undefined)
    assert found.counts is None and found.verdicts() is None and found.misses() == []


def test_other_thresholds_need_no_map():
    found = measure(by_hand(), point=point())
    READ.clear()
    moved = judge(found, point(0.9, 1.2))
    assert READ == []
    assert [one.name for one in moved.misses()] == ["c2"]
    again = measure(by_hand(), point=point(0.9, 1.2)).to_dict()
    assert moved.to_dict() == again
    assert judge(found, None).counts is None
    stale = judge(found, point().outdated("The bank changed."))
    assert stale.counts is None
    assert stale.unjudged == ["Nothing is judged: the threshold is out of date. The bank changed."]


def test_judging_by_area_reads_every_map_once():
    found = measure(by_hand())
    READ.clear()
    area = judge(found, point(pixel=2.0, min_area=4, judge_by="area"))
    assert sorted(READ) == sorted(one.name for one in found.scored)
    assert [one.name for one in area.false_rejects()] == ["g4", "g3", "g2"]
    both = judge(found, point(pixel=3.6, min_area=4, judge_by="both"))
    assert {one.name: one.verdict for one in both.scored}["g3"] == "review"


def test_curves_are_marked_where_the_operating_point_lies():
    curves = measure(by_hand(), point=point(pixel=2.0)).curves()
    assert curves["roc"].place == (2 / 4, 2 / 5)
    assert curves["roc"].place == curves["roc"].curve.at(3.0)
    assert curves["precision_recall"].place == (2 / 5, 2 / 4)
    false_alarms = 3 * 4 / (4 * 64 + 3 * 60)
    assert curves["pro"].place == (pytest.approx(false_alarms), pytest.approx(2 / 3))
    bare = measure(by_hand()).curves()
    assert bare["roc"].place is None and bare["pro"].place is None
    nothing = measure(by_hand(), point=point(50.0, 60.0)).curves()
    assert nothing["roc"].place == (0, 0) and nothing["precision_recall"].place is None


@pytest.mark.parametrize(
    ("mask", "sentence"),
    [
        (np.zeros((3, 9), bool), "9 × 3"),
        (OSError("gone"), "gone"),
    ],
)
def test_bad_mask_is_named_and_the_others_counted(mask, sentence):
    def load():
        if isinstance(mask, Exception):
            raise mask
        return mask

    items = by_hand()
    items[4] = replace(items[4], name="b\n1", load_mask=load)
    found = measure(items)
    assert len(found.problems) == 1
    assert found.problems[0].startswith("b\\n1: its mask was not counted.") and sentence in found.problems[0]
    assert found.image.n_defect == 5 and found.pixel.n_images == 4 + 2


def test_nan_score_is_left_out_and_nan_map_not_counted():
    items = [
        *by_hand(),
        item("nan", "bent", math.nan),
        item("inf", "good", math.inf),
        item("holes", "good", 1.0, peak=math.nan),
    ]
    found = measure(items)
    assert [problem.split(":")[0] for problem in found.problems] == ["nan", "inf", "holes"]
    assert len(found.scored) == 10
    with pytest.raises(NoImagesError, match="nan"):
        measure(items[9:10])
    with pytest.raises(NoImagesError):
        measure([])


def test_missing_map_leaves_only_its_own_image_unjudged():
    def gone():
        raise FileNotFoundError("no map")

    items = by_hand()
    items[0] = replace(items[0], load_map=gone)
    found = measure(items, point=point(pixel=2.0, judge_by="area"))
    assert found.scored[0].verdict is None and found.counts.good == 3
    assert found.unjudged[0].startswith("g1: not judged")


@pytest.mark.parametrize("kept", ["good", "bent"])
def test_a_set_of_one_kind_has_no_curves_and_says_why(kept):
    found = measure([one for one in by_hand() if one.defect_type == kept], point=point())
    assert isinstance(found.image.auroc, Undefined)
    assert isinstance(found.curves()["roc"], Undefined)
    assert isinstance(found.curves()["pro"], Undefined) == (kept == "good")
    assert isinstance(
        found.counts.escape_rate.interval if kept == "good" else found.counts.false_reject_rate.interval,
        Undefined,
    )


def test_equal_scores_throughout():
    found = measure([item("g", "good", 2.0), item("b", "bent", 2.0)], point=point(2.0, 2.0))
    assert found.image.auroc == 0.5
    assert (found.counts.escapes, found.counts.false_rejects) == (1, 0)


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
    assert found.pixel.n_defect_pixels == 3 * 64
    assert found.problems == [
        "3 masks have grey values; pixels brighter than half of the brightest in their place were taken as marked "
        "(first: test/spot/2.png)."
    ]


def test_empty_mask_is_named_and_not_counted(model, tmp_path):
    found = evaluate(model, labelled(tmp_path, good=(1, None), spot=(1, np.zeros((64, 64), np.uint8))))
    assert found.pixel.n_images == 1
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


def test_stale_threshold_judges_no_image_and_says_so(model, product):
    hand = by_hand_of(1.0, model.evidence_, model.bank_id_, set_by="Ada")
    stale = model.with_operating_point(hand).with_coreset(0.1)
    found = evaluate(stale, read_layout(product))
    assert found.verdicts() is None and found.image.auroc == 1.0
    assert found.unjudged[0].startswith("Nothing is judged") and "by hand" in found.unjudged[0]
