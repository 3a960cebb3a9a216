"""Groups of near copies among the good images, and the sentence on them."""

from dataclasses import replace

import pytest

from patchcore.images.copy_groups import CopyGroups, near_copy_remarks
from patchcore.images.reading import ImageRecord

A, B = "a" * 64, "b" * 64
RECORD = ImageRecord("", "0" * 64, "PNG", 64, 64, 3, 8)


def records(keys):
    return [replace(RECORD, name=f"{number}.png", near_copy_of=key) for number, key in enumerate(keys)]


def test_an_image_without_near_copies_is_a_group_of_its_own():
    groups = CopyGroups.of(["", A, "", A])
    assert groups.representatives.tolist() == groups.scored.tolist() == [0, 1, 2]
    assert groups.left_out_with(3) == groups.left_out_with(1) == {1, 3}
    assert groups.left_out_with(2) == {2} and not groups.too_few


def test_one_score_is_left_where_all_images_are_near_copies():
    groups = CopyGroups.of([A, A, A])
    assert groups.too_few and groups.scored.tolist() == [0]
    assert groups.left_out_with(0) == {0}
    assert CopyGroups.of([A, A, B, B], least=3).too_few and not CopyGroups.of(["", ""], least=3).too_few


def test_taught_images_do_not_make_a_group_that_counts():
    groups = CopyGroups.of([A, A, ""], taught=[2])
    assert groups.too_few and groups.scored.tolist() == [0]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (["", A, A], ["1 of your 3 images is a near copy of 1: 2.png of 1.png.", "Each group counts once"]),
        (
            [A, B, A, B, A],
            ["3 of your 5 images are near copies of 2: 2.png, 4.png of 0.png; 3.png of 1.png."],
        ),
        (
            [A] * 7,
            ["6 of your 7 images are near copies of 1: 1.png, 2.png, 3.png and 3 more", "promises nothing"],
        ),
        (["", "", ""], []),
    ],
)
def test_remark_names_the_groups(keys, words):
    sentences = near_copy_remarks(records(keys), CopyGroups.of(keys))
    assert len(sentences) == bool(words)
    assert all(word in sentences[0] for word in words)
