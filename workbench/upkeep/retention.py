"""Retention: how long history is kept, when the rule is applied, and the log of deletions.

The rule is not applied while the clock may be wrong (`workbench.storage.clock`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from patchcore.errors import Cancelled, SettingsError
from workbench.jobs.requests import JobState
from workbench.people.roles import Role, current, require
from workbench.storage.clock import ClockDoubt, confirm_clock, find_doubt, note_time
from workbench.storage.database import WorkspaceError
from workbench.storage.revisions import note_event
from workbench.storage.tables import Event, Inspection, Job, Preference
from workbench.storage.timestamps import now
from workbench.storage.workspace import Workspace
from workbench.upkeep.expiry import Gone, count_rows, delete_rows, is_old

if TYPE_CHECKING:
    from workbench.jobs.process import RunningJob

KIND = "retain"
RULE, RAN = "retention", "retention ran"  # names of preferences
DELETED = "delete old inspections"  # the event
EVERY = timedelta(days=1)
LONGEST = 1200  # months


def kept_months(workspace: Workspace) -> int | None:
    """Return the months that history is kept; None, the default, keeps it for ever."""
    with workspace.database.read() as session:
        rule = session.get(Preference, RULE)
    return None if rule is None else rule.value.get("months")


def keep_for(workspace: Workspace, months: int | None) -> int | None:
    """Set how long history is kept, and return the job that deletes older history, if one is needed.

    Raises
    ------
    NotAllowed
        When the person acting is not an engineer.
    SettingsError
        When it is less than a month.
    """
    require(Role.ENGINEER, "set how long history is kept")
    if months is not None and not 1 <= months <= LONGEST:
        raise SettingsError(
            f"History is kept for 1 to {LONGEST} months, or for ever, not for {months} months."
        )
    with workspace.database.write() as session:
        _remember(session, RULE, {"months": months})
        note_event(session, "keep history", months=months)
        note_time(session)
        _forget(session, RAN)
    return submit_if_due(workspace)


def submit_if_due(workspace: Workspace) -> int | None:
    """Submit the job that deletes old history, once a day; return its id, or None when nothing is due."""
    with workspace.database.read() as session:  # the common case writes nothing
        if not _is_due(session):
            return None
    with workspace.database.write() as session:
        if not _is_due(session):
            return None
        rule = session.get_one(Preference, RULE)
        months = rule.value["months"]
        title = f"Deleting inspections older than {_words(months)}"
        job = Job(kind=KIND, title=title, arguments={}, state=JobState.QUEUED, made_by=rule.made_by)
        session.add(job)
        _remember(session, RAN, {"at": now().isoformat()})
    return job.id


def why_held(workspace: Workspace) -> ClockDoubt | None:
    """Return why the rule is not applied at present; None where it is, or where there is none."""
    with workspace.database.read() as session:
        rule = session.get(Preference, RULE)
        return None if rule is None or rule.value.get("months") is None else find_doubt(session)


def go_on(workspace: Workspace) -> int | None:
    """Apply the rule again after a person has confirmed the date; return as `submit_if_due`.

    Raises
    ------
    NotAllowed
        When the person acting is not an engineer.
    """
    confirm_clock(workspace)
    return submit_if_due(workspace)


def run_retention(job: RunningJob) -> dict[str, Any]:
    """Do the job: delete by the rule now in force."""
    months = kept_months(job.workspace)
    gone = Gone()
    if months is not None:
        gone = delete_older(job.workspace, months, progress=job.progress, cancelled=job.cancelled)
    return asdict(gone)


def older_than(months: int, moment: datetime | None = None) -> datetime:
    """Return the time so many months ago: the same day of the month, or the month's last day."""
    here = moment or now()
    count = here.year * 12 + here.month - 1 - months
    year, month = max(1, count // 12), count % 12 + 1
    for day in range(here.day, 27, -1):
        try:
            return here.replace(year=year, month=month, day=day)
        except ValueError:  # no 31st in that month
            continue
    return here.replace(year=year, month=month)


def delete_older(
    workspace: Workspace,
    months: int,
    *,
    progress: Callable[[str, int, int], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Gone:
    """Delete inspections older than so many months, with the rows and files that only they need; count and log them.

    Raises
    ------
    NotAllowed
        When the person acting is not an engineer.
    WorkspaceError
        When the clock may be wrong; nothing is deleted.
    Cancelled
        When it was stopped in between; the deletions so far are logged.
    """
    require(Role.ENGINEER, "delete inspections")
    before, gone, event = older_than(months), Gone(), None
    with workspace.database.read() as session:
        if (doubt := find_doubt(session)) is not None:
            raise WorkspaceError(doubt.sentence)
        old = is_old(session, before)
        total = session.scalar(select(func.count(Inspection.id)).where(old)) or 0
    while gone.inspections < total:
        if cancelled():
            raise Cancelled("Deleting old inspections was stopped.")
        with workspace.database.write() as session:
            piece = delete_rows(workspace, session, old)
            gone += piece.gone
            event = _log(session, event, months, before, gone)
        piece.delete_files()
        if progress:
            progress("deleting", gone.inspections, total)
        if piece.gone.inspections == 0:
            break
    return gone


def what_goes(workspace: Workspace, months: int) -> Gone:
    """Count the deletions of the rule now; nothing is changed."""
    with workspace.database.read() as session:
        return count_rows(workspace, session, is_old(session, older_than(months)))


def deletions(workspace: Workspace) -> list[Event]:
    """Return the last ten deletions by the rule, newest first."""
    query = select(Event).where(Event.action == DELETED).order_by(Event.id.desc()).limit(10)
    with workspace.database.read() as session:
        return list(session.scalars(query))


# ---- the rule


def _is_due(session: Session) -> bool:
    rule, ran = session.get(Preference, RULE), session.get(Preference, RAN)
    if rule is None or rule.value.get("months") is None:
        return False
    # A time of the last run that is yet to come is a wrong clock's, and delays nothing.
    if ran is not None and timedelta() <= now() - datetime.fromisoformat(ran.value["at"]) < EVERY:
        return False
    waiting = exists().where(Job.kind == KIND, Job.state.in_((JobState.QUEUED, JobState.RUNNING)))
    too_old = exists().where(is_old(session, older_than(rule.value["months"])))
    return bool(session.scalar(select(too_old & ~waiting))) and find_doubt(session) is None


def _remember(session: Session, name: str, value: dict[str, Any]) -> None:
    row = session.get(Preference, name) or Preference(name=name)
    row.value, row.made_by, row.changed = value, current().name, now()
    session.add(row)


def _forget(session: Session, name: str) -> None:
    row = session.get(Preference, name)
    if row is not None:
        session.delete(row)


def _log(session: Session, event: int | None, months: int, before: datetime, gone: Gone) -> int | None:
    """Log the deletions in their own transaction, one event for all pieces."""
    if gone.inspections == 0:
        return None
    details = {"months": months, "before": before.isoformat()} | asdict(gone)
    row = Event(person=current().name, action=DELETED, details=details) if event is None else None
    if row is None:
        row = session.get_one(Event, event)
        row.details = details
    session.add(row)
    session.flush()
    return row.id


def _words(months: int) -> str:
    return "a month" if months == 1 else f"{months} months"
