"""The measures of banks of each size, as small charts that share their x axis; a click chooses a size."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

HEIGHT = 170
SELECTION = "size"
ACROSS = 3


@dataclass(frozen=True)
class Chart:
    """One quantity against the share: its title, its field, unit and what it means."""

    title: str
    field: str
    meaning: str
    zero: bool = False


CHARTS = (
    Chart("Image AUROC", "image_auroc", "The chance that a defect scores above a good part: 1 is perfect."),
    Chart(
        "Pixel AUROC",
        "pixel_auroc",
        "The chance that a marked pixel scores above an unmarked one: 1 is perfect.",
    ),
    Chart(
        "Threshold",
        "threshold",
        "Set again for each size by the rule in force; scores rise as the bank shrinks.",
    ),
    Chart(
        "Cover radius",
        "cover_radius",
        "The largest distance from any patch of the good images to its nearest kept patch, score units.",
    ),
    Chart("Memory, MB", "megabytes", "Of the bank while inspecting.", zero=True),
    Chart(
        "Time per image, ms",
        "milliseconds",
        "To score one image on this computer, once it is read.",
        zero=True,
    ),
)
SPREAD = Chart(
    "Scores of good images",
    "median",
    "Lowest, median and highest score of the good images, each compared with the bank without its own patches. "
    "With no defects at hand this is what a bank can be judged by: the closer together the better.",
)

Row = Mapping[str, Any]


def rows_of(sweep: Sequence[Row]) -> list[dict[str, float | None]]:
    """Return the numbers to draw for every size, None where one does not exist."""
    return [
        {
            "percent": 100 * point["share"],
            "image_auroc": point["image"]["auroc"],
            "pixel_auroc": point["pixels"]["auroc"],
            "lowest": point["good_scores"]["lowest"],
            "median": point["good_scores"]["median"],
            "highest": point["good_scores"]["highest"],
        }
        | {name: point[name] for name in ("threshold", "cover_radius", "megabytes", "milliseconds")}
        for point in sweep
    ]


def charts(sweep: Sequence[Row]) -> list[Chart]:
    """Return the charts that have numbers; without defects, the spread of good scores takes the place of AUROC."""
    rows = rows_of(sweep)
    measured = any(row["image_auroc"] is not None for row in rows)
    wanted = CHARTS if measured else (SPREAD, *CHARTS[1:])
    return [chart for chart in wanted if any(row[chart.field] is not None for row in rows)]


def show(
    sweep: Sequence[Row], in_use: float, chosen: float, choose: Callable[[float], None], key: str
) -> None:
    """Draw the charts, three to a row.

    Parameters
    ----------
    sweep
        From `latest_sweep` of `workbench/evaluation/sweep.py`.
    in_use, chosen
        Shares of all patches, to be marked.
    choose
        Called with the share that was clicked, before the run that follows.
    key
        Prefix of the widgets' keys, another one for another sweep.
    """
    rows, drawn = rows_of(sweep), charts(sweep)
    for start in range(0, len(drawn), ACROSS):
        for column, chart in zip(
            st.columns(ACROSS, gap="medium"), drawn[start : start + ACROSS], strict=False
        ):
            with column:
                st.markdown(f"**{chart.title}**", help=chart.meaning)
                _draw(chart, rows, 100 * in_use, 100 * chosen, choose, f"{key}_{chart.field}")


def specification(chart: Chart, rows: Sequence[Row], in_use: float, chosen: float) -> dict[str, Any]:
    """Return the Vega-Lite specification of one chart; `in_use` and `chosen` in percent."""
    known = [row for row in rows if row[chart.field] is not None]
    x = {
        "field": "percent",
        "type": "quantitative",
        "scale": {
            "type": "log",
            "nice": False,
            "domain": [min(row["percent"] for row in rows), max(row["percent"] for row in rows)],
        },
        "axis": {"title": None, "values": [0.1, 0.3, 1, 3, 10, 30], "labelExpr": "datum.value + ' %'"},
    }
    y = {"field": chart.field, "type": "quantitative", "title": None, "scale": {"zero": chart.zero}}
    tooltip = [
        {"field": "percent", "title": "bank size, %", "format": ".2~f"},
        {"field": chart.field, "title": chart.title, "format": ".4~g"},
    ]
    click = {"type": "point", "fields": ["percent"], "nearest": True, "toggle": False, "clear": False}
    layers: list[dict[str, Any]] = [
        _line_at(in_use, [3, 3]),
        _line_at(chosen, []),
        {"mark": {"type": "line", "strokeWidth": 2}, "encoding": {"x": x, "y": y}},
        {
            "params": [{"name": SELECTION, "select": click}],
            "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1, "cursor": "pointer"},
            "encoding": {"x": x, "y": y, "tooltip": tooltip, "size": _larger(chosen)},
        },
    ]
    if chart is SPREAD:
        spread = {"x": x, "y": {**y, "field": "lowest"}, "y2": {"field": "highest"}}
        layers.insert(0, {"mark": {"type": "area", "opacity": 0.16}, "encoding": spread})
    return {"background": "transparent", "data": {"values": known}, "layer": layers}


def _line_at(percent: float, dash: list[int]) -> dict[str, Any]:
    return {
        "mark": {"type": "rule", "color": "#7d8b98", "strokeDash": dash},
        "encoding": {"x": {"datum": percent}},
    }


def _larger(chosen: float) -> dict[str, Any]:
    return {
        "condition": {"test": f"abs(datum.percent - {chosen}) < 1e-9", "value": 170},
        "value": 60,
    }


def _draw(
    chart: Chart, rows: Sequence[Row], in_use: float, chosen: float, choose: Callable[[float], None], key: str
) -> None:
    def clicked() -> None:
        state = st.session_state[key]
        points = state.get("selection", {}).get(SELECTION) or []
        if points:
            choose(float(points[0]["percent"]) / 100)

    st.vega_lite_chart(
        spec=specification(chart, rows, in_use, chosen),
        width="stretch",
        height=HEIGHT,
        key=key,
        on_select=clicked,
        selection_mode=SELECTION,
        alt=f"{chart.title} against the bank's size; the table below has the numbers",
    )
