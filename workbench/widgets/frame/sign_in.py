"""Signing in on the pages: by Streamlit's own OpenID Connect where anything asks for it; and the way out.

A fault in the set-up keeps everybody out: a server that is meant to ask for a person's name never
takes everybody for the person at this computer. Neither does a server that other computers reach.
"""

import logging
import os
from collections.abc import Iterator
from functools import cache
from html import escape
from typing import Any
from urllib.parse import urlsplit

import streamlit as st
from sqlalchemy.exc import SQLAlchemyError
from streamlit.errors import StreamlitAuthError, StreamlitMissingAuthlibError
from streamlit.runtime.scriptrunner import get_script_run_ctx

from patchcore.errors import PatchCoreError
from workbench.people import accounts, roles
from workbench.people.gate import admitted
from workbench.people.roles import Role
from workbench.people.secrets_files import open_to_others, writable_by_anybody
from workbench.people.sign_in_providers import providers_in
from workbench.people.sign_in_setup import GUIDE, Setup
from workbench.widgets.frame import signed_in
from workbench.widgets.shared import session, theme

MAY = {Role.VIEW: "look", Role.OPERATE: "bring images and label", Role.ENGINEER: "do everything"}
OPEN_TO_ALL = (
    "This dashboard can be reached from other computers ({how}), and nobody has to sign in: everybody who reaches it "
    "may change and delete everything. {variable}=yes says that something in front of it guards it. If nothing does, "
    "set up signing in ({guide})."
)

log = logging.getLogger(__name__)


def why_not_start() -> str | None:
    """Return in sentences why the server must not start with this set-up; None if it may.

    It may where people sign in, also when nobody can yet: the pages say why. It may not where nobody signs in and
    other computers reach it, unless ``PATCHCORE_OPEN_NETWORK=yes`` says that something in front of it guards it.
    """
    here = signed_in.setup()
    for words in _remarks(here):
        _tell_once(words)
    return here.fault_that_ends_streamlit() if here.is_on else signed_in.why_closed()


def is_on() -> bool:
    """Whether people have to sign in here."""
    return signed_in.setup().is_on


def admit() -> bool:
    """Return whether the page may be drawn for this person; if not, draw the way in or the reason."""
    roles.identify_by(signed_in.who)
    let_in = False
    try:
        let_in = _may_enter(signed_in.setup())
    finally:
        _tell_gate(let_in)
    return let_in


def show_person() -> None:
    """Draw the signed-in person and the way out; for engineers, also the risks in the set-up."""
    here = signed_in.setup()
    if not here.is_on:
        return
    person = roles.current()
    with st.container(key="signed_in", gap="xsmall"):
        st.html(
            f'<div class="pc-facts pc-mute"><b>{escape(person.name)}</b><br>may {MAY.get(person.role, "do nothing")}, '
            f"role {person.role.word}</div>"
        )
        if person.role >= Role.ENGINEER:
            for words in _remarks(here):
                st.html(f'<div class="pc-facts pc-review">! {escape(words)}</div>')
        st.button("Sign out", key="sign_out", type="tertiary", on_click=st.logout)


def _may_enter(here: Setup) -> bool:
    for words in _remarks(here):
        _tell_once(words)
    if not here.is_on:
        return _open_to_all()
    if reason := here.fault():
        _tell_once(reason)
        _notice("Nobody can sign in", reason)
        return False
    if not signed_in.is_signed_in(here):
        _sign_in_page(here)
        return False
    return _has_role()


def _has_role() -> bool:
    try:
        person, why_not = signed_in.judged(signed_in.read_people())
    except PatchCoreError as error:
        _notice("Nobody can be let in", str(error), leave=True)
        return False
    except SQLAlchemyError as error:
        log.exception("The owner of an address cannot be found out")
        words = f"The database of the workspace does not answer ({type(error).__name__}). The log says more."
        _notice("Nobody can be let in", words, leave=True)
        return False
    if person.role >= Role.VIEW:
        return True
    _notice("Not on the list", why_not, leave=True)
    return False


def _open_to_all() -> bool:
    """Let everybody in where only this computer reaches the dashboard, or where something guards it."""
    if reason := signed_in.why_closed():
        _tell_once(reason)
        _notice("Closed", reason)
        return False
    if how := signed_in.reached_by_others():
        words = OPEN_TO_ALL.format(how=how, variable=signed_in.OPEN_NETWORK, guide=GUIDE)
        _tell_once(words)
        st.warning(session.sentence(words))
    return True


def _sign_in_page(here: Setup) -> None:
    with _panel("Sign in"):
        st.markdown("This dashboard is open to those it knows. You are sent to where you sign in, and back.")
        for provider in here.providers:
            label = "Sign in" if provider is None else f"Sign in with {session.sentence(provider)}"
            if st.button(label, type="primary", key=f"sign_in_{provider or ''}"):
                try:
                    st.login(provider)
                except (StreamlitAuthError, StreamlitMissingAuthlibError) as error:
                    log.error("Signing in is not set up as it should be: %s", error)
                    st.error(session.sentence(f"{here.file}, section [auth]: {error}"))


def _remarks(here: Setup) -> Iterator[str]:
    """Yield a sentence for each risk in the set-up of signing in, and its remedy."""
    value = os.environ.get(signed_in.OPEN_NETWORK, "").strip()
    if not here.is_on:
        if value and value.casefold() != "yes":
            yield signed_in.only_yes(value)
        return
    for path in open_to_others(here.files):
        yield f"Others on this computer can read {path}, which has the secrets of signing in. Run: chmod 600 {path}"
    file = signed_in.people_file()
    if file is not None and writable_by_anybody(file):
        yield f"Everybody on this computer can change the list of people {file}. Run: chmod go-w {file}"
    for values in providers_in(here.section).values():
        address = str(values.get("server_metadata_url"))
        if address.startswith("http://") and not accounts.is_local(urlsplit(address).hostname):
            yield f"The provider is asked without encryption, at {address}. Write https:// in server_metadata_url."


def _tell_gate(let_in: bool) -> None:
    """Tell the gate whether this session may upload files."""
    context = get_script_run_ctx(suppress_warning=True)
    if context is not None:
        admitted.note(context.session_id, let_in=let_in)


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


@cache
def _tell_once(words: str) -> None:
    """Log a sentence, the first time only."""
    log.warning(words)
