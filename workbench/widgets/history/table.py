"""The table of inspections: a page of rows, newest first, older and newer ones, and files to take away."""

import io
from collections.abc import Callable
from datetime import datetime
from functools import partial
from html import escape
from pathlib import Path
from typing import BinaryIO

import streamlit as st

from patchcore.errors import DataError
from workbench.inspections.history_export import version_words, write_csv, write_parquet
from workbench.inspections.history_query import Counts, Filter, Page, Place, is_defect, place_of, read_page
from workbench.storage.stored_pictures import stored_picture
from workbench.storage.tables import PRODUCTION, Inspection, Inspector
from workbench.storage.workspace import Workspace
from workbench.widgets.history import detail
from workbench.widgets.shared import downloads, session, wording
from workbench.widgets.shared.pictures import BLANK
from workbench.widgets.shared.theme import data_uri
from workbench.widgets.shared.verdicts import DECISIONS, verdict_html

THUMBNAIL = 80  # pixels; shown at half of it
CHOICE = "turned"  # name of the place in the list, in the address: "older" or "newer" than a row
OF = "turned_of"  # the filters that it was turned with, in the session
HEADINGS = ("", "time", "score", "thresholds", "verdict", "decision", "inspector", "operator")


def show(wanted: Filter, counts: Counts) -> None:
    """Draw the page of rows that is open."""
    page = _page(wanted)
    with st.container(horizontal=True, vertical_alignment="center", key="history_head"):
        st.html(_counts_html(counts))
        st.space("stretch")
        _downloads(wanted, counts)
    if not page.rows:
        st.info("No inspection is like that. Clear a filter to see more.")
        return
    with st.container(key="history_rows"):
        cells = "".join(map(_cell, HEADINGS))
        st.html(f'<div class="pc-past-head pc-mute"><div>image</div><div class="pc-past">{cells}</div></div>')
        truths = is_defect(session.workspace(), page.rows)
        for row in page.rows:
            _row(row, truths.get(row.id))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Newest", on_click=session.forget, args=(CHOICE,), disabled=not page.newer)
        st.button("Newer", on_click=_turn, args=("newer", page.rows[0]), disabled=not page.newer)
        st.button("Older", on_click=_turn, args=("older", page.rows[-1]), disabled=not page.older)
        st.caption(f"{wording.moment(page.rows[-1].created)} to {wording.moment(page.rows[0].created)}")


def nothing_yet(inspector: Inspector) -> None:
    """Say what to do first."""
    with st.container(border=True, key="panel_nothing_yet"):
        st.markdown(
            f"**{session.sentence(inspector.name)} has given no verdict yet that is kept.** Inspect images, and each "
            "has its row here at once: score, thresholds, verdict and picture as they then were."
        )
        if st.button("Inspect images", type="primary"):
            session.open_page("pages/inspect.py")


def _page(wanted: Filter) -> Page:
    """Read the page that was turned to, or the newest where the filters have changed since."""
    if st.session_state.get(OF, wanted) != wanted:
        session.forget(CHOICE)
    st.session_state[OF] = wanted
    after, before = _turned()
    page = read_page(session.workspace(), wanted, after=after, before=before)
    return page if page.rows or after is before is None else read_page(session.workspace(), wanted)


def _turn(way: str, row: Inspection) -> None:
    created, number = place_of(row)
    session.choose(CHOICE, f"{way} {number} {created.isoformat()}")


def _turned() -> tuple[Place | None, Place | None]:
    """Return the places between which the open page lies: (after, before)."""
    try:
        way, number, created = (session.chosen(CHOICE) or "").split(" ")
        place = datetime.fromisoformat(created).astimezone(), int(number)
    except ValueError:  # none, or an address that was typed in
        return None, None
    return (place, None) if way == "older" else (None, place)


def _row(row: Inspection, defect: bool | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"history_row_{row.id}"):
        st.button(
            session.sentence(row.name),
            key=f"open_{row.id}",
            type="tertiary",
            on_click=session.choose,
            args=(detail.CHOICE, row.id),
            width="stretch",
        )
        st.html(_row_html(row, defect))


def _row_html(row: Inspection, defect: bool | None) -> str:
    score = "not scored" if row.score is None else f"<b>{wording.score(row.score)}</b>"
    cells = (
        overlay_tag(session.workspace(), row),
        escape(wording.moment(row.created)),
        score,
        escape(thresholds_words(row)),
        verdict_html(row.verdict, defect),
        escape(DECISIONS.get(row.decision, "")),
        f"<span class=pc-mute>{version_words(row)}</span> {escape(row.inspector_name)}{_purpose_html(row)}",
        escape(row.operator),
    )
    return f'<div class="pc-past pc-num">{"".join(map(_cell, cells))}</div>'


def _purpose_html(row: Inspection) -> str:
    return "" if row.purpose == PRODUCTION else " <span class=pc-mute>evaluation</span>"


def thresholds_words(row: Inspection) -> str:
    """Return in a few words the thresholds that were in force."""
    if row.reject is None or row.accept is None:
        return ""
    review = f"{wording.score(row.accept)} to " if row.accept < row.reject else ""
    return f"{review}{wording.score(row.reject)}"


def overlay_tag(here: Workspace, row: Inspection) -> str:
    """Return the small stored overlay as HTML, or a blank where there is none."""
    source = _thumbnail(str(here.root), row.overlay_path) if row.overlay_path else None
    return BLANK if source is None else f'<img src="{source}" alt="">'


@st.cache_data(show_spinner=False, max_entries=4000)
def _thumbnail(root: str, path: str) -> str | None:
    try:
        with stored_picture(Path(root) / path, "JPEG") as picture:
            picture.draft("RGB", (THUMBNAIL, THUMBNAIL))
            picture.thumbnail((THUMBNAIL, THUMBNAIL))
            buffer = io.BytesIO()
            picture.save(buffer, "JPEG", quality=80)
    except (OSError, DataError):  # lost or damaged; the check says so, the words beside it still serve
        return None
    return data_uri(buffer.getvalue())


def _cell(content: str) -> str:
    return f"<div>{content}</div>"


def _counts_html(counts: Counts) -> str:
    kinds = {
        "accept": f'<span class="pc-accept">✓ {wording.count(counts.accept)} accepted</span>',
        "review": f'<span class="pc-review">? {wording.count(counts.review)} to review</span>',
        "reject": f'<span class="pc-reject">✕ {wording.count(counts.reject)} rejected</span>',
    }
    parts = [f"<b>{wording.counted(counts.total, 'inspection')}</b>", *kinds.values()]
    if counts.none:
        parts.append(f'<span class="pc-mute">– {wording.count(counts.none)} without verdict</span>')
    return f'<div class="pc-counts pc-num">{"".join(parts)}</div>'


def _downloads(wanted: Filter, counts: Counts) -> None:
    here = session.workspace()

    def written(write: Callable[[Workspace, Filter, BinaryIO], int]) -> bytes:
        file = io.BytesIO()
        write(here, wanted, file)
        return file.getvalue()

    for label, write, name, kind, about in (
        ("CSV", write_csv, "history.csv", "text/csv", "for a spreadsheet"),
        (
            "Parquet",
            write_parquet,
            "history.parquet",
            "application/vnd.apache.parquet",
            "for analysis, every digit kept",
        ),
    ):
        downloads.button(
            label,
            partial(written, write),
            name,
            kind,
            disabled=not counts.total,
            help=f"All {wording.counted(counts.total, 'row')} that the filters leave, {about}.",
        )
