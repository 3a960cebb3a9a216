"""What is said of a file: plain JSON types, there and back."""

from dataclasses import replace

import pytest

from workbench.watching.folder import FileKey
from workbench.watching.verdict import Given, given


def test_what_a_newer_program_wrote_is_read():
    plain = given(FileKey("a.png", 3, 10**18 + 1), b"abc", "plate").to_dict()
    assert Given.from_dict({**plain, "colour": "blue"}) == Given.from_dict(plain)


def test_what_an_older_program_wrote_is_read_as_far_as_it_goes():
    now = given(FileKey("a.png", 3, 1), b"abc", "plate", score=1.5, verdict="accept", bank_id="bank")
    added = ("version", "unjudged", "min_area", "judge_by", "point_set_at", "bank_id", "remarks")
    older = {name: value for name, value in now.to_dict().items() if name not in added}
    assert Given.from_dict(older) == replace(now, bank_id=None)
    with pytest.raises(TypeError, match="inspector"):
        Given.from_dict({name: value for name, value in older.items() if name != "inspector"})
