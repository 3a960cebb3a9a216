"""The look that Streamlit's own theme cannot express: one style sheet, and small pieces of HTML that use it.

Names come from files and are not to be trusted: every text that goes into HTML here has been through `html.escape`.
"""

import base64
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
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


@contextmanager
def page_head(title: str, explanation: str) -> Iterator[None]:
    """Write the heading of a page; the block draws what stands to the right of it."""
    with st.container(horizontal=True, vertical_alignment="center", key="page_head"):
        with st.container(width="stretch"):
            page_title(title, explanation)
        yield


def numbers_html(numbers: Sequence[tuple[str, str, str]]) -> str:
    """Return a row of numbers: label, value (HTML already) and what it means, shown when pointed at."""
    cells = "".join(
        f'<div title="{escape(meaning)}"><span{" class=pc-help" if meaning else ""}>{escape(label)}</span>'
        f"<b>{value}</b></div>"
        for label, value, meaning in numbers
    )
    return f'<div class="pc-numbers pc-num">{cells}</div>'


def table_html(
    rows: Iterable[Sequence[str]],
    head: Sequence[str] = (),
    *,
    look: str = "pc-num",
    right: Collection[int] = (),
    named: bool = False,
    chosen: int | None = None,
) -> str:
    """Return a table; every cell is HTML already.

    Parameters
    ----------
    look
        Classes of the style sheet.
    right
        Columns of figures, by their places.
    named
        Whether the first cell of a row is its heading.
    chosen
        The place of the row that stands out.
    """
    top = f"<thead>{_row_html(head, right, ['col'] * len(head))}</thead>" if head else ""
    body = "".join(
        _row_html(row, right, ["row"] if named else [], ' class="pc-chosen"' if place == chosen else "")
        for place, row in enumerate(rows)
    )
    return f'<table class="pc-table {look}">{top}<tbody>{body}</tbody></table>'


def meaning_html(name: str, meaning: str, *, underlined: bool = True) -> str:
    """Return a name that says what it means when it is pointed at."""
    look = " class=pc-help" if underlined else ""
    return f'<span{look} title="{escape(meaning)}">{name}</span>' if meaning else name


def data_uri(content: bytes, kind: str = "jpeg") -> str:
    """Return an encoded picture as an address that carries it."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


@cache
def _style_sheet() -> str:
    return STYLE_SHEET.read_text(encoding="utf-8")


def _row_html(cells: Sequence[str], right: Collection[int], scopes: Sequence[str], row: str = "") -> str:
    """Return a row whose first cells are headings, one for each scope."""
    drawn = ""
    for place, cell in enumerate(cells):
        tag, scope = ("th", f' scope="{scopes[place]}"') if place < len(scopes) else ("td", "")
        look = ' class="r"' if place in right else ""
        drawn += f"<{tag}{scope}{look}>{cell}</{tag}>"
    return f"<tr{row}>{drawn}</tr>"
