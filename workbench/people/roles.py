"""People: who is acting, what their role lets them do, and the sentence for what it does not.

Functions that change something call `require` themselves, so that nobody gets around a page that hides a button. Who
is acting is asked of whoever knows: the dashboard tells by its sign-in (`identify_by`), a job by the name it was
submitted under (`acting`); without either it is the person at this computer, who may do everything.
"""

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import IntEnum
from functools import cache

from patchcore.errors import PatchCoreError


class Role(IntEnum):
    """What somebody may do; each role may do what those below it may."""

    NOBODY = 0  # signed in or not, but not on the list
    VIEW = 1  # look at everything
    OPERATE = 2  # bring images in, label them, decide on them
    ENGINEER = 3  # build, teach, set thresholds, delete

    @property
    def word(self) -> str:
        """The role as the list of people and the pages name it."""
        return self.name.lower()


class NotAllowed(PatchCoreError):
    """The person acting lacks the role that this takes."""


@dataclass(frozen=True)
class Person:
    """Somebody who acts.

    Attributes
    ----------
    name
        As it is kept with what they do.
    role
        What they may do.
    email
        By which the sign-in knows them; empty without sign-in.
    """

    name: str
    role: Role
    email: str = ""


_acting: ContextVar[Person | None] = ContextVar("acting", default=None)
_identify: list[Callable[[], Person | None]] = []


def identify_by(who: Callable[[], Person | None]) -> None:
    """Ask this from now on who is acting; it returns None where it does not know, as in a thread of its own."""
    _identify[:] = [who]


@contextmanager
def acting(person: Person) -> Iterator[None]:
    """Have all that the block does count as done by a person."""
    token = _acting.set(person)
    try:
        yield
    finally:
        _acting.reset(token)


def current() -> Person:
    """Return who is acting."""
    known = _acting.get() or next((person for who in _identify if (person := who()) is not None), None)
    return known or local_person()


def require(role: Role, what: str) -> Person:
    """Return who is acting, if they may.

    Parameters
    ----------
    role
        The least that it takes.
    what
        What is to be done, as it continues "may not ...": "change thresholds".

    Raises
    ------
    NotAllowed
        When they may not.
    """
    person = current()
    if person.role < role:
        raise NotAllowed(
            f"{person.name} may not {what}: that takes the role {role.word}, and theirs is {person.role.word}. "
            "Ask whoever keeps the list of people."
        )
    return person


@cache
def local_person() -> Person:
    """Return the person at this computer, by the name they are logged in under."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        name = "local"
    return Person(name, Role.ENGINEER)
