"""What the person in front of the page may do: buttons for more than that are disabled and say why."""

from typing import Any

import streamlit as st

from workbench.people import roles
from workbench.people.roles import Role


def may(role: Role) -> bool:
    """Whether the person has a role."""
    return roles.current().role >= role


def why_not(role: Role) -> str | None:
    """Return why the person may not do what takes a role, None when they may."""
    own = roles.current().role
    return None if own >= role else f"This takes the role {role.word}; yours is {own.word}."


def button(
    label: str,
    role: Role,
    *,
    disabled: bool = False,
    help: str | None = None,
    type: Any = "secondary",
    **more: Any,
) -> bool:
    """Draw a button as `st.button` does, for what takes a role; the function that it calls asks once more."""
    reason = why_not(role)
    return st.button(
        label,
        disabled=disabled or reason is not None,
        help=reason or help,
        type="secondary" if reason else type,
        **more,
    )


def only(role: Role, what: str) -> bool:
    """Whether the person may do something that a whole part of a page is for; if not, say so in its place.

    Parameters
    ----------
    what
        As it begins the sentence: "Building inspectors".
    """
    own = roles.current().role
    if own < role:
        st.caption(f"{what} takes the role {role.word}; yours is {own.word}.")
    return own >= role
