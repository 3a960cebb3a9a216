"""People and roles: the person acting, what their role allows, and the sentence for what it forbids.

Functions that change something call `require` themselves, so that nobody gets around a page that hides a button. The
dashboard identifies the person by sign-in (`identify_by`), a job by the person who submitted it (`acting`). Without
either, the person at this computer acts, who may do everything.
"""

import getpass
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import IntEnum
from functools import cache

from patchcore.errors import PatchCoreError


class Role(IntEnum):
    """Permissions of a person; each role includes the lower ones."""

    NOBODY = 0  # signed in or not, but not on the list
    VIEW = 1  # look at everything
    OPERATE = 2  # bring images in, label them, decide on them
    ENGINEER = 3  # build, teach, set thresholds, delete

    @property
    def word(self) -> str:
        """The role's name in the list of people and on the pages."""
        return self.name.lower()


class NotAllowed(PatchCoreError):
    """The person acting lacks the role for this action."""


@dataclass(frozen=True)
class Person:
    """A person who acts.

    Attributes
    ----------
    name
        As the history keeps it with the person's actions.
    role
        The person's permissions.
    email
        The address that the sign-in knows; empty without sign-in.
    """

    name: str
    role: Role
    email: str = ""

    @property
    def folder(self) -> str:
        """Name of the person's own folders, the same at each sign-in."""
        return hashlib.sha256((self.email or self.name).casefold().encode()).hexdigest()[:16]


_acting: ContextVar[Person | None] = ContextVar("acting", default=None)
_identify: list[Callable[[], Person | None]] = []


def identify_by(who: Callable[[], Person | None]) -> None:
    """Use this function from now on to identify the person acting; it returns None where nobody is known."""
    _identify[:] = [who]


@contextmanager
def acting(person: Person) -> Iterator[None]:
    """Let a person count as the one acting within the block."""
    token = _acting.set(person)
    try:
        yield
    finally:
        _acting.reset(token)


def current() -> Person:
    """Return the person acting."""
    known = _acting.get() or next((person for who in _identify if (person := who()) is not None), None)
    return known or local_person()


def require(role: Role, what: str) -> Person:
    """Return the person acting, if their role suffices.

    Parameters
    ----------
    role
        The lowest role that may do this.
    what
        The action, as words that continue "may not ...": "change thresholds".

    Raises
    ------
    NotAllowed
        When the role does not suffice.
    """
    person = current()
    if person.role < role:
        raise NotAllowed(
            f"{person.name} may not {what}: this takes the role {role.word}; theirs is {person.role.word}. "
            "Ask the administrator of the list of people."
        )
    return person


@cache
def local_person() -> Person:
    """Return the person at this computer, by their login name."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user may have no name; Windows lacks `pwd`
        name = "local"
    return Person(name, Role.ENGINEER)
