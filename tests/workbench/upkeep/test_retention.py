"""Retention: the role that may set the rule, the time of its application, and its log."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from patchcore.errors import SettingsError
from tests.workbench.clocks import set_clock
from tests.workbench.processes import wait_until
from tests.workbench.upkeep.test_expiry import age
from workbench.jobs.queue import JobQueue
from workbench.jobs.requests import JobState, get_job, list_jobs
from workbench.people.roles import NotAllowed, Person, Role, acting
from workbench.storage.clock import MARK, follow_clock
from workbench.storage.database import WorkspaceError
from workbench.storage.tables import Event, Inspection, Job, Preference
from workbench.storage.timestamps import now
from workbench.upkeep import retention
from workbench.upkeep.retention import (
    delete_older,
    deletions,
    go_on,
    keep_for,
    kept_months,
    older_than,
    submit_if_due,
    why_held,
)


@pytest.mark.parametrize(
    ("months", "moment", "expected"),
    [
        (12, (2026, 3, 1), (2025, 3, 1)),
        (1, (2026, 3, 31), (2026, 2, 28)),
        (1, (2026, 1, 15), (2025, 12, 15)),
        (24, (2024, 2, 29), (2022, 2, 28)),
        (48, (2024, 2, 29), (2020, 2, 29)),
        (13, (2026, 1, 30), (2024, 12, 30)),
    ],
)
def test_months_are_those_of_the_calendar(months, moment, expected):
    assert older_than(months, datetime(*moment, 9, 30, tzinfo=UTC)) == datetime(*expected, 9, 30, tzinfo=UTC)


def test_until_somebody_says_otherwise_everything_is_kept(worked):
    age(worked)
    assert kept_months(worked) is None and submit_if_due(worked) is None


def test_only_an_engineer_sets_it_and_it_has_bounds(worked):
    for role in (Role.VIEW, Role.OPERATE):
        with acting(Person("Mo", role)), pytest.raises(NotAllowed, match="how long history is kept"):
            keep_for(worked, 12)
    for months in (0, -1, 5000):
        with pytest.raises(SettingsError, match="1 to 1200 months"):
            keep_for(worked, months)
    with acting(Person("Ann", Role.ENGINEER)):
        assert keep_for(worked, 12) is None  # nothing is so old
        assert keep_for(worked, None) is None and kept_months(worked) is None
    with worked.database.read() as session:
        events = session.scalars(select(Event).where(Event.action == "keep history"))
        assert [(event.person, event.details["months"]) for event in events] == [("Ann", 12), ("Ann", None)]


def test_the_rule_is_applied_when_set_then_once_a_day(worked):
    age(worked)
    job = keep_for(worked, 12)
    assert get_job(worked, job).title == "Deleting inspections older than 12 months"
    assert submit_if_due(worked) is None
    with worked.database.write() as session:
        session.get_one(retention.Job, job).state = JobState.DONE
    assert submit_if_due(worked) is None
    with worked.database.write() as session:
        yesterday = (now() - timedelta(hours=25)).isoformat()
        session.get_one(Preference, retention.RAN).value = {"at": yesterday}
    assert submit_if_due(worked) == job + 1


def test_the_server_applies_it_by_itself(worked):
    age(worked)
    with acting(Person("Ann", Role.ENGINEER)), worked.database.write() as session:
        session.add(Preference(name=retention.RULE, value={"months": 12}, made_by="Ann"))
    queue = JobQueue(worked, housekeeping=retention.submit_if_due).start()
    try:
        wait_until(
            lambda: any(job.state == JobState.DONE for job in list_jobs(worked) if job.kind == "retain")
        )
        wait_until(lambda: not queue._children)
    finally:
        queue.stop()
    (job, *_) = list_jobs(worked)
    assert job.result["inspections"] == 3 and job.made_by == "Ann"
    (event,) = deletions(worked)
    assert (event.details["inspections"], event.details["months"]) == (3, 12)
    with worked.database.read() as session:
        assert session.scalars(select(Inspection)).all() == []


# ---- a clock that is wrong


def set_times(workspace, *times):
    with workspace.database.write() as session:
        rows = session.scalars(select(Inspection).order_by(Inspection.id)).all()
        for row, moment in zip(rows, times, strict=True):
            row.created = moment


def rest(workspace):
    with workspace.database.read() as session:
        return list(session.scalars(select(Inspection.id).order_by(Inspection.id)))


def test_verdicts_of_a_clock_that_stood_in_2000_stay_with_the_younger_ones_before_them(worked):
    year_2000 = datetime(2000, 1, 1, 8, tzinfo=UTC)
    set_times(worked, now() - timedelta(days=1), year_2000, year_2000 + timedelta(minutes=1))
    assert keep_for(worked, 1) is None
    assert delete_older(worked, 1).inspections == 0 and rest(worked) == [1, 2, 3]
    set_times(worked, now() - timedelta(days=400), year_2000, now())
    assert delete_older(worked, 1).inspections == 2 and rest(worked) == [3]


def test_verdicts_of_a_clock_that_stood_in_2000_stay_on_a_line_that_has_no_other(worked, monkeypatch):
    here = now()
    with worked.database.write() as session:
        # The dashboard ran when there was one verdict, long deleted by now.
        session.add(Preference(name=MARK, value={"at": here.isoformat(), "ids": [[here.isoformat(), 0]]}))
    set_times(worked, *[datetime(2000, 1, 1, 8, minute, tzinfo=UTC) for minute in range(3)])
    set_clock(monkeypatch, here + timedelta(days=3))
    assert delete_older(worked, 1).inspections == 0 and len(rest(worked)) == 3


def test_a_verdict_whose_time_is_yet_to_come_goes_when_a_later_one_does(worked):
    old, year_2035 = now() - timedelta(days=400), datetime(2035, 1, 1, tzinfo=UTC)
    set_times(worked, year_2035, old, year_2035)
    assert delete_older(worked, 12).inspections == 2 and rest(worked) == [3]


def test_a_clock_far_ahead_deletes_nothing_until_an_engineer_confirms_it(worked, monkeypatch):
    follow_clock(worked)
    assert keep_for(worked, 12) is None and why_held(worked) is None
    set_clock(monkeypatch, now() + timedelta(days=3000))
    set_times(worked, now() - timedelta(days=3000), now() - timedelta(days=3000), now())  # work goes on
    assert submit_if_due(worked) is None and "3,000 days after" in why_held(worked).sentence
    with pytest.raises(WorkspaceError, match="Nothing is deleted by its age"):
        delete_older(worked, 12)
    with acting(Person("Mo", Role.OPERATE)), pytest.raises(NotAllowed):
        go_on(worked)
    assert rest(worked) == [1, 2, 3]
    assert go_on(worked) is not None and why_held(worked) is None
    assert delete_older(worked, 12).inspections == 2 and rest(worked) == [3]


def test_a_shop_that_was_closed_for_two_weeks_is_not_held_for_good(worked, monkeypatch):
    age(worked)
    follow_clock(worked)
    job = keep_for(worked, 12)
    with worked.database.write() as session:
        session.get_one(Job, job).state = JobState.DONE
    set_clock(monkeypatch, now() + timedelta(days=14))
    assert submit_if_due(worked) is None and why_held(worked) is not None
    assert go_on(worked) == job + 1
    assert delete_older(worked, 12).inspections == 3


def test_a_last_run_in_the_future_delays_nothing(worked):
    age(worked)
    job = keep_for(worked, 12)
    with worked.database.write() as session:
        session.get_one(Job, job).state = JobState.DONE
        session.get_one(Preference, retention.RAN).value = {"at": (now() + timedelta(days=3000)).isoformat()}
    assert submit_if_due(worked) == job + 1
