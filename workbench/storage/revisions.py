"""Revisions of an inspector: one writer at a time, on the revision they saw; each change is kept as an event."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from workbench.people.roles import current
from workbench.storage.database import WorkspaceError, required
from workbench.storage.tables import Event, Inspector


class ChangedMeanwhile(WorkspaceError):
    """Somebody else has changed the inspector since this person looked at it."""


def note_change(
    session: Session, inspector_id: str, action: str, *, seen: int | None = None, **details: Any
) -> Inspector:
    """Count a change of an inspector and record the person; called in the transaction of the change.

    Parameters
    ----------
    action
        A verb and its object, such as "set threshold"; at most 32 characters.
    seen
        The `Inspector.revision` that the person saw; None where nobody looked, as in a job.
    details
        Facts about the change for later readers; JSON types.

    Raises
    ------
    ChangedMeanwhile
        When the inspector has a newer revision; nothing is changed then.
    WorkspaceError
        When the inspector does not exist.
    """
    inspector = required(session, Inspector, inspector_id, f"There is no inspector {inspector_id}.")
    if seen is not None and inspector.revision != seen:
        raise ChangedMeanwhile(_what_happened(session, inspector, seen))
    inspector.revision += 1
    session.add(
        Event(
            person=current().name,
            action=action,
            inspector_id=inspector_id,
            revision=inspector.revision,
            details=details,
        )
    )
    return inspector


def note_event(session: Session, action: str, inspector_id: str | None = None, **details: Any) -> None:
    """Record an action of the person acting that no later change can contradict."""
    session.add(Event(person=current().name, action=action, inspector_id=inspector_id, details=details))


def _what_happened(session: Session, inspector: Inspector, seen: int) -> str:
    since = select(Event).where(Event.inspector_id == inspector.id, Event.revision > seen)
    events = list(session.scalars(since.order_by(Event.id.desc())))
    words = "It was changed"
    if events:
        latest = events[0]
        words = f"{latest.person} changed it ({latest.action}, {latest.created:%Y-%m-%d %H:%M} UTC)"
        if len(events) > 1:
            words += f", the last of {len(events)} changes,"
    return (
        f"{words} since you looked at {inspector.name}, so your change was not made. Look at the present state, "
        "then change it if you still want to."
    )
