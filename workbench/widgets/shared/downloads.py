"""Buttons for files that are made when they are asked for."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, partial
from itertools import count
from pathlib import PurePosixPath
from typing import Any

import streamlit as st

_numbers = count(1)


def button(label: str, make: Callable[[], bytes], name: str, kind: str, **looks: Any) -> None:
    """Draw a button that makes a file when it is clicked.

    Streamlit tells files of more than 1 MiB apart by their name, their length and samples of both ends and the middle:
    two tables that differ in one verdict would be one. So the button of each run has a name of its own
    (`distinct_name`). Further clicks on the same button bring the same bytes; an HTML page, which may have been signed
    by another name since, ends in its hash instead.

    Parameters
    ----------
    label
        Of the button.
    make
        Returns the file.
    name, kind
        Its name, before the moment is put in, and its MIME type.
    looks
        As for `st.download_button`.
    """
    made = partial(_marked, make) if kind == "text/html" else cache(make)
    st.download_button(label, made, distinct_name(name), kind, on_click="ignore", **looks)


def _marked(make: Callable[[], bytes]) -> bytes:
    page = make()
    return page + f"\n<!-- {hashlib.sha256(page).hexdigest()} -->\n".encode()


def distinct_name(name: str) -> str:
    """Return a name with the moment and a number before its ending, which no other file of this server has.

    Examples
    --------
    >>> distinct_name("results.csv")  # doctest: +SKIP
    'results_2026-11-30_20-15-33_7.csv'
    """
    path = PurePosixPath(name)
    return f"{path.stem}_{datetime.now(UTC):%Y-%m-%d_%H-%M-%S}_{next(_numbers)}{path.suffix}"
