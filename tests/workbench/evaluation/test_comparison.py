"""Comparing: the same images, paired; and the ones on which verdicts differ."""

import pytest

from patchcore.statistics.bootstrap import auroc_difference
from patchcore.statistics.curves import Undefined
from patchcore.thresholds.operating_point import OperatingPoint
from tests.points import by_hand
from tests.workbench.parts import SMALL, build_small, store_plates
from workbench.evaluation.comparison import compare
from workbench.inspections.batches import create_batch, score_batch
from workbench.inspectors.building import BuildSettings, build
from workbench.inspectors.versions import reslice, set_operating_point
from workbench.tuning.evidence import known_images


@pytest.fixture
def batch(workspace, version):
    images = store_plates(workspace, 3, first=50, truth="good")
    images += store_plates(workspace, 3, first=60, scratched=True, truth="scratch")
    images += store_plates(workspace, 1, first=70)
    return create_batch(workspace, version.inspector_id, images, "Monday")


def scored(workspace, batch, *versions):
    for version in versions:
        list(score_batch(workspace, batch, version))


def with_threshold(workspace, version, value):
    now = OperatingPoint.from_dict(version.operating_point)
    point = by_hand(value, now.evidence, now.bank_id, set_by="", picture_check=False)
    return set_operating_point(workspace, version, point)


def test_two_sizes_of_a_bank_are_compared_pair_by_pair(workspace, version, batch):
    scored(workspace, batch, version)
    small = reslice(workspace, version, 0.05)
    scored(workspace, batch, small)
    found = compare(workspace, batch, version, small)
    sides = [
        [one for one in known_images(workspace, v, batch) if one.source == "test"] for v in (version, small)
    ]
    by_truth = [
        tuple([one.score for one in side if one.truth == truth] for truth in ("good", "scratch"))
        for side in sides
    ]
    assert (found.difference, found.interval) == auroc_difference(*by_truth)
    assert (found.n_good, found.n_defect) == (3, 3)
    assert found.first_auroc - found.second_auroc == pytest.approx(found.difference)


def test_images_with_different_verdicts_are_listed(workspace, version, batch):
    other = build_small(workspace, 7, "plate-2")
    scored(workspace, batch, version, other)
    keen, blind = with_threshold(workspace, version, 0.0), with_threshold(workspace, other, 1e9)
    found = compare(workspace, batch, keen, blind)
    assert [(one.first.truth, one.right) for one in found.disagreements] == [
        *[("good", "second")] * 3,
        *[("scratch", "first")] * 3,
        (None, ""),
    ]
    assert {(one.first_verdict, one.second_verdict) for one in found.disagreements} == {("reject", "accept")}
    assert compare(workspace, batch, keen, keen).disagreements == []


def test_images_count_if_both_have_scored_and_neither_was_built_from_them(workspace, version, batch):
    good = store_plates(workspace, 3, first=48)  # the plate 50 is in this bank
    other = build(workspace, BuildSettings(name="Other", **SMALL), good, inspector_id="plate-2")
    scoring = score_batch(workspace, batch, version)
    for _ in range(5):
        next(scoring)
    scoring.close()
    scored(workspace, batch, other)
    found = compare(workspace, batch, version, other)
    assert (found.n_good, found.n_defect) == (2, 2)


def test_a_set_without_defects_has_no_difference(workspace, version):
    batch = create_batch(workspace, "plate-1", store_plates(workspace, 2, first=50, truth="good"), "b")
    scored(workspace, batch, version)
    found = compare(workspace, batch, version, version)
    assert isinstance(found.difference, Undefined) and isinstance(found.first_auroc, Undefined)
    assert isinstance(found.interval, Undefined)
