"""The rights of the person in front of the page: a button beyond them is disabled and says why."""

from typing import Any

import streamlit as st

from workbench.people import roles
from workbench.people.roles import Role
from workbench.widgets.shared import revision_guard


def may(role: Role) -> bool:
    """Whether the person has a role."""
    return roles.current().role >= role


def why_not(role: Role, what: str = "This") -> str | None:
    """Return the sentence that says which role this takes; None when the person has it."""
    own = roles.current().role
    return None if own >= role else f"{what} takes the role {role.word}; yours is {own.word}."


def button(
    label: str,
    role: Role,
    *,
    disabled: bool = False,
    help: str | None = None,
    type: Any = "secondary",
    **more: Any,
) -> bool:
    """Draw an `st.button` for an action that takes a role; a disabled button does not stand out.

    The action itself asks for the role once more. A person who lost the role meanwhile has pressed a button that this
    run no longer has, so the press would be lost without a word: a callback tells it.
    """
    if "on_click" not in more:
        more |= {"on_click": _tell_lost_role, "args": (label, role)}
    reason = why_not(role)
    disabled = disabled or reason is not None
    return st.button(
        label,
        disabled=disabled,
        help=reason or help,
        type="secondary" if disabled else type,
        **more,
    )


def _tell_lost_role(label: str, role: Role) -> None:
    with revision_guard.attempt():
        roles.require(role, f"use “{label}”")


def only(role: Role, what: str) -> bool:
    """Whether the person may use a whole part of a page; if not, write the reason in its place.

    Parameters
    ----------
    what
        The beginning of the sentence: "Building inspectors".
    """
    reason = why_not(role, what)
    if reason is not None:
        st.caption(reason)
    return reason is None
