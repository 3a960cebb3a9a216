"""A person's word on an inspected part: label and decision together, and taken back together."""

import pytest
from sqlalchemy import delete, select

from workbench.inspections.batches import list_results
from workbench.inspections.decisions import call_defect, call_fine, decided, take_back
from workbench.inspections.history import last_decision
from workbench.inspections.labels import set_label
from workbench.inspectors.versions import get_version
from workbench.people.roles import NotAllowed, Person, Role, acting
from workbench.storage.database import WorkspaceError
from workbench.storage.tables import GOOD, Inspection, LabelChange

ADA = Person("Ada", Role.OPERATE)


@pytest.fixture
def results(worked):
    return list_results(worked, 1, get_version(worked, 1).id)


def state(workspace, result):
    """Label and decision of a result as they are now."""
    now = next(one for one in list_results(workspace, 1, 1) if one.id == result.id)
    known = decided(workspace, 1, [now]).get(now.batch_image_id)
    return now.image.truth, None if known is None else (known.decision, known.by)


def test_label_and_decision_come_and_go_together(worked, results):
    scratched, _, plain = results
    with acting(ADA):
        call_fine(worked, plain)
        call_fine(worked, scratched)
    assert state(worked, plain) == (GOOD, ("fine", "Ada"))
    assert state(worked, scratched) == (GOOD, ("fine", "Ada"))
    take_back(worked, scratched)
    assert state(worked, scratched) == ("scratch", None)
    assert state(worked, plain) == (GOOD, ("fine", "Ada"))
    with worked.database.read() as session:
        changes = session.query(LabelChange).all()
    assert [(change.made_by, change.undone is not None) for change in changes] == [
        ("Ada", False),
        ("Ada", True),
    ]


def test_a_defect_whose_type_is_known_keeps_it(worked, results):
    scratched, _, plain = results
    call_defect(worked, scratched)
    call_defect(worked, plain)
    assert state(worked, scratched)[0] == "scratch"
    assert state(worked, plain)[0] == "defect"
    take_back(worked, scratched)
    take_back(worked, plain)
    assert (state(worked, scratched), state(worked, plain)) == (("scratch", None), (None, None))


def test_a_later_label_stays_when_the_decision_is_undone(worked, results):
    plain = results[2]
    call_fine(worked, plain)
    set_label(worked, plain.batch_image_id, "dent")
    take_back(worked, plain)
    assert state(worked, plain) == ("dent", None)


def test_a_decision_can_be_changed(worked, results):
    plain = results[2]
    call_fine(worked, plain)
    call_defect(worked, plain)
    assert state(worked, plain)[0] == "defect"
    take_back(worked, plain)
    assert state(worked, plain) == (GOOD, None)


def test_a_viewer_decides_nothing(worked, results):
    with acting(Person("Eve", Role.VIEW)):
        for say in (call_fine, call_defect, take_back):
            with pytest.raises(NotAllowed, match="Eve may not"):
                say(worked, results[0])
    assert state(worked, results[0]) == ("scratch", None)
    with pytest.raises(WorkspaceError, match="Nothing is decided"):
        take_back(worked, results[0])


def test_a_result_that_outlived_its_row_in_the_history_gets_one_without_a_verdict(worked, results):
    with worked.database.write() as session:
        session.execute(delete(Inspection))
    with acting(ADA):
        call_defect(worked, results[0], "a dent")
    with worked.database.read() as session:
        row = session.scalars(select(Inspection)).one()
        event = last_decision(session, row)
    assert (row.decision, row.decided_by, row.score) == ("defect", "Ada", results[0].score)
    assert row.verdict is row.reject is row.accept is row.point_id is None
    assert row.created == results[0].created and event.details["note"] == "a dent"
