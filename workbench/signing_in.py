"""Signing in: who is on the list of people and with which role; and whether a server is open to other computers.

The list is a file that an administrator writes by hand, read anew whenever it matters::

    "anna@example.com" = "engineer"     # view, operate or engineer
    "ben@example.com" = "operate"
    default = "view"                    # of those who sign in and are not listed; left out: none
    ask = "Anna, phone 4711"            # whom those should ask who may do nothing

A list that cannot be read gives nobody any role: rights never come from a mistake.
"""

from __future__ import annotations

import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from patchcore.errors import PatchCoreError
from workbench.people import Person, Role

FILE = "people.toml"
DEFAULT, ASK = "default", "ask"
ROLES = {role.word: role for role in Role if role != Role.NOBODY}
LONGEST_NAME = 80
WHOM = "whoever runs this dashboard"


class PeopleError(PatchCoreError):
    """The list of people cannot be used; the message names the file, the line and what to write instead."""


@dataclass(frozen=True)
class People:
    """Who may do what.

    Attributes
    ----------
    roles
        By e-mail address, in small letters.
    default
        The role of those who are not listed.
    ask
        Whom those should ask who may do nothing.
    """

    roles: Mapping[str, Role] = field(default_factory=dict)
    default: Role = Role.NOBODY
    ask: str = WHOM

    def role_of(self, email: str) -> Role:
        """Return the role of whoever has an address; of nobody without one."""
        address = _plain(email)
        return self.roles.get(address, self.default) if address else Role.NOBODY


def people_file(workspace: Path) -> Path:
    """Return where the list is: ``PATCHCORE_PEOPLE``, else ``people.toml`` in the workspace."""
    chosen = os.environ.get("PATCHCORE_PEOPLE")
    return Path(chosen).expanduser() if chosen else workspace / FILE


def read_people(path: Path) -> People:
    """Return the list as it is now.

    Raises
    ------
    PeopleError
        When it is not there or not as it should be.
    """
    try:
        return _parsed(path, path.read_bytes())
    except FileNotFoundError as error:
        raise PeopleError(
            f'There is no list of people. Make the file {path} with a line such as "you@example.com" = "engineer".'
        ) from error
    except OSError as error:
        raise PeopleError(f"The list of people {path} cannot be read ({error.strerror}).") from error


def person_of(claims: Mapping[str, Any], people: People) -> Person:
    """Return whom the provider's claims about a person make them here.

    The name that is kept with what they do has their address in it: the name alone is theirs to choose at many
    providers. An address that the provider says is not verified counts for nothing.
    """
    email = str(claims.get("email") or "").strip()
    verified = claims.get("email_verified", True)
    name = " ".join(str(claims.get("name") or "").split())[:LONGEST_NAME]
    role = people.role_of(email) if verified in (True, "true") else Role.NOBODY
    said = f"{name} ({email})" if name and email and name != email else name or email
    return Person(said or "somebody without a name", role, email)


def is_local(address: str | None) -> bool:
    """Whether a server that listens at this address is reached from its own computer only; None: it is not."""
    name = (address or "").strip().strip("[]").casefold()
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:  # a name, of whatever it may be, or none: every address of the computer
        return False


@lru_cache(maxsize=8)
def _parsed(path: Path, content: bytes) -> People:
    try:
        text = content.decode()
        data = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise PeopleError(f"{path}, line {line}: this is not UTF-8 text. Save the file as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise PeopleError(
            f"{path}, {_where(str(error), text)}. Write each person once, on a line of their own, address and role in "
            'quotation marks: "you@example.com" = "engineer".'
        ) from error
    roles: dict[str, Role] = {}
    for key, value in data.items():
        place = _place(path, text, key)
        if key == ASK:
            _require(isinstance(value, str), f"{place}: write after {ASK} whom to ask, in quotation marks.")
            continue
        _require(
            key == DEFAULT or "@" in key,
            f'{place}: "{key}" is no e-mail address. Write it whole and in quotation marks, as in '
            '"you@example.com" = "engineer".',
        )
        _require(
            isinstance(value, str) and value in ROLES,
            f"{place}: the role is none of {', '.join(ROLES)}. Write one of them, in quotation marks.",
        )
        address = _plain(key)
        _require(address not in roles, f"{place}: this address is listed twice. Keep one of the lines.")
        roles[address] = ROLES[value]
    default = roles.pop(DEFAULT, Role.NOBODY)
    return People(roles, default, data.get(ASK) or WHOM)


def _where(fault: str, text: str) -> str:
    """Return the parser's words with the line in front."""
    what, _, place = fault.rstrip(")").partition(" (at ")
    line = place.removeprefix("line ").partition(",")[0]
    return f"line {line if line.isdigit() else max(1, len(text.splitlines()))}: {what[:1].lower()}{what[1:]}"


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise PeopleError(otherwise)


def _plain(email: str) -> str:
    """Return an address in small letters; of other letters than A to Z none is taken for another."""
    return re.sub("[A-Z]", lambda letter: letter[0].lower(), email.strip())


def _place(path: Path, text: str, key: str) -> str:
    """Return the file and the last line that begins with a key: the one that is wrong where there are two."""
    lines = [
        number
        for number, line in enumerate(text.splitlines(), start=1)
        if line.lstrip(" \t[\"'").startswith(key)
    ]
    return f"{path}, line {lines[-1]}" if lines else str(path)
