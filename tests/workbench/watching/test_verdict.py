"""What is said of a file: plain JSON types, there and back."""

from workbench.watching.folder import FileKey
from workbench.watching.verdict import Given, given


def test_what_a_newer_program_wrote_is_read():
    plain = given(FileKey("a.png", 3, 10**18 + 1), b"abc", "plate").to_dict()
    assert Given.from_dict({**plain, "colour": "blue"}) == Given.from_dict(plain)
