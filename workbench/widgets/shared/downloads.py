"""Buttons for files that are made when they are asked for."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, partial
from itertools import count
from pathlib import PurePosixPath
from threading import Timer, current_thread
from types import SimpleNamespace
from typing import Any

import streamlit as st
from streamlit.runtime import exists, get_instance
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.scriptrunner_utils.script_run_context import (  # type: ignore[attr-defined]
    SCRIPT_RUN_CONTEXT_ATTR_NAME,
)

SECONDS_TO_FETCH = 120.0  # within which a browser has certainly begun to fetch the file that it asked for
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
    made, distinct = partial(_marked, make) if kind == "text/html" else cache(make), distinct_name(name)
    st.download_button(label, partial(held, made, distinct, kind), distinct, kind, on_click="ignore", **looks)


def held(make: Callable[[], bytes], name: str, kind: str) -> bytes:
    """Make the file of a download button, and `hold` it; name and MIME type are those of the button."""
    made = make()
    if exists():
        hold(get_instance().media_file_mgr, made, name, kind)
    return made


def hold(
    files: MediaFileManager, content: bytes, name: str, kind: str, seconds: float = SECONDS_TO_FETCH
) -> None:
    """Have Streamlit serve a file for so many seconds, whatever runs end meanwhile.

    Streamlit stores a file that a click has made, but notes no session that needs it. The ends of two runs of any
    session would drop it before a browser on a busy machine has fetched it.
    """
    holder = f"patchcore.download:{name}"
    thread = current_thread()
    before = getattr(thread, SCRIPT_RUN_CONTEXT_ATTR_NAME, None)
    setattr(thread, SCRIPT_RUN_CONTEXT_ATTR_NAME, SimpleNamespace(session_id=holder))  # asked for it by `add`
    try:
        files.add(content, kind, holder, file_name=name, is_for_static_download=True)
    finally:
        setattr(thread, SCRIPT_RUN_CONTEXT_ATTR_NAME, before)
    release = Timer(seconds, files.clear_session_refs, (holder,))
    release.daemon = True
    release.start()


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
