"""The look that Streamlit's own theme cannot express: one style sheet, and small pieces of HTML that use it.

Whatever goes into HTML here has been through `html.escape`: names come from files and are not to be trusted.
"""

import base64
from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path

import streamlit as st

_ICON_BYTES = Path(__file__).with_name("icon.png").read_bytes()
ICON = f"data:image/png;base64,{base64.b64encode(_ICON_BYTES).decode()}"  # in the page: a run cut short drops files
STYLE_SHEET = Path(__file__).with_name("theme.css")


def apply() -> None:
    """Put the style sheet on the page."""
    scheme = "dark" if st.context.theme.type == "dark" else "light"
    # A popover lies outside of what Streamlit tells its theme to.
    popover = f'[data-testid="stPopoverBody"] {{ color-scheme: {scheme}; }}'
    st.html(f"<style>{_style_sheet()}{popover}</style>")


def page_title(title: str, explanation: str = "") -> None:
    """Write the heading of a page and one quiet line below it."""
    line = f'<p class="pc-mute pc-num">{escape(explanation)}</p>' if explanation else ""
    st.html(f'<header class="pc-title"><h1>{escape(title)}</h1>{line}</header>')


def numbers_html(numbers: Sequence[tuple[str, str, str]]) -> str:
    """Return a row of numbers: label, value (HTML already) and what it means, shown when pointed at."""
    cells = "".join(
        f'<div title="{escape(meaning)}"><span{" class=pc-help" if meaning else ""}>{escape(label)}</span>'
        f"<b>{value}</b></div>"
        for label, value, meaning in numbers
    )
    return f'<div class="pc-numbers pc-num">{cells}</div>'


def data_uri(content: bytes, kind: str = "jpeg") -> str:
    """Return an encoded picture as an address that carries it."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


@cache
def _style_sheet() -> str:
    return STYLE_SHEET.read_text(encoding="utf-8")
