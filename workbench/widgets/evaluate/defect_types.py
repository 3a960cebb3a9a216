"""The view By defect type: a row of measures for each type, and its worst miss."""

from html import escape

import streamlit as st

from patchcore.evaluation.type_rows import TypeRow
from patchcore.statistics.curves import Undefined
from workbench.widgets.evaluate import images
from workbench.widgets.evaluate.headline import metric
from workbench.widgets.evaluate.measured import Measured, stored
from workbench.widgets.shared import theme, wording
from workbench.widgets.shared.pictures import name_html

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


def show(measured: Measured) -> None:
    """Draw the table, below it the worst miss of every type, and the one that is open."""
    rows = measured.evaluation.by_type()
    if not rows:
        st.info(NO_DEFECTS)
        return
    st.html(table_html(rows))
    _reasons(rows)
    lowest = {(row.worst_name, row.worst_score) for row in rows}
    worst = [one for one in stored(measured.evaluation.scored) if (one.image.name, one.score) in lowest]
    worst.sort(key=lambda one: one.score or 0.0)
    st.markdown(
        "**Worst miss of each type**", help="The image of the type that scores lowest. Open one to see why."
    )
    images.show_gallery(worst, measured.point, "gallery_types")
    images.show_opened(worst, measured.version, measured.point)


def table_html(rows: list[TypeRow]) -> str:
    """Return the table, a row for each type."""
    head = [theme.meaning_html(name, meaning) for name, meaning in COLUMNS.items()]
    table = theme.table_html(map(_cells, rows), head, look="pc-num pc-rows", right=range(1, len(head) - 1))
    return f'<div class="pc-scroll">{table}</div>'


def _cells(row: TypeRow) -> list[str]:
    escaped = wording.count(row.escaped)
    return [
        f"<b>{escape(row.defect_type.replace('_', ' '))}</b>",
        wording.count(row.count),
        wording.count(row.caught),
        wording.count(row.in_review),
        f'<b class="pc-reject">{escaped}</b>' if row.escaped else escaped,
        metric(row.auroc),
        metric(row.aupro),
        wording.score(row.worst_score),
        name_html(row.worst_name),
    ]


def _reasons(rows: list[TypeRow]) -> None:
    """Say once why measures are missing."""
    missing: dict[str, list[str]] = {}
    for row in rows:
        for measure in (row.auroc, row.aupro):
            if isinstance(measure, Undefined):
                missing.setdefault(measure.reason, []).append(row.defect_type.replace("_", " "))
    for reason, types in missing.items():
        st.html(f'<p class="pc-mute">– {escape(", ".join(dict.fromkeys(types)))}: {escape(reason)}</p>')
