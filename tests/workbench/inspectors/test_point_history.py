"""The history of operating points: complete from the build on, and what is of another bank is told apart."""

import pytest

from patchcore.errors import SettingsError
from patchcore.thresholds.decision import decide
from patchcore.thresholds.operating_point import Choice, OperatingPoint
from tests.points import by_hand
from tests.workbench.parts import ADA, BEN, evidence
from workbench.inspectors.point_history import point_history, store_point
from workbench.inspectors.versions import find_inspector, get_version, reslice, set_operating_point
from workbench.people.roles import acting
from workbench.storage.revisions import ChangedMeanwhile


def point_of(version):
    return OperatingPoint.from_dict(version.operating_point)


def test_the_point_of_the_build_is_the_first(workspace, version):
    (first,) = point_history(workspace, "plate-1")
    assert first.point == point_of(version) and first.usable
    assert (first.version_id, first.number, first.note) == (
        version.id,
        1,
        "Set when the inspector was built.",
    )


def test_a_stored_point_is_in_force_with_who_when_and_why(workspace, version):
    chosen = decide(
        Choice("from_quantile", {"share": 0.2}),
        evidence(workspace, version, None, "leave-one-out"),
        version.operating_point["bank_id"],
        set_by="",
    )
    with acting(ADA):
        store_point(workspace, version, chosen, "line trial")
    stored = point_of(get_version(workspace, version.id))
    assert (stored.set_by, stored.note, stored.reject) == ("Ada", "line trial", chosen.reject)
    latest, first = point_history(workspace, "plate-1")
    assert (latest.point, latest.note) == (stored, "line trial") and first.point == point_of(version)
    assert latest.made_by == "Ada"


def test_the_old_way_of_setting_a_point_keeps_the_history_too(workspace, version):
    now = point_of(version)
    with acting(ADA):
        higher = by_hand(9.0, now.evidence, now.bank_id, set_by="somebody", note="higher")
        set_operating_point(workspace, version, higher)
    latest = point_history(workspace, "plate-1")[0]
    assert (latest.point.reject, latest.point.set_by, latest.note) == (9.0, "Ada", "higher")


def test_points_of_another_bank_are_kept_but_not_usable(workspace, version):
    smaller = reslice(workspace, version, 0.1)
    latest, first = point_history(workspace, "plate-1")
    assert latest.usable and not first.usable
    with pytest.raises(SettingsError, match="another bank"):
        store_point(workspace, smaller, first.point, "")


def test_a_stale_point_is_not_stored(workspace, version):
    with pytest.raises(SettingsError, match="out of date"):
        store_point(workspace, version, point_of(version).outdated("The bank changed."), "")
    assert len(point_history(workspace, "plate-1")) == 1


def test_an_absent_inspector_has_no_history(workspace):
    assert point_history(workspace, "nobody") == []


def test_the_second_of_two_who_saw_the_same_is_told_and_changes_nothing(workspace, version):
    now, seen = point_of(version), find_inspector(workspace, "plate-1").revision
    with acting(ADA):
        store_point(workspace, version, by_hand(9.0, now.evidence, now.bank_id, set_by=""), "", seen=seen)
    late = by_hand(8.0, now.evidence, now.bank_id, set_by="")
    with acting(BEN), pytest.raises(ChangedMeanwhile, match=r"Ada changed it \(set threshold"):
        store_point(workspace, version, late, "", seen=seen)
    assert point_of(get_version(workspace, version.id)).reject == 9.0
    assert len(point_history(workspace, "plate-1")) == 2
    with acting(BEN):
        store_point(workspace, version, late, "", seen=seen + 1)
    assert point_of(get_version(workspace, version.id)).reject == 8.0
