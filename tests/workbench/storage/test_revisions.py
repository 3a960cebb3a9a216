"""One writer at a time, on what they saw."""

import pytest
from sqlalchemy import select

from workbench.people.roles import Person, Role, acting
from workbench.storage.database import WorkspaceError
from workbench.storage.revisions import ChangedMeanwhile, note_change, note_event
from workbench.storage.tables import Event, Inspector


@pytest.fixture
def washer(workspace):
    with workspace.database.write() as session:
        session.add(Inspector(id="washer", name="Washer"))
    return workspace


def test_a_change_is_counted_and_has_a_name(washer):
    with acting(Person("Anna", Role.ENGINEER)), washer.database.write() as session:
        note_change(session, "washer", "set threshold", seen=0, reject=2.5)
    with washer.database.read() as session:
        assert session.get(Inspector, "washer").revision == 1
        (event,) = session.scalars(select(Event))
    assert (event.person, event.action, event.inspector_id) == ("Anna", "set threshold", "washer")
    assert (event.revision, event.details) == (1, {"reject": 2.5})


def test_the_second_writer_is_told_who_was_first_and_changes_nothing(washer):
    with acting(Person("Anna", Role.ENGINEER)), washer.database.write() as session:
        note_change(session, "washer", "set threshold", seen=0)
    told = r"Anna changed it \(set threshold.*your change was not made"
    with pytest.raises(ChangedMeanwhile, match=told), washer.database.write() as session:
        session.get(Inspector, "washer").name = "Mine"
        note_change(session, "washer", "rename", seen=0)
    with washer.database.read() as session:
        inspector = session.get(Inspector, "washer")
        assert (inspector.name, inspector.revision) == ("Washer", 1)


def test_a_change_without_a_revision_is_not_refused(washer):
    for _ in range(2):
        with washer.database.write() as session:
            note_change(session, "washer", "rename")
    with pytest.raises(WorkspaceError, match="no inspector nobody"), washer.database.write() as session:
        note_change(session, "nobody", "rename")


def test_the_sentence_names_the_change_and_not_other_events(washer):
    for action in ("rename", "set threshold"):
        with acting(Person("Anna", Role.ENGINEER)), washer.database.write() as session:
            note_change(session, "washer", action)
    with acting(Person("Ben", Role.OPERATE)), washer.database.write() as session:
        note_event(session, "bring images", "washer")
    for seen, told in ((1, r"set threshold, [^,]* UTC\) since"), (0, "the last of 2 changes, since")):
        with (
            pytest.raises(ChangedMeanwhile, match=f"Anna changed it.*{told}"),
            washer.database.write() as session,
        ):
            note_change(session, "washer", "rename", seen=seen)
    with washer.database.write() as session:
        assert note_change(session, "washer", "rename", seen=2).revision == 3
