"""Outcomes: verdicts on hand-made images, counted by hand, with the intervals of Clopper and Pearson."""

import math
from dataclasses import replace

import numpy as np
import pytest

from patchcore.errors import SettingsError
from patchcore.intervals import clopper_pearson
from patchcore.operating_point import Choice, OperatingPoint
from workbench.evidence import Known
from workbench.map_files import read_map, write_map
from workbench.outcomes import changes, outcome_counts, verdict_of

POINT = OperatingPoint(
    accept=2.0, reject=4.0, rule=Choice("by_hand"), bank_id="b", statement="", set_by="", set_at=""
)


def image(score, truth=None, source="test", map_path=None):
    return Known(f"{score}{truth}", f"{score}", "a.png", score, source, truth, None, map_path)


KNOWN = [
    image(1.0, "good", "leave-one-out"),
    image(2.0, "good"),
    image(3.0, "good"),
    image(4.5, "good"),
    image(1.5, "scratch"),
    image(3.5, "scratch"),
    image(4.0, "dent"),
    image(9.0, "dent"),
    image(5.0, "dent"),
    image(3.0),
]


def test_verdicts_are_counted_by_what_is_known():
    counts = outcome_counts(KNOWN, POINT)
    found = {"good": counts.good, **counts.defects, "?": counts.unlabelled, "all": counts.defect}
    assert {kind: (v.accepted, v.review, v.rejected, v.total) for kind, v in found.items()} == {
        "good": (2, 1, 1, 4),
        "dent": (0, 1, 2, 3),
        "scratch": (1, 1, 0, 2),
        "?": (0, 1, 0, 1),
        "all": (1, 2, 2, 5),
    }
    assert (counts.false_reject_rate, counts.escape_rate) == (0.25, 0.2)
    assert counts.false_reject_interval == clopper_pearson(1, 4)
    assert counts.escape_interval == clopper_pearson(1, 5)


def test_nothing_known_has_no_rates():
    counts = outcome_counts([], POINT)
    assert counts.false_reject_rate is counts.false_reject_interval is None
    assert counts.escape_rate is counts.escape_interval is None


def test_what_changes_is_what_gets_another_verdict():
    after = replace(POINT, accept=1.2, reject=3.2)
    assert [one.score for one in changes(KNOWN, POINT, after)] == [2.0, 1.5, 3.5, 4.0]
    assert changes(KNOWN, POINT, POINT) == []


def test_stale_thresholds_are_refused():
    with pytest.raises(SettingsError, match="out of date"):
        outcome_counts(KNOWN, POINT.outdated("The bank changed."))


@pytest.mark.parametrize("judge_by", ["area", "both"])
@pytest.mark.parametrize("min_area", [1, 5, 9, 10_000])
def test_judging_by_area_is_judging_by_the_regions_of_the_map(tmp_path, judge_by, min_area):
    rng = np.random.default_rng(min_area)
    for number in range(6):
        path = tmp_path / f"{min_area}{judge_by}{number}.png"
        write_map(path, rng.random((12, 14), np.float32) * 5)
        stored = read_map(path)
        for pixel in (
            0.0,
            2.5,
            float(stored.max()),
            float(np.sort(stored.ravel())[-7]),
            math.nextafter(4, 0),
        ):
            point = replace(POINT, judge_by=judge_by, pixel=pixel, min_area=min_area)
            for score in (1.0, 3.0, 5.0):
                one = replace(image(score), key=path.name, map_path=path)
                assert verdict_of(one, point) == point.judge(score, point.regions(stored))


def test_an_image_without_a_map_is_not_judged_by_one():
    counts = outcome_counts(KNOWN[:2], replace(POINT, judge_by="area", pixel=1.0))
    assert (counts.good.total, counts.good.unjudged) == (0, 2)
