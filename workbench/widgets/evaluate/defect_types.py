"""The view By defect type: what is found of each type, and its worst miss to look at."""

from html import escape

import streamlit as st

from patchcore.evaluation.type_rows import TypeRow
from patchcore.statistics.curves import Undefined
from workbench.widgets.evaluate import images
from workbench.widgets.evaluate.headline import metric
from workbench.widgets.evaluate.measured import Measured, stored
from workbench.widgets.shared import wording

COLUMNS = {
    "Type": "",
    "Images": "",
    "Rejected": "Found: its score is above the reject threshold.",
    "To review": "Between the two thresholds: a person looks at it.",
    "Escaped": "Accepted although it is a defect.",
    "AUROC": "The chance that an image of this type scores above a good one: 1 is perfect, 0.5 is guessing.",
    "AUPRO": "How much of each marked region of this type is found, up to 30 % of good pixels called defective.",
    "Lowest score": "Of the image of this type that is missed first.",
    "Worst miss": "The image of this type that scores lowest.",
}
NO_DEFECTS = (
    "**No image of this set is labelled as a defect,** so there is nothing to find. Label one, or bring a set with "
    "defects; until then the views Bank size and Good images say what good images alone can say."
)


def show(known: Measured) -> None:
    """Draw the table, below it the worst miss of every type, and the one that is open."""
    rows = known.evaluation.by_type()
    if not rows:
        st.info(NO_DEFECTS)
        return
    st.html(table_html(rows))
    _reasons(rows)
    lowest = {(row.worst_name, row.worst_score) for row in rows}
    worst = [one for one in stored(known.evaluation.scored) if (one.image.name, one.score) in lowest]
    worst.sort(key=lambda one: one.score or 0.0)
    st.markdown(
        "**Worst miss of each type**", help="The image of the type that scores lowest. Open one to see why."
    )
    images.show_with_detail(worst, known.version, known.point, "gallery_types", height=300)


def table_html(rows: list[TypeRow]) -> str:
    """Return the table, a row for each type."""
    head = "".join(
        f'<th scope="col" class="{"" if name in ("Type", "Worst miss") else "r"}" title="{escape(meaning)}">'
        f"{f'<span class=pc-help>{name}</span>' if meaning else name}</th>"
        for name, meaning in COLUMNS.items()
    )
    return (
        '<div class="pc-scroll"><table class="pc-table pc-num pc-rows">'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(map(_row_html, rows))}</tbody></table></div>"
    )


def _row_html(row: TypeRow) -> str:
    escaped = _number(row.escaped)
    if row.escaped:
        escaped = f'<b class="pc-reject">{escaped}</b>'
    figures = [
        wording.count(row.count),
        _number(row.caught),
        _number(row.in_review),
        escaped,
        metric(row.auroc),
        metric(row.aupro),
        wording.score(row.worst_score),
    ]
    cells = "".join(f'<td class="r">{figure}</td>' for figure in figures)
    name = escape(row.defect_type.replace("_", " "))
    return f'<tr><td><b>{name}</b></td>{cells}<td class="pc-clip">{escape(row.worst_name)}</td></tr>'


def _reasons(rows: list[TypeRow]) -> None:
    """Say once why measures are missing."""
    missing: dict[str, list[str]] = {}
    for row in rows:
        for measure in (row.auroc, row.aupro):
            if isinstance(measure, Undefined):
                missing.setdefault(measure.reason, []).append(row.defect_type.replace("_", " "))
    for reason, types in missing.items():
        st.html(f'<p class="pc-mute">– {escape(", ".join(dict.fromkeys(types)))}: {escape(reason)}</p>')


def _number(value: int | None) -> str:
    return "–" if value is None else wording.count(value)
