"""JSON columns written by somebody else: each must have the shape that this program writes."""

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Any

from patchcore.errors import SettingsError
from patchcore.files.point_rules import check_score, check_scores, check_threshold
from patchcore.files.value_rules import (
    MOST_IMAGES,
    SHA256,
    Unsound,
    items,
    mapping,
    match,
    moment,
    number,
    or_none,
    text,
    whole,
    yes_or_no,
)
from patchcore.images.reading import LATER, ImageRecord
from patchcore.plausibility.doubt import KINDS
from workbench.inspections.history import DECIDE
from workbench.jobs.arguments import LARGEST_ID, row_id
from workbench.storage.clock import MARK
from workbench.storage.places import is_id
from workbench.upkeep.retention import LONGEST as MOST_MONTHS
from workbench.upkeep.retention import RAN, RULE
from workbench.watching.outputs.declaration import Option
from workbench.watching.outputs.registry import options as output_options
from workbench.watching.verdict import VerdictRecord

Check = Callable[[Any, str], object]
MOST = 10_000  # names in a mapping, entries in a list
LONGEST = 100_000  # characters
LONGEST_SIDE = 1 << 31  # pixels
BIG = 1e15  # seconds, megabytes
VERDICTS, DECISIONS = ("accept", "review", "reject"), ("fine", "defect")
JUDGED_BY = ("score", "area", "both")
RECORD = tuple(part.name for part in fields(ImageRecord) if part.name not in {"colourful", *LATER})
VERDICT_FIELDS = tuple(
    part.name for part in fields(VerdictRecord) if part.default is part.default_factory is MISSING
)
SHA256_OR_NONE = re.compile(f"({SHA256.pattern})?")  # empty for an unreadable file
ESCAPE = r"x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}"  # stands for bytes in a name that are not text
OUTSIDE = re.compile(rf"^/|^\\(?!{ESCAPE})|^[A-Za-z]:[/\\]|(^|[/\\])\.\.([/\\]|$)|\x00")


def shaped(checks: Mapping[str, Check], required: tuple[str, ...] = ()) -> Check:
    """Return a check of a mapping: each known entry by its own check, and all required entries present."""

    def check(value: Any, what: str) -> None:
        found = mapping(value, what, MOST)
        for name in required:
            if name not in found:
                raise Unsound(f"{what} has no {name}")
        for name, part in found.items():
            if name in checks:
                checks[name](part, f"{name} of {what}")

    return check


def listed(one: Check, most: int = MOST) -> Check:
    """Return a check of a list: every entry by the same check."""

    def check(value: Any, what: str) -> None:
        for entry in items(value, what, most):
            one(entry, f"an entry of {what}")

    return check


def one_of(*words: str) -> Check:
    """Return a check that accepts only certain words."""

    def check(value: Any, what: str) -> None:
        if value not in words:
            raise Unsound(f"{what} is {value!a:.40}, none of {', '.join(words)}")

    return check


def matching(pattern: re.Pattern[str]) -> Check:
    """Return a check that accepts only texts that match a pattern."""
    return lambda value, what: match(value, pattern, what)


def at_least(lowest: int) -> Check:
    """Return a check of a whole number."""
    return lambda value, what: whole(value, what, lowest, LARGEST_ID)


def within(lowest: float, highest: float) -> Check:
    """Return a check of a number."""
    return lambda value, what: number(value, what, lowest, highest)


def words(value: Any, what: str) -> None:
    """Check a text that the pages only show."""
    text(value, what, LONGEST)


def reading(value: Any, what: str) -> None:
    """Check what was found in reading a labelled set: `labelled_sets.Reading.to_dict`."""
    shaped({"labels": words, "problems": listed(words)}, ("labels", "problems"))(value, what)


def sampling(value: Any, what: str) -> None:
    """Check a random draw of images to label: `label_sampling.Sampling.to_dict`."""
    numbers = shaped(dict.fromkeys(VERDICTS, at_least(0)), VERDICTS)
    shaped(
        {"seed": at_least(0), "drawn_by": words, "drawn": moment, "sizes": numbers, "wanted": numbers},
        ("seed", "drawn_by", "drawn", "sizes", "wanted"),
    )(value, what)


def inspector_id(value: Any, what: str) -> None:
    """Check the id of an inspector."""
    if not is_id(value):
        raise Unsound(f"{what} is {value!a:.80}, not the id of an inspector")


def inner_path(value: Any, what: str) -> None:
    """Check the path of a file below its folder: any names are allowed, a way out is not."""
    words(value, what)
    if not value or OUTSIDE.search(value):
        raise Unsound(f"{what} is {value!a:.80}, which leads out of its folder")


def box(value: Any, what: str) -> None:
    """Check a box: x0, y0, x1, y1."""
    for edge in items(value, what, 4, exactly=True):
        whole(edge, what, -LONGEST_SIDE, LONGEST_SIDE)


def good_scores(value: Any, what: str) -> None:
    """Check the scores of good images."""
    check_scores(value, what)


def good_image(value: Any, what: str) -> None:
    """Check a good image that is not in the workspace: its hash, its name, and whether it was taught."""
    sha256, name, taught = items(value, what, 3, exactly=True)
    match(sha256, SHA256, what)
    words(name, what)
    yes_or_no(taught, what)


def _output_option(option: Option) -> Check:
    """Return a check of the option of an output of watching."""

    def check(value: Any, what: str) -> None:
        if isinstance(value, str):
            words(value, what)
        try:
            option.check(value)
        except SettingsError as error:
            raise Unsound(f"{what} is none: {error}".removesuffix(".")) from error

    return check


side = at_least(1)
region = shaped({"box": box, "area": side, "score": check_score}, ("box", "area", "score"))
regions = listed(region, MOST_IMAGES)
doubt = shaped(
    {
        "kind": one_of(*KINDS),
        "sentence": words,
        **dict.fromkeys(("value", "low", "high"), or_none(number)),
        "box": or_none(box),
    },
    ("kind", "sentence", "value", "low", "high", "box"),
)
doubts = listed(doubt)
count = at_least(0)
seconds = within(0, BIG)
names = listed(words, MOST_IMAGES)
hashes = listed(matching(SHA256), MOST_IMAGES)
remarks = listed(words)

record = shaped(
    {
        "name": words,
        "sha256": matching(SHA256),
        "format": words,
        **dict.fromkeys(("width", "height", "channels", "bit_depth"), side),
        **dict.fromkeys(("lowest", "highest"), number),
        "notes": names,
        "colourful": yes_or_no,
        **dict.fromkeys(LATER, matching(SHA256_OR_NONE)),
    },
    RECORD,
)
explanation = shaped(
    {
        "distance": check_score,
        "test_box": box,
        "neighbour_box": box,
        "neighbour_sha256": matching(SHA256),
        "neighbour_name": words,
    },
    ("distance", "test_box", "neighbour_sha256", "neighbour_name", "neighbour_box"),
)
numbers = shaped(
    {
        "job": or_none(row_id),
        "seconds": seconds,
        "total_patches": side,
        "skipped": listed(shaped({"name": words, "reason": words}, ("name", "reason")), MOST_IMAGES),
        "remarks": names,
        "removed": names,
        "good_doubts": listed(
            shaped({"sha256": matching(SHA256), "doubts": doubts}, ("sha256", "doubts")), MOST_IMAGES
        ),
        "kept": hashes,
        "images_elsewhere": listed(good_image, MOST_IMAGES),
        "imported": shaped({"file": words, "built": words, "libraries": shaped({})}),
        "teaching": shaped(
            {
                "before": row_id,
                "labels": listed(row_id, MOST_IMAGES),
                "decisions": listed(row_id, MOST_IMAGES),
                "images": names,
            },
            ("before", "labels", "decisions", "images"),
        ),
    }
)
stages = listed(shaped({"name": words, "total": count, "seconds": seconds}))
job_result = shaped(
    {
        "inspector_id": inspector_id,
        "version_id": or_none(row_id),
        "points": listed(
            shaped(
                {
                    "share": within(0, 1),
                    "rows": count,
                    "megabytes": within(0, BIG),
                    "in_use": yes_or_no,
                    "cover_radius": check_score,
                    "threshold": or_none(check_threshold),
                    "reason": words,
                    "good_scores": shaped({}),
                    "image": or_none(shaped({})),
                    "pixels": or_none(shaped({})),
                    "milliseconds": or_none(seconds),
                },
                ("share", "rows"),
            )
        ),
        "problems": names,
        **dict.fromkeys(("inspections", "pictures", "size_bytes"), count),
    }
)
options = shaped(
    {
        "subfolders": yes_or_no,
        **{option.name: _output_option(option) for option in output_options()},
        "settle": seconds,
        "threads": side,
    }
)
told = shaped(
    {
        "file": inner_path,
        "size": count,
        "modified_ns": at_least(-LARGEST_ID),
        "sha256": matching(SHA256_OR_NONE),
        "time": moment,
        "inspector": words,
        "version": at_least(1),
        "score": or_none(check_score),
        "verdict": or_none(one_of(*VERDICTS)),
        "min_area": or_none(at_least(1)),
        "judge_by": or_none(one_of(*JUDGED_BY)),
        **dict.fromkeys(("unjudged", "point_set_at", "bank_id"), or_none(words)),
        "remarks": remarks,
        "picture_check": or_none(yes_or_no),
        "doubts": doubts,
        **dict.fromkeys(("accept", "reject", "pixel"), or_none(check_threshold)),
        "regions": regions,
        "worst_box": or_none(box),
        "width": or_none(side),
        "height": or_none(side),
        "seconds": or_none(seconds),
        "error": or_none(words),
        "moved_to": or_none(words),
    },
    VERDICT_FIELDS,
)
_decided = shaped(
    {
        "inspection": row_id,
        "before": shaped({"decision": or_none(one_of(*DECISIONS))}, ("decision",)),
        "after": or_none(one_of(*DECISIONS)),
    },
    ("inspection", "before"),
)


def details(value: Any, what: str, action: str) -> None:
    """Check the details of an event, which can undo a decision."""
    (_decided if action == DECIDE else shaped({}))(value, what)


def preference(value: Any, what: str, name: str) -> None:
    """Check a preference by its name."""
    checks: dict[str, Check] = {}
    if name == RULE:
        checks = {"months": or_none(lambda months, of: whole(months, of, 1, MOST_MONTHS))}
    elif name == RAN:
        checks = {"at": _when}
    elif name == MARK:
        checks = {"at": _when, "ids": listed(_mark)}
    shaped(checks, tuple(checks))(value, what)


def _mark(value: Any, what: str) -> None:
    if not isinstance(value, list) or len(value) != 2:
        raise Unsound(f"{what} is not a time with an id")
    _when(value[0], what)
    whole(value[1], what, 0, LARGEST_ID)


def _when(value: Any, what: str) -> None:
    moment(value, what)
    if not re.fullmatch(r".*[+-][0-9]{2}:[0-9]{2}", value):
        raise Unsound(f"{what} is not a time with its zone")
