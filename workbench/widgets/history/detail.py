"""One inspection closely: the stored overlay, the facts of the verdict, and a person's decision."""

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from patchcore.errors import DataError, PatchCoreError
from patchcore.inspection import place_that_decided
from workbench.inspections.batches import result_of
from workbench.inspections.decisions import call_defect, call_fine, take_back
from workbench.inspections.history import (
    Decision,
    decide,
    get_inspection,
    last_decision,
    undo_decision,
)
from workbench.inspections.history_export import version_words
from workbench.inspections.history_query import is_defect
from workbench.inspections.picture_doubts import doubt_sentences, doubts_of
from workbench.inspectors.versions import find_inspector
from workbench.storage.stored_pictures import stored_picture
from workbench.storage.tables import EVALUATION, PRODUCTION, Inspection
from workbench.widgets.shared import notice, session, theme, wording
from workbench.widgets.shared.pictures import frame_style
from workbench.widgets.shared.verdicts import DECISIONS, verdict_html

if TYPE_CHECKING:  # torch comes with it
    from patchcore.images.geometry import Box

CHOICE = "inspection"  # name of the opened one, in the address
WAYS = {"page": "brought on a page", "watch": "from a watched folder", "command": "from the command line"}
PURPOSES = {PRODUCTION: "production", EVALUATION: "evaluation, no part of production"}
JUDGED = {"score": "by its score", "area": "by its regions", "both": "by score and regions"}
BOXES = 12  # drawn over the picture
LISTED = 12


def opened() -> Inspection | None:
    """Return the inspection that the address, else the session, names; an absent one gets a sentence once."""
    chosen = session.chosen_number(CHOICE)
    if chosen is None:
        return None
    try:
        return get_inspection(session.workspace(), chosen)
    except PatchCoreError as error:
        session.forget(CHOICE)
        st.warning(session.sentence(str(error)))
        return None


def show(row: Inspection) -> None:
    """Draw an inspection."""
    with theme.page_head(row.name, f"Inspection {row.id}, {wording.moment(row.created)}"):
        _look_again(row)
        st.button("Back to all", on_click=session.forget, args=(CHOICE,))
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.html(_picture(row))
    with right:
        with st.container(border=True, key="panel_verdict"):
            st.html(_verdict(row))
            _decision(row)
        st.html(_facts(row))
        if row.regions:
            st.html(_regions(row))


def _picture(row: Inspection) -> str:
    path = None if row.overlay_path is None else session.workspace().root / row.overlay_path
    if path is None or not _is_shown(path):
        why = (
            row.error
            or "The stored picture is missing or damaged; python -m workbench check --repair paints it again."
        )
        return f'<div class="pc-shown"><p class="pc-mute">{escape(why)}</p></div>'
    source = theme.data_uri(path.read_bytes())
    boxes = "".join(
        f'<i style="{frame_style(region["box"], row.width or 1, row.height or 1)}"><b>{place}</b></i>'
        for place, region in enumerate((row.regions or [])[:BOXES], start=1)
    )
    boxes += "".join(
        f'<i class="pc-doubted" style="{frame_style(doubt.box, row.width or 1, row.height or 1)}"></i>'
        for doubt in doubts_of(row)
        if doubt.box is not None
    )
    place = "" if _decided(row) is None else " Dashes outline the place that decided."
    return (
        f'<figure class="pc-shown"><div><img src="{source}" alt="{escape(row.name)} with heat as it then was">'
        f"{boxes}</div><figcaption class=pc-mute>Heat and contour begin at {wording.score(_heat_from(row))}, as the "
        f"thresholds then were.{place}</figcaption></figure>"
    )


def _is_shown(path: Path) -> bool:
    """Whether a stored picture is there, and is one."""
    try:
        with stored_picture(path, "JPEG"):
            return True
    except (OSError, DataError):
        return False


def _decided(row: Inspection) -> "Box | None":
    return place_that_decided(row.worst_box, row.score, row.verdict, row.accept, row.judge_by)


def _heat_from(row: Inspection) -> float:
    return (row.accept if row.pixel is None else row.pixel) or 0.0


def _verdict(row: Inspection) -> str:
    numbers = [
        (
            "verdict",
            verdict_html(row.verdict, is_defect(session.workspace(), [row]).get(row.id)),
            "As it was given when the image was scored; it never changes afterwards.",
        ),
        (
            "score",
            wording.score(row.score),
            "Distance of the worst patch to the nearest patch of any good image.",
        ),
        ("accept up to", wording.score(row.accept), "The accept threshold that was in force."),
        ("reject above", wording.score(row.reject), "The reject threshold that was in force."),
    ]
    return theme.numbers_html(numbers)


def _facts(row: Inspection) -> str:
    pixel = "" if row.pixel is None else f"above {wording.score(row.pixel)}, {row.min_area} px or more"
    facts = {
        "inspector": f"{row.inspector_name}, version {version_words(row)}",
        "judged": JUDGED.get(row.judge_by or "score", "") if row.verdict else _unjudged(row),
        "regions": "" if row.region_count is None else f"{wording.count(row.region_count)} {pixel}".strip(),
        "place that decided": ""
        if (box := _decided(row)) is None
        else f"x {box[0]} to {box[2]}, y {box[1]} to {box[3]}",
        "size": "" if row.width is None else f"{row.width} × {row.height} px",
        "counts as": PURPOSES[row.purpose],
        "came": f"{WAYS.get(row.source, row.source)}, in the name of {row.operator or 'nobody'}",
        "scored": f"{row.created.astimezone():%Y-%m-%d %H:%M:%S}",
        "whole picture": _whole_picture(row),
        "remarks": " ".join(row.remarks or ()),
        "image": row.sha256,
    }
    rows = [(name, escape(text)) for name, text in facts.items() if text]
    return theme.table_html(rows, look="pc-rows pc-known pc-num", named=True)


def _whole_picture(row: Inspection) -> str:
    sentences = doubt_sentences(row)
    if not sentences:
        return ""
    return " ".join(
        ["Not counted, the check was off." if row.picture_check is False else "", *sentences]
    ).strip()


def _unjudged(row: Inspection) -> str:
    if row.reject is None and row.error is None:
        return "unknown: the verdict was older than history is kept, and was deleted"
    return row.error or "not at all: the thresholds were out of date"


def _regions(row: Inspection) -> str:
    rows = [
        (str(number), wording.score(one["score"]), f"{one['area']:,} px", " ".join(map(str, one["box"])))
        for number, one in enumerate((row.regions or [])[:LISTED], start=1)
    ]
    more = (row.region_count or 0) - LISTED
    rest = f'<p class="pc-mute">and {wording.count(more)} smaller in score</p>' if more > 0 else ""
    head = ("region", "score", "area", "box, x0 y0 x1 y1")
    return theme.table_html(rows, head, look="pc-rows pc-num", right=(1, 2)) + rest


def _decision(row: Inspection) -> None:
    if row.decision is not None and row.decided is not None:
        note = _note(row)
        said = f"{DECISIONS[row.decision]}, {row.decided_by}, {wording.moment(row.decided)}"
        st.markdown(f"**Decided: {session.sentence(said)}**{': ' + session.sentence(note) if note else ''}")
    st.text_input("Note", key=f"note_{row.id}", placeholder="why, if it helps later", persist_state="session")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for decision, label in (("fine", "This part is fine"), ("defect", "This is a defect")):
            st.button(
                label,
                key=f"decide_{decision}",
                disabled=row.decision == decision,
                on_click=_decide,
                args=(row.id, decision),
            )
        if row.decision is not None:
            st.button("Undo", key="undo_decision", on_click=_undo, args=(row.id,), type="tertiary")


def _note(row: Inspection) -> str:
    with session.workspace().database.read() as reading:
        event = last_decision(reading, row)
    return "" if event is None else str(event.details.get("note") or "")


def _decide(inspection_id: int, decision: Decision) -> None:
    """Keep the decision with its label; without a label where the image is not kept any more."""
    here, note = session.workspace(), st.session_state.pop(f"note_{inspection_id}", "")
    with notice.toasted_refusal():
        result = result_of(here, get_inspection(here, inspection_id))
        if result is None:
            decide(here, inspection_id, decision, note)
        else:
            (call_fine if decision == "fine" else call_defect)(here, result, note)


def _undo(inspection_id: int) -> None:
    here = session.workspace()
    with notice.toasted_refusal():
        result = result_of(here, get_inspection(here, inspection_id))
        if result is None:
            undo_decision(here, inspection_id)
        else:
            take_back(here, result)


def _look_again(row: Inspection) -> None:
    """Offer the page Inspect where the page still shows this result."""
    here = session.workspace()
    inspector = find_inspector(here, row.inspector_id) if row.inspector_id else None
    if inspector is None or inspector.current_id != row.version_id or row.score is None:
        return
    result = result_of(here, row)
    if result is not None and st.button("Look closely on Inspect"):
        session.open_page(
            "pages/inspect.py", inspector=inspector.id, batch=result.image.batch_id, image=result.id
        )
