"""Operating points from elsewhere: ours pass, and no part that is another's does."""

import json
import math

import pytest

from patchcore.errors import DataError, SettingsError
from patchcore.files.point_rules import check_point
from patchcore.files.value_rules import Unsound
from patchcore.thresholds.decision import decide
from patchcore.thresholds.operating_point import (
    ADDED,
    LARGEST_SCORE,
    LEAST_THRESHOLD,
    Choice,
    Evidence,
    OperatingPoint,
)
from tests.points import by_hand

ONE, TWO = "a" * 64, "b" * 64
GOOD = Evidence({ONE: 1.0, TWO: 2.5}, {"c" * 64: 4.0}, {ONE: 0.5, TWO: 0.7})


def plain(**changes):
    point = by_hand(3.0, GOOD, "0123456789abcdef", set_by="Ada", accept=2.0, pixel=2.5, judge_by="both")
    return json.loads(json.dumps(point.to_dict())) | changes


@pytest.mark.parametrize(
    "point",
    [
        plain(),
        plain(accept=0, reject=LARGEST_SCORE),
        plain(accept=LEAST_THRESHOLD, reject=LEAST_THRESHOLD),
        plain(pixel=None, pixel_rule=None, judge_by="score", accept_rule=None),
        plain(millimetres_per_pixel=0.05, min_area=10**9, stale="Long ago.", note="x\u00a0\u200dy\n"),
        decide(Choice("provisional"), GOOD, "0123456789abcdef", set_by="Ada").to_dict(),
        decide(
            Choice("no_escapes"), Evidence({}, {ONE: 0.0}), "0123456789abcdef", set_by="Ada"
        ).to_dict(),  # rejects all
    ],
)
def test_values_of_this_program_are_sound(point):
    check_point(point)
    assert OperatingPoint.from_dict(point).to_dict() == point


NO_NUMBERS = (1e13, 1e300, -1e-300, -1, math.nan, math.inf, -math.inf, 10**400, True, False, "1", [1], None)
CHANGES = [
    *({"accept": value} for value in NO_NUMBERS),
    *({"reject": value} for value in NO_NUMBERS),
    *({"pixel": value} for value in NO_NUMBERS if value is not None),
    *({"millimetres_per_pixel": value} for value in (-1, math.nan, math.inf, True, "1")),
    *({"min_area": value} for value in (0, -1, True, 1.0, "1", None, 10**30)),
    *({"bank_id": value} for value in ("", "../../x", "A" * 16, 7, None)),
    *({"judge_by": value} for value in ("eye", "", None, True, ["score"])),
    *(
        {"rule": value}
        for value in (None, [], "by_hand", {}, {"name": "by_hand"}, {"name": "x", "parameters": {}})
    ),
    *({"rule": {"name": "by_hand", "parameters": {"value": value}}} for value in NO_NUMBERS),
    *({"evidence": {"good": {ONE: value}, "defect": {}, "map_peaks": {}}} for value in NO_NUMBERS),
    *({"evidence": {"good": {}, "defect": {ONE: value}, "map_peaks": {}}} for value in NO_NUMBERS),
    *({"evidence": {"good": {}, "defect": {}, "map_peaks": {ONE: value}}} for value in NO_NUMBERS),
    {"evidence": {"good": {"../x": 1.0}, "defect": {}, "map_peaks": {}}},
    {"evidence": {"good": [1.0], "defect": {}, "map_peaks": {}}},
    {"evidence": {}},
    {"evidence": None},
    {"accept": 4.0},
    {"pixel": None},
    {"set_at": "yesterday"},
    {"recalibrated_at": 7},
    {"stale": 0},
    {"note": None},
]


@pytest.mark.parametrize("changes", CHANGES, ids=lambda changes: ascii(changes)[:60])
def test_parts_of_another_kind_are_refused(changes):
    with pytest.raises(Unsound):
        check_point(plain(**changes))


@pytest.mark.parametrize("point", [None, [], "x", 7, {}, {"reject": 2}, dict.fromkeys(map(str, range(99)))])
def test_other_values_than_points_are_unsound(point):
    with pytest.raises(Unsound):
        check_point(point)


@pytest.mark.parametrize(
    "part", sorted(plain().keys() - ADDED.keys())
)  # parts that points of earlier programs lack
def test_a_point_that_lacks_a_part_is_not_sound(part):
    whole = plain()
    del whole[part]
    with pytest.raises(Unsound, match=f"has no {part.replace('_', ' ')}"):
        check_point(whole)


def test_a_stored_map_may_be_empty():
    empty = plain(evidence={"good": {}, "defect": {}, "map_peaks": {ONE: -math.inf}})
    check_point(empty, empty_maps=True)
    assert OperatingPoint.from_dict(empty).evidence.map_peaks == {ONE: -math.inf}
    with pytest.raises(Unsound):
        check_point(empty)
    with pytest.raises(Unsound):
        check_point(
            plain(evidence={"good": {ONE: -math.inf}, "defect": {}, "map_peaks": {}}), empty_maps=True
        )


@pytest.mark.parametrize("value", [1e13, 1e300, -0.001, -1, math.inf])
def test_impossible_threshold_can_be_neither_set_nor_read(value):
    with pytest.raises(SettingsError, match="threshold lies between 0 and 1e|is a number"):
        by_hand(value, GOOD, "0123456789abcdef", set_by="Ada", accept=min(value, 0) or None)
    for name in ("accept", "reject", "pixel"):
        with pytest.raises(DataError, match="damaged"):
            OperatingPoint.from_dict(plain(**{name: value}))


@pytest.mark.parametrize("value", [True, "1", math.nan, math.inf, None, [1], 10**400])
def test_impossible_scores_and_parameters_are_refused(value):
    for changes in (
        {"evidence": {"good": {ONE: value}, "defect": {}, "map_peaks": {}}},
        {"rule": {"name": "by_hand", "parameters": {"value": value}}},
        {"accept": value},
    ):
        with pytest.raises(DataError, match="damaged"):
            OperatingPoint.from_dict(plain(**changes))
