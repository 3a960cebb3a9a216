"""Fields for numbers, which read a decimal comma and refuse what they cannot read.

Streamlit's own field of numbers leaves out a comma (0,5 becomes 5) and takes letters as its smallest value, without a
word. So a number is typed as text here.
"""

import math
import re
from collections.abc import Callable
from typing import Any

import streamlit as st

from patchcore.errors import SettingsError
from workbench.widgets.fields import shared
from workbench.widgets.shared import session

SPACES = str.maketrans("", "", " \u00a0\u2009\u202f'\u2019")  # between thousands
MINUS = str.maketrans("\u2212\u2013", "--")
NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d+)?", re.IGNORECASE)
EITHER = re.compile(
    r"[+-]?[1-9]\d{0,2}[.,]\d{3}"
)  # a comma or a point before three digits: thousands or thousandths


class NotANumber(SettingsError):
    """A text is no number that the field takes; the message is a sentence for the user."""


def read(
    text: str, *, least: float | None = None, most: float | None = None, digits: int | None = None
) -> float:
    """Return the number that a person typed.

    Parameters
    ----------
    least, most
        The bounds of the field, which are allowed themselves.
    digits
        0: whole numbers alone; other values do not matter here.

    Raises
    ------
    NotANumber
        The text is empty, no number, out of the bounds, or can be read in two ways (1,234).
    """
    plain = text.strip().translate(SPACES).translate(MINUS)
    whole = digits == 0
    if not NUMBER.fullmatch(plain):
        raise NotANumber(f"“{text.strip()[:40]}” is not a number.")
    if EITHER.fullmatch(plain) and ("," in plain or whole):
        joined, pointed = re.sub("[.,]", "", plain), plain.replace(",", ".")
        other = "" if whole else f" or {pointed}0"
        raise NotANumber(f"“{plain}” can be read in two ways. Write {joined}{other}.")
    number = float(plain.replace(",", "."))
    if not math.isfinite(number):
        raise NotANumber(f"“{plain[:40]}” is too large.")
    if whole and number != int(number):
        raise NotANumber(f"“{plain}” is not a whole number.")
    if (least is not None and number < least) or (most is not None and number > most):
        raise NotANumber(f"“{plain}” is out of range: {_range(least, most, digits)}.")
    return int(number) if whole else number


def show(value: float | None, digits: int | None = None) -> str:
    """Return a number as the field shows it: with as many decimals as `digits`, or as many as it has."""
    if value is None:
        return ""
    if digits is None:
        return f"{value:.10g}"
    return f"{value:.{digits}f}"


def draw(
    label: str,
    *,
    key: str,
    value: float | None,
    on_change: Callable[[Any], None],
    least: float | None = None,
    most: float | None = None,
    digits: int | None = None,
    optional: bool = False,
    place: Any = st,
    **more: Any,
) -> None:
    """Draw a field that shows a number of the page; a text that is no such number leaves it as it was, with a sentence.

    Parameters
    ----------
    on_change
        Takes the number that the user has typed, an int where `digits` is 0, before the run that follows; None when an
        `optional` field was emptied.
    digits
        Decimals shown; 0: whole numbers; None: as many as the number has.
    place
        Where the field is drawn: `st` or a column.
    more
        For `st.text_input`.
    """
    shown = show(value, digits)
    refused = f"{key}:refused"

    def put(text: str) -> None:
        st.session_state.pop(refused, None)
        if optional and not text.strip():
            on_change(None)
            return
        try:
            number = read(text, least=least, most=most, digits=digits)
        except NotANumber as error:
            st.session_state[refused] = (shown, f"{error} {f'{shown} stays.' if shown else ''}".strip())
        else:
            on_change(number)

    with place.container(width=more.get("width", "stretch")):
        shared.draw(st.text_input, label, key=key, value=shown, on_change=put, **more)
        # The sentence goes when the page itself gives the field another value.
        before, sentence = st.session_state.get(refused, (None, ""))
        if before == shown:
            st.caption(f":red[{session.sentence(sentence)}]")


def is_shown(key: str, value: float | None, digits: int | None = None) -> bool:
    """Say in a callback whether a field of the page shows a number now, as `shared.is_shown` does."""
    return shared.is_shown(key, show(value, digits))


def keep(label: str, *, key: str, default: float | None, **more: Any) -> Any:
    """Draw a field whose number lies under `key` in the session, and return the number; the rest as `draw` takes it."""
    st.session_state.setdefault(key, default)

    def put(number: float | None) -> None:
        st.session_state[key] = number

    draw(label, key=f"{key}:text", value=st.session_state[key], on_change=put, **more)
    return st.session_state[key]


def _range(least: float | None, most: float | None, digits: int | None) -> str:
    if least is not None and most is not None:
        return f"{show(least, digits)} to {show(most, digits)}"
    return f"{show(least, digits)} or more" if least is not None else f"{show(most, digits)} or less"
