"""The bin: nothing is lost until it is emptied, and then only what nobody else needs."""

import pytest
from sqlalchemy import select

from tests.workbench.parts import build_small, store_plates
from workbench.evaluation.sweep import latest_sweep
from workbench.inspections.batches import create_batch, good_batch, list_results, score_batch
from workbench.inspectors.point_history import store_point
from workbench.inspectors.timeline import timeline
from workbench.inspectors.versions import (
    find_inspector,
    get_version,
    good_images,
    list_inspectors,
    load_model,
    reslice,
)
from workbench.jobs.requests import JobState
from workbench.people.roles import NotAllowed, Person, Role, acting
from workbench.storage.database import WorkspaceError
from workbench.storage.tables import Event, Inspection, Inspector, InspectorVersion, Job, Watch
from workbench.upkeep.bin import bring_back, delete_for_good, delete_inspector, delete_version, list_bin
from workbench.upkeep.check import check

PLATE = "plate-1"


@pytest.fixture
def used(workspace, version):
    """An inspector with two versions on one bank, both of which have scored, and the good images of it."""
    batch = create_batch(workspace, PLATE, store_plates(workspace, 2, first=50), "Monday")
    smaller = reslice(workspace, version, 0.1)
    for one in (version, smaller):
        assert len(list(score_batch(workspace, batch, one))) == 2
    assert len(list(score_batch(workspace, good_batch(workspace, version), version))) == 6
    return version, smaller, batch


def rows(workspace, table):
    with workspace.database.read() as session:
        return list(session.scalars(select(table).order_by(table.id)))


def test_an_inspector_from_the_bin_is_unchanged(workspace, version):
    with acting(Person("Ada", Role.ENGINEER)):
        delete_inspector(workspace, PLATE)
    (binned,) = list_bin(workspace)
    assert (binned.title, binned.deleted_by, binned.version, binned.key) == ("Plate", "Ada", None, PLATE)
    assert binned.megabytes > 0.05 and list_inspectors(workspace) == []
    assert check(workspace, grace=0) == []
    bring_back(workspace, binned)
    assert [one.id for one in list_inspectors(workspace)] == [PLATE] and list_bin(workspace) == []
    assert load_model(workspace, version).threshold_ is not None


def test_a_version_that_is_not_in_use_goes_to_the_bin_and_back(workspace, used):
    version, smaller, batch = used
    with pytest.raises(WorkspaceError, match="Version 2 is in use"):
        delete_version(workspace, smaller.id)
    delete_version(workspace, version.id)
    (binned,) = list_bin(workspace)
    assert (binned.title, binned.results, binned.keeps_bank, binned.megabytes) == (
        "Version 1 of Plate",
        8,
        True,
        0.0,
    )
    bring_back(workspace, binned)
    assert list_bin(workspace) == [] and len(list_results(workspace, batch, version.id)) == 2
    assert [entry.number for entry in timeline(workspace, PLATE)] == ["2.1", "1.1"]


def test_a_bank_that_others_use_outlives_the_version_it_was_built_as(workspace, used):
    version, smaller, batch = used
    last = reslice(workspace, smaller, 0.05)
    names = [image.name for image in good_images(workspace, version)]
    scores = [result.score for result in list_results(workspace, batch, smaller.id)]
    delete_version(workspace, version.id)
    assert delete_for_good(workspace, list_bin(workspace)) == ["Version 1 of Plate"]
    smaller, last = get_version(workspace, smaller.id), get_version(workspace, last.id)
    assert (smaller.base_id, last.base_id) == (None, smaller.id)
    assert [image.name for image in good_images(workspace, last)] == names
    assert len(load_model(workspace, last).bank_) == last.patches
    assert [result.score for result in list_results(workspace, batch, smaller.id)] == scores
    good = good_batch(workspace, last)
    assert len(list(score_batch(workspace, good, last))) == 6
    assert check(workspace, grace=0) == []
    assert not (workspace.root / "results" / str(version.id)).exists()
    verdicts = rows(workspace, Inspection)
    assert [(one.inspector_name, one.version_number, one.version_id) for one in verdicts[:2]] == [
        ("Plate", 1, None)
    ] * 2
    assert all(one.score is not None and one.inspector_id == PLATE for one in verdicts)


def test_a_bank_of_its_own_goes_with_its_version_and_no_number_is_given_twice(workspace, version):
    second = build_small(workspace, 4, PLATE)
    store_point(workspace, second, timeline(workspace, PLATE)[0].point, "again")
    third = build_small(workspace, 5, PLATE)
    with workspace.database.write() as session:
        inspector = session.get_one(Inspector, PLATE)
        inspector.current_id = version.id
    for one in (second, third):
        delete_version(workspace, one.id)
    assert not any(one.keeps_bank for one in list_bin(workspace))
    assert len(delete_for_good(workspace, list_bin(workspace))) == 2
    assert sorted(path.name for path in (workspace.root / "inspectors" / PLATE).iterdir()) == ["v0001"]
    assert check(workspace, grace=0) == []
    assert build_small(workspace, 4, PLATE).number == 4


def test_an_inspector_that_is_deleted_for_good_leaves_its_verdicts_and_events(workspace, used):
    version, _, batch = used
    other = build_small(workspace, 3, "plate-2")
    assert len(list(score_batch(workspace, batch, other))) == 2  # of the batch that goes
    with workspace.database.write() as session:
        session.add(Watch(inspector_id=PLATE, folder="/in", options={}, stopped=version.created))
    delete_inspector(workspace, PLATE)
    assert delete_for_good(workspace, list_bin(workspace)) == ["Plate"]
    assert find_inspector(workspace, PLATE) is None and rows(workspace, Watch) == []
    assert not (workspace.root / "inspectors" / PLATE).exists()
    assert [path for path in (workspace.root / "results").rglob("*") if path.is_file()] == []
    assert {one.inspector_name for one in rows(workspace, Inspection)} >= {"Plate"}
    assert all(one.score is not None for one in rows(workspace, Inspection))
    assert "Plate" in [event.details.get("inspector") for event in rows(workspace, Event)]
    assert check(workspace, grace=0) == []
    assert load_model(workspace, other) is not None
    again = build_small(workspace, 6, PLATE)
    assert again.number == 1 and load_model(workspace, again).bank_id_ == version.operating_point["bank_id"]


def test_an_entry_brought_back_meanwhile_is_left_alone(workspace, version):
    delete_inspector(workspace, PLATE)
    seen = list_bin(workspace)
    bring_back(workspace, seen[0])
    assert delete_for_good(workspace, seen) == [] and find_inspector(workspace, PLATE) is not None


def test_nothing_is_deleted_while_something_works_on_it(workspace, version):
    with workspace.database.write() as session:
        job = Job(kind="sweep", title="Measure", arguments={"inspector_id": PLATE}, state=JobState.RUNNING)
        session.add(job)
    with pytest.raises(WorkspaceError, match="A job works on Plate: Measure"):
        delete_inspector(workspace, PLATE)
    with workspace.database.write() as session:
        session.get_one(Job, job.id).state = JobState.DONE
        session.add(Watch(inspector_id=PLATE, folder="/in", options={}))
    with pytest.raises(WorkspaceError, match="watches the folder /in"):
        delete_inspector(workspace, PLATE)
    assert find_inspector(workspace, PLATE).deleted is None


def test_no_later_version_inherits_what_was_measured_of_one_that_is_gone(workspace, version):
    second = build_small(workspace, 4, PLATE)
    arguments = {
        "inspector_id": PLATE,
        "version_id": second.id,
        "bank_id": second.id,
        "batch_id": None,
        "rule": {},
    }
    with workspace.database.write() as session:
        session.get_one(Inspector, PLATE).current_id = version.id
        session.add(
            Job(
                kind="sweep", title="Measure", arguments=arguments, state=JobState.DONE, result={"points": []}
            )
        )
    delete_version(workspace, second.id)
    delete_for_good(workspace, list_bin(workspace))
    third = build_small(workspace, 5, PLATE)
    assert latest_sweep(workspace, third, None) is None


def test_deleting_without_the_role_is_refused(workspace, version):
    delete_inspector(workspace, PLATE)
    binned = list_bin(workspace)
    with acting(Person("Otto", Role.OPERATE)):
        for change in (
            lambda: delete_inspector(workspace, PLATE),
            lambda: delete_version(workspace, version.id),
            lambda: bring_back(workspace, binned[0]),
            lambda: delete_for_good(workspace, binned),
        ):
            with pytest.raises(NotAllowed, match="Otto may not"):
                change()
    assert rows(workspace, InspectorVersion) != []
