"""The signed-in person, and the set-up of signing in, read from Streamlit and the environment."""

import ipaddress
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from sqlalchemy.exc import SQLAlchemyError
from streamlit import config
from streamlit.auth_util import get_cookie_with_chunks
from streamlit.errors import StreamlitSecretNotFoundError
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from patchcore.errors import PatchCoreError
from workbench.people import accounts
from workbench.people.accounts import Account, People
from workbench.people.roles import Person, Role
from workbench.people.sign_in_setup import (
    GUIDE,
    Setup,
    Wish,
    wishes_of_files,
    wishes_of_people,
    wishes_of_variables,
)
from workbench.storage.address_owners import claim
from workbench.storage.database import WorkspaceError
from workbench.storage.workspace import Workspace, database_url, workspace_root

STRANGER = Person("somebody who is not signed in", Role.NOBODY)
DASHBOARD = Person("the dashboard", Role.VIEW)  # its own threads; they change nothing in anybody's name
OPEN_NETWORK = "PATCHCORE_OPEN_NETWORK"
SETUP_SECONDS = 1.0  # for which a page takes signing in to be set up as it was
OWNER_SECONDS = 2.0  # for which an address that was an account's is taken to be so still
OPTIONS = ("secrets.files", "server.cookieSecret", "server.trustedUserHeaders")
CLOSED = (
    "This dashboard can be reached from other computers ({how}), and nobody has to sign in: everybody who reaches it "
    "could change and delete everything, so it is closed. Set up signing in ({guide}), or let server.address in "
    ".streamlit/config.toml be localhost. Where a container or a proxy in front lets nobody in but those who may do "
    "everything, set the environment variable {variable}=yes."
)
NOT_LISTED = "You are signed in as {name}, who is not on the list of people here. Ask {ask}."
TAKEN = (
    "You are signed in as {name}. The address {email} belongs to another account, the first that signed in with it. "
    "Ask {ask} to give the address free, on the dashboard's computer: python -m workbench people --release {email}"
)

_latest: dict[str, tuple[float, Setup]] = {}
_wished: set[tuple[str, ...]] = set()
_owned: dict[tuple[str | Account | None, ...], float] = {}


def setup() -> Setup:
    """Return how signing in is set up now.

    Once something has asked for it, it stays asked for until the dashboard is started again: a file that is missing
    while it is being replaced opens no door.
    """
    files = _files()
    secrets = _secrets()
    wishes = [*wishes_of_files(files), *_wishes_of_options(), *wishes_of_variables(os.environ)]
    people = people_file()
    if people is not None:
        wishes += wishes_of_people(people)
    if secrets is not None and not wishes:
        wishes = [Wish("the dashboard was started with secrets", "take them away")]
    place = (str(people), *map(str, files))
    if not wishes and place in _wished:
        wishes = [Wish("it was set up when the dashboard was started", "leave it so")]
    elif wishes:
        _wished.add(place)
    headers = bool(st.get_option("server.trustedUserHeaders"))
    found = Setup(tuple(dict.fromkeys(wishes)), files, secrets, headers)
    _latest["setup"] = (time.monotonic(), found)
    return found


def who() -> Person | None:
    """Return the person who acts in this run of a page; None for the person at this computer."""
    if get_script_run_ctx(suppress_warning=True) is None:  # a thread of its own: it has no session
        return DASHBOARD if setup().is_on else None
    here = _recent_setup()
    if not here.is_on:
        return None if why_closed() is None else STRANGER
    if here.fault() or not is_signed_in(here):
        return STRANGER
    try:
        return judged(read_people())[0]
    except (PatchCoreError, SQLAlchemyError):
        return accounts.person_of(claims(), People())


def _recent_setup() -> Setup:
    """Return how signing in was set up a moment ago: a page asks for the person some twenty times."""
    at, found = _latest.get("setup", (float("-inf"), Setup()))
    return found if time.monotonic() - at < SETUP_SECONDS else setup()


def is_signed_in(here: Setup) -> bool:
    """Whether somebody has signed in, by a cookie that the secret of this moment has signed."""
    return st.user.get("is_logged_in") is True and _cookie_holds(here.section.get("cookie_secret"))


def judged(known: People) -> tuple[Person, str]:
    """Return the signed-in person with their role, and the sentence for a person who has none."""
    stated = claims()
    person, account = accounts.person_of(stated, known), accounts.account_of(stated)
    if account is None or person.role == Role.NOBODY:
        return (
            person,
            f"{NOT_LISTED.format(name=person.name, ask=known.ask)} {_why_unknown(person, account)}".strip(),
        )
    if account in known.accounts or _owns(person.email, account):
        return person, ""
    return replace(person, role=Role.NOBODY), TAKEN.format(
        name=person.name, ask=known.ask, email=person.email
    )


def _why_unknown(person: Person, account: Account | None) -> str:
    if account is None:
        return "The provider where you signed in does not say which account is yours (iss and sub)."
    if person.email:
        return ""
    return (
        "Your address is not verified where you signed in. Have that done there, or have your account listed here: "
        f'"{account}" = "view".'
    )


def claims() -> Mapping[str, Any]:
    """Return what the provider says of the person who is signed in."""
    return st.user.to_dict()


def read_people() -> People:
    """Return the list of people; `PeopleError` or `WorkspaceError` when the list cannot be read."""
    return accounts.read_people(accounts.people_file(workspace_root()))


def people_file() -> Path | None:
    """Return where the list of people is; None where the workspace cannot be used, and so nothing can."""
    try:
        return accounts.people_file(workspace_root())
    except WorkspaceError:
        return None


def why_closed() -> str | None:
    """Return in sentences why a dashboard without sign-in lets nobody in; None where it is open."""
    how = reached_by_others()
    value = os.environ.get(OPEN_NETWORK, "").strip()
    if how is None or value.casefold() == "yes":
        return None
    words = CLOSED.format(how=how, guide=GUIDE, variable=OPEN_NETWORK)
    return f"{words} {only_yes(value)}" if value else words


def only_yes(value: str) -> str:
    """Return what to say of a value of the variable that does not count."""
    return f"{OPEN_NETWORK} is {value!r}, and only yes counts."


def reached_by_others() -> str | None:
    """Return how other computers reach the dashboard, as far as is known; None if they do not."""
    address = st.get_option("server.address")
    if not accounts.is_local(address):
        return f"it listens at {address or 'every address of this computer'}"
    if get_script_run_ctx(suppress_warning=True) is None:
        return None
    asking = st.context.ip_address
    return f"{asking} is asking for this page" if _is_elsewhere(asking) else None


def _is_elsewhere(address: object) -> bool:
    """Whether an address belongs to another computer, also when a proxy on this computer has passed it on."""
    try:
        there = ipaddress.ip_address(str(address))
    except ValueError:  # none, or no network between
        return False
    return not (getattr(there, "ipv4_mapped", None) or there).is_loopback


def _files() -> tuple[Path, ...]:
    files = st.get_option("secrets.files")
    return (Path(files),) if isinstance(files, str) else tuple(map(Path, files))


def _secrets() -> Mapping[str, Any] | None:
    try:
        return st.secrets.to_dict() if st.secrets.load_if_toml_exists() else None
    except (StreamlitSecretNotFoundError, OSError, ValueError):  # it keeps some of them to itself, not all
        return None


def _wishes_of_options() -> Iterator[Wish]:
    for name in OPTIONS:
        if config.is_manually_set(name):
            yield Wish(f"the option {name} is set", f"take the option {name} away")


def _cookie_holds(secret: object) -> bool:
    """Whether the cookie of this session is signed with a secret; true where it came without, as in tests.

    Streamlit looks at the cookie when a browser connects, and by the secret of that moment.
    """
    cookies = st.context.cookies
    if not isinstance(cookies.get(USER_COOKIE_NAME), str):
        return True

    def signed(name: str) -> bytes | None:
        return decode_signed_value(str(secret), name, cookies.get(name) or "")

    return get_cookie_with_chunks(signed, USER_COOKIE_NAME) is not None


def _owns(email: str, account: Account) -> bool:
    """Whether an address belongs to an account; asked of the database every other second."""
    here = _workspace(str(workspace_root()), database_url())
    here.require_there()
    key = (str(here.root), database_url(), accounts.plain_address(email), account)
    if time.monotonic() - _owned.get(key, float("-inf")) < OWNER_SECONDS:
        return True
    _owned.pop(key, None)
    if not claim(here, email, account):
        return False
    _owned[key] = time.monotonic()
    return True


@cache
def _workspace(root: str, _database: str | None) -> Workspace:
    """Return the workspace with connections of its own, because the person may not see it yet."""
    return Workspace(root)
