"""The clock of this computer, as far as the workspace can check it: deletion by age asks here first.

The workspace keeps a mark: the latest moment at which something was done here, or at which the dashboard ran. A clock
that is days beyond the mark, or days before it, may be wrong. Then nothing is deleted by age until the clock is set
right or an engineer has confirmed the date.

With the mark, the latest id of the inspections is kept once a week: what was stored later has a higher id, by whichever
clock it was dated.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from workbench.people.roles import Role, current, require
from workbench.storage.revisions import note_event
from workbench.storage.tables import Event, Inspection, Job, Preference
from workbench.storage.timestamps import now
from workbench.storage.workspace import Workspace

MARK = "clock"  # name of the preference
LONGEST_PAUSE = timedelta(days=5)  # a long weekend
STEP = timedelta(hours=1)  # between two writings of the mark
WEEK = timedelta(days=7)  # between two ids that are kept
ACTIVITY = (Inspection, Event, Job)


@dataclass(frozen=True)
class ClockDoubt:
    """A clock that may be wrong.

    Attributes
    ----------
    clock
        The time by the clock.
    mark
        The latest moment at which anything is known to have been done.
    """

    clock: datetime
    mark: datetime

    @property
    def sentence(self) -> str:
        """The doubt, its consequence and the remedy."""
        days = abs(self.clock - self.mark).days
        is_ahead = self.clock > self.mark
        reason = ": nobody worked here for days, or it went on by days at once" if is_ahead else ""
        return (
            f"The clock of the dashboard's computer says {_day(self.clock)}, {days:,} days "
            f"{'after' if is_ahead else 'before'} the last moment that is certain ({_day(self.mark)}){reason}. Nothing "
            "is deleted by its age until an engineer has confirmed the date. Set the clock right if it is wrong."
        )


def find_doubt(session: Session) -> ClockDoubt | None:
    """Return why the clock may be wrong; None where nothing speaks against it."""
    here = now()
    mark = _reached(session, _mark(session, here), here)
    return None if abs(here - mark) <= LONGEST_PAUSE else ClockDoubt(here, mark)


def follow_clock(workspace: Workspace) -> None:
    """Move the mark on to the present, unless the clock may be wrong."""
    with workspace.database.read() as session:  # the common case writes nothing
        if not _is_behind(session):
            return
    with workspace.database.write() as session:
        if _is_behind(session):
            note_time(session)


def note_time(session: Session) -> None:
    """Move the mark to the present, unless the clock may be wrong; called in a transaction."""
    if find_doubt(session) is None:
        _put(session, now())


def stored_since(session: Session, moment: datetime, latest: datetime) -> int | None:
    """Return an id so that every inspection of a higher one was stored after a moment; None where none is known.

    Parameters
    ----------
    latest
        Marks beyond it are a wrong clock's.
    """
    row = session.get(Preference, MARK)
    marks = [] if row is None else row.value["ids"]
    found = [number for at, number in marks if moment <= datetime.fromisoformat(at) <= latest]
    return min(found, default=None)


def confirm_clock(workspace: Workspace) -> None:
    """Note that a person takes the clock for right.

    Raises
    ------
    NotAllowed
        When the person acting is not an engineer.
    """
    require(Role.ENGINEER, "confirm the date")
    with workspace.database.write() as session:
        note_event(session, "confirm the date")
        _put(session, now())


def no_earlier_than(session: Session) -> datetime:
    """Return a moment that the present cannot precede, whatever the clock says."""
    return max(now(), _mark(session, now()))


def _is_behind(session: Session) -> bool:
    row = session.get(Preference, MARK)
    return row is None or now() - datetime.fromisoformat(row.value["at"]) >= STEP


def _mark(session: Session, here: datetime) -> datetime:
    """Return the mark; before there is one, the latest activity by the order of ids."""
    row = session.get(Preference, MARK)
    if row is not None:
        return datetime.fromisoformat(row.value["at"])
    latest = [session.scalar(select(table.created).order_by(table.id.desc()).limit(1)) for table in ACTIVITY]
    known = [moment for moment in latest if moment is not None]
    return max([moment for moment in known if moment <= here] or known, default=here)


def _reached(session: Session, mark: datetime, here: datetime) -> datetime:
    """Follow the activity from the mark on, as far as it goes without a long pause.

    A dashboard that was closed has moved no mark, though the command line may have judged meanwhile.
    """
    while mark + LONGEST_PAUSE < here:
        found = [
            session.scalar(
                select(func.max(table.created)).where(
                    table.created > mark,
                    table.created <= mark + LONGEST_PAUSE,
                )
            )
            for table in ACTIVITY
        ]
        latest = max((moment for moment in found if moment is not None), default=None)
        if latest is None:
            break
        mark = latest
    return mark


def _put(session: Session, moment: datetime) -> None:
    row = session.get(Preference, MARK) or Preference(name=MARK, value={"ids": []})
    ids = list(row.value["ids"])
    latest = session.scalar(select(func.max(Inspection.id))) or 0
    if not ids or (moment - datetime.fromisoformat(ids[-1][0]) >= WEEK and latest > ids[-1][1]):
        ids.append([moment.isoformat(), latest])
    row.value, row.made_by, row.changed = {"at": moment.isoformat(), "ids": ids}, current().name, moment
    session.add(row)


def _day(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"
