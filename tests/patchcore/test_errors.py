"""Errors: their sentences have an end, whatever they quote."""

import pytest

from patchcore.errors import LONGEST_MESSAGE, DataError, ImageTooLarge, NoImagesError, PatchCoreError


@pytest.mark.parametrize(
    "error",
    [
        DataError("x" * 10**6),
        NoImagesError("é" * 5_000),
        ImageTooLarge("n" * 10**5, "too large"),
        PatchCoreError(),
        PatchCoreError("short", 7),
    ],
)
def test_the_sentence_of_an_error_has_an_end(error):
    assert len(str(error)) <= LONGEST_MESSAGE + 10


def test_a_short_sentence_stays_as_it_is():
    assert str(DataError("No label.")) == "No label."
