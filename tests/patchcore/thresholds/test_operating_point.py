import json
import math

import numpy as np
import pytest

from patchcore.errors import DataError, SettingsError
from patchcore.maps.regions import Region
from patchcore.thresholds.operating_point import Choice, Evidence, OperatingPoint


def point(**changes) -> OperatingPoint:
    values = {
        "accept": 2.0,
        "reject": 3.0,
        "rule": Choice("from_good", {"budget": 0.005}),
        "bank_id": "bank-1",
        "statement": "Promises nothing.",
        "set_by": "Ada",
        "set_at": "2025-01-01T09:00:00+00:00",
    }
    return OperatingPoint(**{**values, **changes})


def spot(area: int) -> Region:
    return Region(area, (0, 0, area, 1), 9.0, (0.0, 0.0))


def test_score_on_the_threshold_is_not_above_it():
    judged = [point().verdict(score) for score in (0.0, 2.0, 2.01, 3.0, 3.01, math.inf)]
    assert judged == ["accept", "accept", "review", "review", "reject", "reject"]
    assert point(accept=3.0).verdict(3.0) == "accept"
    with pytest.raises(DataError, match="not a number"):
        point().verdict(math.nan)


def test_accepted_images_stay_cool_and_heat_begins_where_review_does():
    assert point().heat_from == 2.0
    assert point(accept=3.0).heat_from == 3.0
    assert point(pixel=2.5).heat_from == 2.5


@pytest.mark.parametrize(
    ("judge_by", "score", "area", "expected"),
    [
        ("score", 4.0, 0, "reject"),
        ("score", 1.0, 9, "accept"),
        ("area", 4.0, 4, "accept"),
        ("area", 1.0, 5, "reject"),
        ("both", 4.0, 5, "reject"),
        ("both", 4.0, 4, "review"),
        ("both", 1.0, 5, "review"),
        ("both", 2.5, 5, "review"),
        ("both", 2.5, 4, "review"),
        ("both", 1.0, 4, "accept"),
    ],
)
def test_judging_by_score_area_or_both(judge_by, score, area, expected):
    decided = point(judge_by=judge_by, pixel=3.0, min_area=5)
    assert decided.judge(score, [spot(area)] if area else []) == expected


def test_a_verdict_without_a_map_is_by_score_alone_and_refused_where_regions_count():
    for score in (1.0, 2.5, 4.0):
        for doubtful in (False, True):
            assert point().judge_by_peak(score, None, doubtful=doubtful) == point().judge(
                score, (), doubtful=doubtful
            )
    for judge_by in ("area", "both"):
        with pytest.raises(DataError, match="needs the image's map"):
            point(judge_by=judge_by, pixel=2.5).judge_by_peak(1.0, None)


def test_regions_of_a_map():
    scores = np.zeros((6, 6), np.float32)
    scores[1:3, 1:3], scores[5, 5] = 4.0, 8.0
    assert [part.area for part in point(pixel=3.0, min_area=2).regions(scores)] == [4]
    assert point().regions(scores) == []


def test_stale_or_foreign_thresholds_are_refused():
    stale = point().outdated("The coreset was changed.")
    for use in (
        lambda: stale.verdict(1.0),
        lambda: stale.regions(np.zeros((2, 2), np.float32)),
        lambda: stale.check_bank("bank-1"),
    ):
        with pytest.raises(SettingsError, match=r"coreset was changed\. Set it again"):
            use()
    point().check_bank("bank-1")
    with pytest.raises(SettingsError, match="another bank"):
        point().check_bank("bank-2")


def test_round_trip_through_json():
    full = point(
        evidence=Evidence({"a1": 1.0, "b2": 2.5}, {"c3": 4.0}, {"a1": 0.5}),
        accept_rule=Choice("from_good", {"budget": 0.05}),
        pixel=2.5,
        pixel_rule=Choice("provisional"),
        min_area=7,
        millimetres_per_pixel=0.1,
        judge_by="both",
        note="after the lamp was changed",
    )
    for one in (full, point()):
        assert OperatingPoint.from_dict(json.loads(json.dumps(one.to_dict()))) == one


@pytest.mark.parametrize(
    "damage", [{"rule": None, "accept": None}, {"rule": "x"}, {"evidence": {}}, {"reject": "y"}]
)
def test_damaged_records_are_refused(damage):
    with pytest.raises(DataError, match="damaged"):
        OperatingPoint.from_dict(point().to_dict() | damage)
    plain = point().to_dict()
    del plain["bank_id"]
    with pytest.raises(DataError, match="bank_id"):
        OperatingPoint.from_dict(plain)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"accept": 4.0}, "above the reject"),
        ({"reject": math.nan}, "must be a number"),
        ({"judge_by": "eye"}, "by 'eye'"),
        ({"judge_by": "area"}, "needs a pixel threshold"),
        ({"min_area": 0}, "at least 1 pixel"),
    ],
)
def test_impossible_points_are_refused(changes, word):
    with pytest.raises(SettingsError, match=word):
        point(**changes)
