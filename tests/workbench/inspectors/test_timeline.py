"""The timeline: an inspector's states in order, by number, and the way back to each."""

import pytest

from patchcore.errors import SettingsError
from patchcore.thresholds.operating_point import OperatingPoint
from tests.points import by_hand
from tests.workbench.parts import remove_good
from workbench.inspectors.point_history import enforce, store_point
from workbench.inspectors.timeline import edit_note, find_entry, restore, timeline
from workbench.inspectors.versions import find_inspector, get_version, list_versions, reslice
from workbench.people.roles import NotAllowed, Person, Role, acting
from workbench.storage.database import WorkspaceError
from workbench.storage.revisions import ChangedMeanwhile
from workbench.storage.tables import Event
from workbench.upkeep.bin import delete_version

PLATE = "plate-1"


def point_of(version):
    return OperatingPoint.from_dict(version.operating_point)


def at(version, value):
    now = point_of(version)
    return by_hand(value, now.evidence, now.bank_id, set_by="")


def numbers(workspace):
    return [(entry.number, entry.what, entry.in_use) for entry in timeline(workspace, PLATE)]


@pytest.fixture
def worked_on(workspace, version):
    """A version with two thresholds by Ada, then a smaller bank."""
    with acting(Person("Ada", Role.ENGINEER)):
        store_point(workspace, version, at(version, 7.0), "after the new lamp")
    reslice(workspace, get_version(workspace, version.id), 0.1, note="faster")
    return version


def test_every_version_and_every_threshold_is_an_entry(workspace, worked_on):
    assert numbers(workspace) == [
        ("2.1", "share", True),
        ("1.2", "threshold", False),
        ("1.1", "build", False),
    ]
    smaller, changed, first = timeline(workspace, PLATE)
    assert (changed.note, changed.made_by, changed.point.reject) == ("after the new lamp", "Ada", 7.0)
    assert smaller.note == "faster" and first.point.reject != 7.0
    assert first.as_version().operating_point["reject"] == first.point.reject
    assert first.version.operating_point["reject"] == 7.0 and first.as_version().patches == worked_on.patches


def test_an_earlier_state_is_restored_as_a_new_entry_and_nothing_newer_is_lost(workspace, worked_on):
    first = timeline(workspace, PLATE)[-1]
    back = restore(workspace, PLATE, "1.1", "the lamp is gone")
    assert find_inspector(workspace, PLATE).current_id == back.id == worked_on.id
    assert get_version(workspace, back.id).operating_point == first.record.data
    assert numbers(workspace) == [
        ("1.3", "restore", True),
        ("2.1", "share", False),
        ("1.2", "threshold", False),
        ("1.1", "build", False),
    ]
    assert timeline(workspace, PLATE)[0].note == "Restored 1.1. the lamp is gone"
    again = restore(workspace, PLATE, "2.1")
    assert find_inspector(workspace, PLATE).current_id == again.id and again.number == 2
    with workspace.database.read() as session:
        actions = [event.action for event in session.query(Event).order_by(Event.id)]
    assert actions.count("restore") == 2


def test_a_change_made_meanwhile_is_not_overwritten_by_restoring(workspace, worked_on):
    seen = find_inspector(workspace, PLATE).revision
    restore(workspace, PLATE, "1.1", seen=seen)
    before = numbers(workspace)
    with pytest.raises(ChangedMeanwhile, match="restore"):
        restore(workspace, PLATE, "1.2", seen=seen)
    assert numbers(workspace) == before


def test_a_state_that_cannot_be_restored_raises_an_error(workspace, worked_on):
    with pytest.raises(WorkspaceError, match="is in use already"):
        restore(workspace, PLATE, "2.1")
    with pytest.raises(WorkspaceError, match=r"no version 9\.1"):
        restore(workspace, PLATE, "9.1")
    delete_version(workspace, worked_on.id)
    assert [entry.number for entry in timeline(workspace, PLATE)] == ["2.1"]
    with pytest.raises(WorkspaceError, match="in the bin"):
        restore(workspace, PLATE, "1.1")


def test_an_outdated_threshold_is_not_restored(workspace, version):
    with workspace.database.write() as session:
        row = session.get_one(type(version), version.id)
        row.operating_point = point_of(version).to_dict()
        first = timeline(workspace, PLATE)[0].record
        session.get_one(type(first), first.id).data = point_of(version).outdated("Long ago.").to_dict()
    enforce(workspace, version, at(version, 5.0), "")
    assert not timeline(workspace, PLATE)[-1].fits
    with pytest.raises(SettingsError, match="Long ago"):
        restore(workspace, PLATE, "1.1")


def test_notes_can_be_written_later(workspace, worked_on):
    edit_note(workspace, PLATE, "1.1", " the first ")
    edit_note(workspace, PLATE, "1.2", "after the lamp was changed")
    assert [entry.note for entry in timeline(workspace, PLATE)] == [
        "faster",
        "after the lamp was changed",
        "the first",
    ]
    with pytest.raises(WorkspaceError, match="5,000 characters"):
        edit_note(workspace, PLATE, "1.1", "a" * 5000)


def test_an_entry_is_found_by_number_or_version_else_the_one_in_use(workspace, worked_on):
    entries = timeline(workspace, PLATE)
    assert find_entry(entries, "1.1").number == "1.1" and find_entry(entries, "1").number == "1.2"
    assert find_entry(entries, None).number == find_entry(entries, "x").number == "2.1"
    assert timeline(workspace, "nobody") == [] and find_entry([], "1.1") is None


def test_an_entry_names_its_removed_images(workspace, version):
    remove_good(workspace, version, [next(iter(version.good_scores))])
    assert numbers(workspace)[0] == ("2.1", "remove", True)


def test_restoring_without_the_role_is_refused(workspace, worked_on):
    with acting(Person("Otto", Role.OPERATE)):
        for change in (
            lambda: restore(workspace, PLATE, "1.1"),
            lambda: edit_note(workspace, PLATE, "1.1", "x"),
        ):
            with pytest.raises(NotAllowed, match="Otto may not"):
                change()
    assert len(list_versions(workspace, PLATE)) == 2
