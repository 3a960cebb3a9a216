"""Verdict records: plain JSON types, there and back."""

from dataclasses import replace

import pytest

from workbench.watching.folder import FileKey
from workbench.watching.verdict import VerdictRecord, new_record


def test_record_of_a_newer_program_is_read():
    plain = new_record(FileKey("a.png", 3, 10**18 + 1), b"abc", "plate").to_dict()
    assert VerdictRecord.from_dict({**plain, "colour": "blue"}) == VerdictRecord.from_dict(plain)


def test_record_of_an_older_program_is_read_with_missing_fields_as_none():
    now = new_record(FileKey("a.png", 3, 1), b"abc", "plate", score=1.5, verdict="accept", bank_id="bank")
    added = (
        "version",
        "unjudged",
        "min_area",
        "judge_by",
        "point_set_at",
        "picture_check",
        "doubts",
        "bank_id",
        "remarks",
    )
    older = {name: value for name, value in now.to_dict().items() if name not in added}
    assert VerdictRecord.from_dict(older) == replace(now, bank_id=None)
    with pytest.raises(TypeError, match="inspector"):
        VerdictRecord.from_dict({name: value for name, value in older.items() if name != "inspector"})
