"""Restoring: as it was on its own bank; on another by its own rules, or not at all."""

import pytest

from patchcore.errors import SettingsError
from patchcore.thresholds.decision import decide
from patchcore.thresholds.operating_point import Choice, OperatingPoint
from tests.points import by_hand
from tests.workbench.parts import ADA, BEN, build_small, evidence, store_plates
from workbench.inspections.batches import create_batch, good_batch, score_batch
from workbench.inspectors.point_history import point_history, store_point
from workbench.inspectors.versions import find_inspector, rename, reslice
from workbench.people.roles import acting
from workbench.storage.database import WorkspaceError
from workbench.storage.revisions import ChangedMeanwhile
from workbench.tuning.consequences import consequences_for, consequences_of_use
from workbench.tuning.evidence import known_images
from workbench.tuning.restoring import restore_point


def point_of(version):
    return OperatingPoint.from_dict(version.operating_point)


def score(workspace, version, batch):
    for one in (batch, good_batch(workspace, version)):
        list(score_batch(workspace, one, version))


@pytest.fixture
def batch(workspace, version):
    images = store_plates(workspace, 2, first=50, truth="good")
    images += store_plates(workspace, 2, first=60, scratched=True, truth="scratch")
    return create_batch(workspace, version.inspector_id, images, "Monday")


def decided(workspace, version, batch, rule, good="both", **more):
    known = evidence(workspace, version, batch, good)
    point = decide(rule, known, version.operating_point["bank_id"], set_by="Ada", **more)
    with acting(ADA):
        return store_point(workspace, version, point, "first try")


def test_a_point_of_the_same_bank_comes_back_as_it_was(workspace, version):
    first = point_history(workspace, "plate-1")[0]
    mine = by_hand(9.0, first.point.evidence, first.point.bank_id, set_by="Ada")
    with acting(ADA):
        store_point(workspace, version, mine, "")
    restored = restore_point(workspace, version, first.id)
    assert point_of(restored) == first.point
    history = point_history(workspace, "plate-1")
    assert len(history) == 3 and history[0].note.startswith("Restored from 20")


def test_a_point_of_another_bank_is_set_again_by_its_own_rules(workspace, version, batch):
    score(workspace, version, batch)
    pixel = Choice("provisional")
    decided(workspace, version, batch, Choice("no_escapes"), pixel_rule=pixel)
    stored = point_history(workspace, "plate-1")[0]
    small = reslice(workspace, version, 0.05)
    with pytest.raises(SettingsError, match="4 of the images it was set from have not been scored"):
        restore_point(workspace, small, stored.id)
    score(workspace, small, batch)
    restored = point_of(restore_point(workspace, small, stored.id))
    expected = decide(
        Choice("no_escapes"),
        evidence(workspace, small, batch, "both"),
        small.operating_point["bank_id"],
        set_by="Ada",
        pixel_rule=pixel,
    )
    assert (restored.reject, restored.pixel, restored.bank_id) == (
        expected.reject,
        expected.pixel,
        expected.bank_id,
    )
    assert restored.evidence == expected.evidence and restored.recalibrated_at
    assert "set again by its own rule" in point_history(workspace, "plate-1")[0].note


def test_a_point_set_by_hand_for_another_bank_is_refused(workspace, version, batch):
    now = point_of(version)
    store_point(workspace, version, by_hand(9.0, now.evidence, now.bank_id, set_by="Ada"), "")
    stored = point_history(workspace, "plate-1")[0]
    small = reslice(workspace, version, 0.05)
    with pytest.raises(SettingsError, match="cannot be used with this bank. It was set by hand"):
        restore_point(workspace, small, stored.id)
    assert len(point_history(workspace, "plate-1")) == 3


def test_a_point_of_another_inspector_is_not_there(workspace, version):
    other = build_small(workspace, 3, "plate-2")
    stored = point_history(workspace, "plate-1")[0]
    with pytest.raises(WorkspaceError, match="no earlier threshold"):
        restore_point(workspace, other, stored.id)


def test_restoring_has_a_name_and_does_not_overwrite_what_came_meanwhile(workspace, version):
    first = point_history(workspace, "plate-1")[0]
    seen = find_inspector(workspace, "plate-1").revision
    with acting(BEN):
        rename(workspace, "plate-1", "Plate, line 4")
    with acting(ADA):
        with pytest.raises(ChangedMeanwhile, match=r"Ben changed it \(rename"):
            restore_point(workspace, version, first.id, seen=seen)
        restored = restore_point(workspace, version, first.id, seen=seen + 1)
    latest = point_history(workspace, "plate-1")[0]
    assert point_of(restored) == first.point and latest.made_by == "Ada"


def test_each_way_asks_by_the_same_consequences(workspace, version, batch):
    score(workspace, version, batch)
    bank = version.operating_point["bank_id"]
    mine = by_hand(9000.0, point_of(version).evidence, bank, set_by="Ada", picture_check=False)
    small = reslice(workspace, version, 0.05)  # in use now; it has scored no labelled image
    assert consequences_of_use(workspace, version) == consequences_of_use(workspace, small) == []
    lax = consequences_of_use(workspace, version, mine)  # as Library restores a state of an earlier version
    known = known_images(workspace, version, batch)
    tuned = consequences_for(known, version, mine)  # as Tune restores a point of the version in use
    assert lax[0] == "2 of 2 known defects would be accepted." and lax[1].startswith(
        "Nothing would be rejected"
    )
    assert tuned[0] == "2 of 2 known defects would be accepted; at present 0 are." and len(tuned) == 2
