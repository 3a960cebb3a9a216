"""The list of people: the role it gives to an account, and whether a server is open to other computers.

The list is a file that an administrator writes by hand. It is read again whenever a role is needed::

    "anna@example.com" = "engineer"                         # view, operate or engineer
    "https://login.example.com/tenant 4f2a" = "operate"     # an account: its provider, a space, its subject there
    default = "view"                                        # for all others who sign in; left out: no role
    ask = "Anna, phone 4711"                                # the person to ask for a role

A provider's tokens name an account by issuer and subject; this pair never changes hands. An e-mail
address counts only where the provider says that it has verified it.

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
from urllib.parse import urlsplit

from patchcore.errors import PatchCoreError
from workbench.people.roles import Person, Role

FILE, VARIABLE = "people.toml", "PATCHCORE_PEOPLE"
DEFAULT, ASK = "default", "ask"
ROLES = {role.word: role for role in Role if role != Role.NOBODY}
LONGEST_NAME = 80
WHOM = "the administrator of this dashboard"
ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")
ACCOUNT = re.compile(r"(https?://\S+)\s+(\S.*)", re.IGNORECASE)


class PeopleError(PatchCoreError):
    """The list of people cannot be used; the message names the file, the line and what to write instead."""


@dataclass(frozen=True)
class Account:
    """Somebody's account at a provider.

    Attributes
    ----------
    issuer
        The provider, as its tokens name it, without a slash at the end.
    subject
        The account's name at that provider; never given to another account.
    """

    issuer: str
    subject: str

    @classmethod
    def of(cls, issuer: str, subject: str) -> Account:
        """Return an account; a slash at the end of the issuer makes no difference."""
        return cls(issuer.strip().rstrip("/"), subject)

    def __str__(self) -> str:
        """The account as the list of people writes it."""
        return f"{self.issuer} {self.subject}"

    @property
    def short(self) -> str:
        """The account as the history writes it behind a person's name."""
        return f"{self.subject} at {urlsplit(self.issuer).netloc or self.issuer}"


@dataclass(frozen=True)
class People:
    """The list of people, read.

    Attributes
    ----------
    roles
        By e-mail address, in small letters.
    accounts
        By account.
    default
        The role of everybody else who signs in.
    ask
        The person to ask for a role.
    """

    roles: Mapping[str, Role] = field(default_factory=dict)
    accounts: Mapping[Account, Role] = field(default_factory=dict)
    default: Role = Role.NOBODY
    ask: str = WHOM

    def role_of(self, email: str) -> Role:
        """Return the role of an address; `Role.NONE` for an empty or unlisted one."""
        address = plain_address(email)
        return self.roles.get(address, self.default) if address else Role.NOBODY


def people_file(workspace: Path) -> Path:
    """Return the path of the list: ``PATCHCORE_PEOPLE``, else ``people.toml`` in the workspace."""
    chosen = os.environ.get(VARIABLE)
    if not chosen:
        return workspace / FILE
    try:
        return Path(chosen).expanduser()
    except RuntimeError:  # "~somebody" for a user unknown to this computer: the file cannot exist either
        return Path(chosen)


def read_people(path: Path) -> People:
    """Return the list as it is now.

    Raises
    ------
    PeopleError
        When the file is missing, cannot be read, or has a faulty line.
    """
    try:
        return _parsed(path, path.read_bytes())
    except FileNotFoundError as error:
        raise PeopleError(
            f'There is no list of people. Make the file {path} with a line such as "you@example.com" = "engineer".'
        ) from error
    except OSError as error:
        raise PeopleError(f"The list of people {path} cannot be read ({error.strerror}).") from error


def account_of(claims: Mapping[str, Any]) -> Account | None:
    """Return the account named by a provider's claims; None where issuer or subject is missing."""
    issuer, subject = claims.get("iss"), claims.get("sub")
    if (
        not isinstance(issuer, str)
        or not isinstance(subject, str)
        or not issuer.strip()
        or not subject.strip()
    ):
        return None
    return Account.of(issuer, subject)


def verified_address(claims: Mapping[str, Any]) -> str:
    """Return the e-mail address if the provider says that it has verified it; else an empty text.

    Some providers write the word "true" instead of the truth value. Any other value, also none, counts as not verified.
    """
    verified, email = claims.get("email_verified"), claims.get("email")
    if not isinstance(email, str) or not (verified is True or verified == "true"):
        return ""
    return email.strip() if ADDRESS.fullmatch(email.strip()) else ""


def person_of(claims: Mapping[str, Any], people: People) -> Person:
    """Return the person named by a provider's claims, with their role from the list.

    The history keeps the name together with the address or the account: at many providers people choose their name
    themselves, and also an address that is not verified.
    """
    account, email = account_of(claims), verified_address(claims)
    seen = "".join(sign if sign.isprintable() else " " for sign in str(claims.get("name") or ""))
    name = " ".join(seen.split())[:LONGEST_NAME]
    role = Role.NOBODY
    if account is not None:
        role = people.accounts.get(account, people.role_of(email))
    proof = email or ("" if account is None else account.short)
    said = f"{name} ({proof})" if name and proof and name != proof else name or proof
    return Person(said or "somebody without a name", role, email)


def plain_address(email: str) -> str:
    """Return an address in small letters. Only A to Z change: a look-alike letter must not turn into one of them."""
    return re.sub("[A-Z]", lambda letter: letter[0].lower(), email.strip())


def is_local(address: str | None) -> bool:
    """Whether a server at this address can be reached from its own computer only; never so for None."""
    name = (address or "").strip().strip("[]").casefold()
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:  # a name may stand for any address, and None means every address of the computer
        return False


@lru_cache(maxsize=8)
def _parsed(path: Path, content: bytes) -> People:
    try:
        text = content.decode("utf-8-sig")
        data = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise PeopleError(f"{path}, line {line}: this is not UTF-8 text. Save the file as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise PeopleError(
            f"{path}, {_where(str(error), text)}. Write each person once, on a line of their own, address and role in "
            'quotation marks: "you@example.com" = "engineer".'
        ) from error
    listed: dict[Account | str, Role] = {}
    for key, value in data.items():
        place = _place(path, text, key)
        if key == ASK:
            _require(isinstance(value, str), f"{place}: write after {ASK} whom to ask, in quotation marks.")
            continue
        entry = key if key == DEFAULT else _entry(place, key)
        kind = "account" if isinstance(entry, Account) else "address"
        _require(entry not in listed, f"{place}: this {kind} is listed twice. Keep one of the lines.")
        listed[entry] = _role(place, value)
    default = listed.pop(DEFAULT, Role.NOBODY)
    return People(
        roles={entry: role for entry, role in listed.items() if isinstance(entry, str)},
        accounts={entry: role for entry, role in listed.items() if isinstance(entry, Account)},
        default=default,
        ask=data.get(ASK) or WHOM,
    )


def _entry(place: str, key: str) -> Account | str:
    """Return the account or the address that begins a line."""
    if found := ACCOUNT.fullmatch(key.strip()):
        return Account.of(found[1], found[2])
    _require(
        ADDRESS.fullmatch(key.strip()) is not None and "://" not in key,
        f'{place}: "{key}" is neither an e-mail address nor an account. Write it whole and in quotation marks, as in '
        '"you@example.com" = "engineer" or "https://login.example.com/tenant subject" = "engineer".',
    )
    return plain_address(key)


def _role(place: str, value: object) -> Role:
    _require(
        isinstance(value, str) and value in ROLES,
        f"{place}: the role is none of {', '.join(ROLES)}. Write one of them, in quotation marks.",
    )
    return ROLES[str(value)]


def _where(fault: str, text: str) -> str:
    """Return the parser's words with the line in front."""
    what, _, place = fault.rstrip(")").partition(" (at ")
    line = place.removeprefix("line ").partition(",")[0]
    return f"line {line if line.isdigit() else max(1, len(text.splitlines()))}: {what[:1].lower()}{what[1:]}"


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise PeopleError(otherwise)


def _place(path: Path, text: str, key: str) -> str:
    """Return the file and the last line that begins with a key; of two such lines, the last is the wrong one."""
    lines = [
        number
        for number, line in enumerate(text.splitlines(), start=1)
        if line.lstrip(" \t[\"'").startswith(key)
    ]
    return f"{path}, line {lines[-1]}" if lines else str(path)
