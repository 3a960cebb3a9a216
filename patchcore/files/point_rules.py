"""Rules for an operating point that somebody else wrote, in an inspector's file or in a row of a backup."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, get_args

from patchcore.files.value_rules import (
    MOST_IMAGES,
    SHA256,
    Unsound,
    mapping,
    match,
    moment,
    number,
    or_none,
    text,
    whole,
    yes_or_no,
)
from patchcore.thresholds.operating_point import ADDED, LARGEST_SCORE, LEAST_THRESHOLD, JudgeBy
from patchcore.thresholds.rules import RULES

LARGEST_AREA = 10**18  # pixels
LARGEST_SCALE = 1e12  # millimetres per pixel
BANK = re.compile(r"[0-9a-f]{8,64}")
LONGEST_RULE, LONGEST_TEXT = 100, 100_000  # characters; a note contains the earlier notes


def check_point(point: Any, *, empty_maps: bool = False) -> None:
    """Check every part of an operating point, in the form of `OperatingPoint.to_dict`.

    Parameters
    ----------
    empty_maps
        Whether the peak of a map may be minus infinity, as for a map smaller than the smallest region.

    Raises
    ------
    Unsound
        A part holds an impossible value; the message names the part.
    """
    point = {**ADDED, **mapping(point, "the operating point", 50)}
    for name, check in _PARTS.items():
        if name not in point:
            raise Unsound(f"the operating point has no {name.replace('_', ' ')}")
        check(point[name], name.replace("_", " "))
    if "evidence" not in point:
        raise Unsound("the operating point has no evidence")
    _evidence(point["evidence"], empty_maps)
    if point["accept"] > point["reject"]:
        raise Unsound("the threshold accept is above the threshold reject")
    if point["judge_by"] != "score" and point["pixel"] is None:
        raise Unsound("images are judged by area without a threshold pixel")


def check_score(value: Any, what: str) -> None:
    """Check a score: a distance between features."""
    number(value, what, 0, LARGEST_SCORE)


def check_threshold(value: Any, what: str) -> None:
    """Check a threshold for scores."""
    number(value, what, LEAST_THRESHOLD, LARGEST_SCORE)


def check_scores(scores: Any, what: str, *, empty_maps: bool = False) -> None:
    """Check scores by the SHA-256 of their images; `empty_maps` is as for `check_point`."""
    for sha256, score in mapping(scores, what, MOST_IMAGES).items():
        match(sha256, SHA256, f"an image of {what}")
        if not (empty_maps and score == -math.inf):
            check_score(score, f"a score of {what}")


def check_rule(rule: Any, what: str) -> None:
    """Check the rule that set a threshold, and its parameters."""
    mapping(rule, f"the {what}", 10)
    name = text(rule.get("name"), f"the name of the {what}", LONGEST_RULE)
    if name not in RULES:
        raise Unsound(f"its threshold was set by a rule that this program does not know, {name!r}; update it")
    for parameter, value in mapping(rule.get("parameters"), f"the parameters of the {what}", 20).items():
        if parameter not in RULES[name].parameters:
            raise Unsound(f"the rule {name} has no parameter {parameter[:LONGEST_RULE]!r}")
        check_threshold(value, f"the parameter {parameter} of the {what}")


def _evidence(evidence: Any, empty_maps: bool) -> None:
    parts = mapping(evidence, "the operating point's evidence", 10)
    for name in ("good", "defect", "map_peaks"):
        check_scores(
            parts.get(name), "the operating point's evidence", empty_maps=empty_maps and name == "map_peaks"
        )
    check_scores(parts.get("unseen", {}), "the operating point's evidence")
    sessions = mapping(parts.get("sessions", {}), "the sessions of the evidence", MOST_IMAGES)
    if sessions.keys() != parts.get("unseen", {}).keys():
        raise Unsound("the sessions of the evidence do not belong to its scores")
    for name in sessions.values():
        text(name, "the name of a session", LONGEST_RULE)


def _threshold(value: Any, name: str) -> None:
    check_threshold(value, f"the threshold {name}")


def _scale(value: Any, name: str) -> None:
    number(value, f"the {name}", 0, LARGEST_SCALE)


def _area(value: Any, _name: str) -> None:
    whole(value, "the smallest region", 1, LARGEST_AREA)


def _bank(value: Any, _name: str) -> None:
    match(value, BANK, "the bank of the operating point")


def _words(value: Any, name: str) -> None:
    text(value, f"the operating point's {name}", LONGEST_TEXT)


def _moment(value: Any, name: str) -> None:
    moment(value, f"the operating point's {name}")


def _way(value: Any, _name: str) -> None:
    if value not in get_args(JudgeBy):
        raise Unsound("images are judged by something other than score, area or both")


def _switch(value: Any, name: str) -> None:
    yes_or_no(value, f"the operating point's {name}")


_PARTS: Mapping[str, Callable[[Any, str], None]] = {
    "accept": _threshold,
    "reject": _threshold,
    "pixel": or_none(_threshold),
    "millimetres_per_pixel": or_none(_scale),
    "min_area": _area,
    "bank_id": _bank,
    "rule": check_rule,
    "accept_rule": or_none(check_rule),
    "pixel_rule": or_none(check_rule),
    "judge_by": _way,
    "set_by": _words,
    "set_at": _moment,
    "recalibrated_at": _moment,
    "statement": _words,
    "note": _words,
    "stale": _words,
    "picture_check": _switch,
    "labels_chosen": _switch,
}
