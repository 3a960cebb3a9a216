"""The clock of this computer, held against what is known to have been done here."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.workbench.clocks import set_clock
from workbench.people.roles import NotAllowed, Person, Role, acting
from workbench.storage.clock import confirm_clock, find_doubt, follow_clock, no_earlier_than, stored_since
from workbench.storage.tables import Event, Inspection, Preference

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
YEAR_2000 = datetime(2000, 1, 1, 8, tzinfo=UTC)


@pytest.fixture(params=["sqlite"])
def database_kind(monkeypatch):
    monkeypatch.delenv("PATCHCORE_DATABASE_URL", raising=False)
    return "sqlite"


def doubt(workspace):
    with workspace.database.read() as session:
        return find_doubt(session)


def act(workspace, moment):
    with workspace.database.write() as session:
        session.add(Event(person="Ann", action="looked", details={}, created=moment))


@pytest.fixture
def marked(workspace, monkeypatch):
    """A workspace whose dashboard ran at noon."""
    set_clock(monkeypatch, NOON)
    follow_clock(workspace)
    return workspace


def test_a_new_workspace_and_a_long_weekend_raise_no_doubt(workspace, monkeypatch):
    set_clock(monkeypatch, NOON)
    assert doubt(workspace) is None
    follow_clock(workspace)
    set_clock(monkeypatch, NOON + timedelta(days=4.5))
    assert doubt(workspace) is None


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (datetime(2035, 3, 1, tzinfo=UTC), "nobody worked here for days, or it went on by days at once"),
        (NOON + timedelta(days=14), "14 days after"),
        (YEAR_2000, "days before the last moment that is certain"),
    ],
)
def test_a_clock_days_beyond_the_last_activity_or_before_it_is_doubted(marked, monkeypatch, moment, words):
    set_clock(monkeypatch, moment)
    for _ in range(2):  # the doubt stays, whatever is done by the new clock
        assert words in doubt(marked).sentence
        act(marked, moment)
        follow_clock(marked)
    set_clock(monkeypatch, NOON + timedelta(hours=2))
    assert doubt(marked) is None


def test_an_engineer_confirms_the_date_and_nobody_else(marked, monkeypatch):
    set_clock(monkeypatch, NOON + timedelta(days=14))
    with acting(Person("Mo", Role.OPERATE)), pytest.raises(NotAllowed, match="confirm the date"):
        confirm_clock(marked)
    with acting(Person("Ann", Role.ENGINEER)):
        confirm_clock(marked)
    assert doubt(marked) is None
    with marked.database.read() as session:
        assert session.query(Event).one().person == "Ann"


def test_work_of_the_command_line_leads_on_while_the_dashboard_is_closed(marked, monkeypatch):
    for day in range(3, 31, 4):
        act(marked, NOON + timedelta(days=day))
    set_clock(monkeypatch, NOON + timedelta(days=30))
    assert doubt(marked) is None
    set_clock(monkeypatch, NOON + timedelta(days=40))
    assert "13 days after" in doubt(marked).sentence


def test_without_a_mark_the_last_activity_by_its_id_counts(workspace, monkeypatch):
    act(workspace, datetime(2035, 1, 1, tzinfo=UTC))  # of a wrong clock, long mended
    act(workspace, NOON)
    set_clock(monkeypatch, NOON + timedelta(days=1))
    assert doubt(workspace) is None


def test_the_mark_moves_once_an_hour_and_never_goes_back(marked, monkeypatch):
    for minutes, expected in [(10, 0), (70, 70), (20, 70)]:
        set_clock(monkeypatch, NOON + timedelta(minutes=minutes))
        follow_clock(marked)
        with marked.database.read() as session:
            at = session.query(Preference).one().value["at"]
            assert datetime.fromisoformat(at) == NOON + timedelta(minutes=expected)
            assert no_earlier_than(session) >= datetime.fromisoformat(at)


def test_the_latest_id_is_kept_once_a_week_where_it_grew(workspace, monkeypatch):
    for day, number in ((0, 3), (4, 9), (8, 20), (12, 20), (16, 20)):
        set_clock(monkeypatch, NOON + timedelta(days=day))
        with workspace.database.write() as session:
            if session.get(Inspection, number) is None:
                session.add(plain_inspection(number))
        follow_clock(workspace)
    with workspace.database.read() as session:
        latest = NOON + timedelta(days=17)
        assert stored_since(session, NOON, latest) == 3
        assert stored_since(session, NOON + timedelta(days=1), latest) == 20
        assert stored_since(session, NOON + timedelta(days=9), latest) is None


def plain_inspection(number):
    facts = {"source": "page", "sha256": "a" * 64, "name": "a.png", "inspector_name": "Plate"}
    return Inspection(id=number, **facts)
