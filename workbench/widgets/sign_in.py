"""Signing in on the pages: by Streamlit's own OpenID Connect where it is set up; who is acting; and the way out.

It is set up by a section ``[auth]`` in Streamlit's ``secrets.toml``. Whatever is wrong with that file keeps everybody
out: a server that is meant to ask who somebody is never takes everyone for the person at this computer.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitAuthError, StreamlitMissingAuthlibError
from streamlit.runtime.scriptrunner import get_script_run_ctx

from workbench import people, signing_in
from workbench.people import Person, Role
from workbench.signing_in import People, PeopleError
from workbench.widgets import session, theme
from workbench.workspace import Workspace

STRANGER = Person("somebody who is not signed in", Role.NOBODY)
MAY = {Role.VIEW: "look", Role.OPERATE: "bring images and label", Role.ENGINEER: "do everything"}
DASHBOARD = Person("the dashboard", Role.VIEW)  # its own threads; they change nothing in anybody's name
OPEN_TO_ALL = (
    "This dashboard can be reached from other computers (it listens at {address}), and nobody has to sign in: whoever "
    "reaches it may change and delete everything. Set up signing in (docs/signing_in.md), or let server.address in "
    ".streamlit/config.toml be localhost."
)
BROKEN = (
    "Signing in is not set up as it should be, so nobody can. The file {file} cannot be read as TOML, or its section "
    "[auth] lacks something; docs/signing_in.md has an example."
)

log = logging.getLogger(__name__)


def admit() -> bool:
    """Return whether the page may be drawn for whoever asks; where not, draw what they can do about it."""
    people.identify_by(who)
    if not is_on():
        _warn_when_open_to_all()
        return True
    if not _is_usable():
        _notice(
            "Sign in", BROKEN.format(file=", ".join(map(str, _secret_files())) or ".streamlit/secrets.toml")
        )
        return False
    if not st.user.get("is_logged_in"):
        _sign_in_page()
        return False
    try:
        known = _people()
    except PeopleError as error:
        _notice("Nobody can be let in", str(error), leave=True)
        return False
    person = _person(known)
    if person.role < Role.VIEW:
        _turned_away(person, known)
        return False
    return True


def who() -> Person | None:
    """Return who is acting in this run of a page; None where that is whoever sits at this computer."""
    if (
        get_script_run_ctx(suppress_warning=True) is None
    ):  # a thread of its own: it must not touch the session
        return DASHBOARD if is_on() else None
    if not is_on():
        return None
    if not _is_usable() or not st.user.get("is_logged_in"):
        return STRANGER
    try:
        return _person(_people())
    except PeopleError:
        return signing_in.person_of(_claims(), People())


def is_on() -> bool:
    """Whether people sign in here: ``[auth]`` is there, or the file that might have it cannot be read."""
    return "auth" in st.secrets if st.secrets.load_if_toml_exists() else bool(_secret_files())


def show_person() -> None:
    """Draw who is signed in and the way out, where people sign in."""
    if not is_on():
        return
    person = people.current()
    with st.container(key="signed_in", gap="xsmall"):
        st.html(
            f'<div class="pc-facts pc-mute"><b>{escape(person.name)}</b><br>may {MAY[person.role]}, '
            f"role {person.role.word}</div>"
        )
        st.button("Sign out", key="sign_out", type="tertiary", on_click=st.logout)


def _sign_in_page() -> None:
    with _panel("Sign in"):
        st.markdown("This dashboard is open to those it knows. You are sent to where you sign in, and back.")
        for provider in _providers():
            label = "Sign in" if provider is None else f"Sign in with {session.sentence(provider)}"
            if st.button(label, type="primary", key=f"sign_in_{provider or ''}"):
                try:
                    st.login(provider)
                except (StreamlitAuthError, StreamlitMissingAuthlibError) as error:
                    log.error("Signing in is not set up as it should be: %s", error)
                    st.error(BROKEN.format(file=", ".join(map(str, _secret_files()))))


def _turned_away(person: Person, known: People) -> None:
    words = f"You are signed in as {person.name}, who is not on the list of people here. Ask {known.ask}."
    if _claims().get("email_verified") is False:
        words += " Your address is not verified where you signed in; that must be done first."
    _notice("Not on the list", words, leave=True)


def _notice(title: str, words: str, *, leave: bool = False) -> None:
    with _panel(title):
        st.html(f"<p>{escape(words)}</p>")
        if leave:
            st.button("Sign out", on_click=st.logout)


def _panel(title: str) -> Any:
    """Return a panel in the middle of an otherwise empty page."""
    _left, middle, _right = st.columns([1, 2, 1])
    panel = middle.container(border=True, key="panel_sign_in")
    with panel:
        st.html('<div class="pc-brand">PatchCore inspection</div>')
        theme.page_title(title)
    return panel


def _providers() -> list[str | None]:
    """Return the names of those who know people; None is the only one, which has no name."""
    section = st.secrets["auth"]
    if "client_id" in section:
        return [None]
    return [name for name, value in section.items() if isinstance(value, Mapping) and "client_id" in value]


def _is_usable() -> bool:
    return (
        bool(st.secrets.load_if_toml_exists())
        and isinstance(st.secrets["auth"], Mapping)
        and bool(_providers())
    )


def _secret_files() -> list[Path]:
    return [path for path in map(Path, st.get_option("secrets.files")) if path.exists()]


def _claims() -> Mapping[str, Any]:
    return st.user.to_dict()


def _people() -> People:
    return signing_in.read_people(signing_in.people_file(Workspace().root))


def _person(known: People) -> Person:
    return signing_in.person_of(_claims(), known)


def _warn_when_open_to_all() -> None:
    address = st.get_option("server.address")
    if not signing_in.is_local(address):
        words = OPEN_TO_ALL.format(address=address or "every address of this computer")
        _tell_once(words)
        st.warning(session.sentence(words))


@cache
def _tell_once(words: str) -> None:
    """Write it to the terminal, the first time that a page is opened."""
    log.warning(words)
