import datetime

import numpy as np
import pytest

from patchcore.images.copy_groups import CopyGroups
from patchcore.images.reading import ImageRecord
from patchcore.labels.sessions import UNDATED, SessionGroups, SessionImage, find_sessions, in_sessions

TODAY = datetime.date(2026, 11, 30)


def found(*names, taken=()):
    times = taken or [""] * len(names)
    return find_sessions([SessionImage(*both) for both in zip(names, times, strict=True)], TODAY)


@pytest.mark.parametrize(
    ("names", "days"),
    [
        (["01_200828110711_crop.jpg", "02_200829120000_crop.jpg"], ["2020-08-28", "2020-08-29"]),
        (["IMG_20260503_142000.png", "IMG_20260504_080000.png"], ["2026-05-03", "2026-05-04"]),
        (["20260503142000123.bmp", "20260504142000123.bmp"], ["2026-05-03", "2026-05-04"]),
        (["part 2026-05-03.png", "part 2026-05-04.png"], ["2026-05-03", "2026-05-04"]),
        (["2026.05.03-1.png", "2026.05.04-2.png"], ["2026-05-03", "2026-05-04"]),
        (["03.05.2026 a.png", "04.05.2026 b.png"], ["2026-05-03", "2026-05-04"]),
    ],
)
def test_the_day_is_read_from_the_name_in_the_forms_that_cameras_write(names, days):
    sessions = found(*names, *(f"b {name}" for name in names))
    assert sessions.told_by == "dates in the names"
    assert sessions.names == days + days


@pytest.mark.parametrize(
    "names",
    [
        ["part_0012345678.png", "part_0012345679.png", "part_0012345680.png", "part_0012345681.png"],
        ["good_001.png", "good_002.png", "good_003.png", "good_004.png"],
        ["20261399.png", "20261499.png", "20261398.png", "20261498.png"],  # no months
        ["20990101.png", "20990101b.png", "20990102.png", "20990102b.png"],  # the future
    ],
)
def test_numbers_that_are_no_dates_make_one_session(names):
    sessions = found(*names)
    assert sessions.names == [""] * 4
    assert not sessions.several


def test_folders_come_before_dates_and_lose_the_part_that_all_share():
    sessions = found(
        "train/good/mon/20260503.png",
        "train/good/mon/20260504.png",
        "train/good/tue/1.png",
        "train/good/tue/2.png",
    )
    assert sessions.told_by == "folders"
    assert sessions.names == ["mon", "mon", "tue", "tue"]


def test_a_folder_for_each_part_is_no_session():
    assert found("a/1.png", "b/1.png", "c/1.png").told_by == ""


def test_cameras_dates_come_before_names_and_impossible_ones_are_told():
    taken = [
        "2026-05-03T10:00:00",
        "2026-05-03T11:00:00",
        "2026-05-04T10:00:00",
        "2026-05-04T10:00:01",
        "1970-01-01T00:00:00",
    ]
    sessions = found("a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg", taken=taken)
    assert sessions.told_by == "cameras' dates"
    assert sessions.names == ["2026-05-03", "2026-05-03", "2026-05-04", "2026-05-04", UNDATED]
    assert "1 image carries a date that cannot be right: e.jpg (1970-01-01)" in sessions.remarks[0]
    assert "1 session has one image alone: without a date" in sessions.remarks[1]


def test_dates_of_few_images_tell_no_sessions():
    taken = ["2026-05-03T10:00:00", "2026-05-04T11:00:00", "", "", ""]
    assert not found("a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg", taken=taken).several


def record(name, taken=""):
    return ImageRecord(name, "0" * 64, "PNG", 8, 8, 3, 8, taken=taken)


def test_chosen_sessions_stand_in_the_records_and_images_without_one_are_together():
    records = [record("a.png"), record("b.png"), record("c.png")]
    chosen = in_sessions(records, {"a.png": " Monday\nmorning ", "b.png": "Tuesday"})
    assert [one.session for one in chosen] == ["Monday morning", "Tuesday", UNDATED]
    assert [one.session for one in in_sessions(records, {})] == ["", "", ""]
    assert [one.session for one in in_sessions(records, dict.fromkeys(("a.png", "b.png", "c.png"), "x"))] == [
        ""
    ] * 3


def test_a_session_is_left_out_with_the_copies_of_the_image_in_other_sessions():
    copies = CopyGroups.of(["k", "", "k", ""])
    groups = SessionGroups.of(["mon", "mon", "tue", "tue"], copies)
    assert groups.left_out_with(0) == {0, 1, 2}
    assert groups.left_out_with(3) == {2, 3}
    assert SessionGroups.of(["mon"] * 4, copies) is None
    taught = CopyGroups.of(["", "", ""], taught=[2])
    assert SessionGroups.of(["mon", "mon", ""], taught) is None
    assert np.array_equal(taught.counted, [True, True, False])
