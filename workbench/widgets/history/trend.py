"""Scores over time: a chart with the thresholds of each time, and whether accepted parts drift."""

from datetime import datetime
from typing import Any

import streamlit as st

from patchcore.statistics.drift import ALARM, HORIZON, ControlChart
from workbench.inspections.drift import Drift, find_drift
from workbench.inspections.history_query import Counts, Filter, Sample, sample
from workbench.inspectors.versions import find_inspector
from workbench.widgets.shared import session, wording

HEIGHT = 190
# In the order of the theme's colours: accent, amber, green, red, grey.
KINDS = ("moving average", "review", "accept", "reject", "no verdict")
SHAPES = ("circle", "diamond", "circle", "cross", "circle")
TIMES = {
    "year": "%Y",
    "quarter": "%b %Y",
    "month": "%b %Y",
    "week": "%d %b",
    "date": "%d %b",
    "hours": "%H:%M",
    "minutes": "%H:%M",
    "seconds": "%H:%M:%S",
    "milliseconds": "%H:%M:%S",
}
EXPLANATION = (
    "Every hundred accepted parts are held against the first two hundred under the thresholds in force, by the rank "
    f"test of Mann and Whitney. Among {HORIZON:,} parts without drift there is a false alarm in at most "
    f"{100 * ALARM:.0f} of 100 cases, however often somebody looks; a rise by half the scores' spread is noticed "
    "within 200 parts in 9 of 10. The line is a moving average of the accepted scores (EWMA), the dashed one its "
    "upper limit."
)


def show(wanted: Filter, counts: Counts) -> None:
    """Draw the panel."""
    with st.container(border=True, key="panel_trend"):
        drift = _drift(wanted)
        _sentence(drift)
        shown = sample(session.workspace(), wanted, counts.total)
        if shown.rows:
            st.vega_lite_chart(
                spec=chart(shown, drift), width="stretch", height=HEIGHT, key="trend", alt=_alt(shown)
            )
            if shown.step > 1:
                st.caption(f"Drawn is one of every {shown.step} inspections.")


def _drift(wanted: Filter) -> Drift | None:
    """Look for drift where the filter names one inspector that is still in use."""
    inspector = find_inspector(session.workspace(), wanted.inspector_id) if wanted.inspector_id else None
    if inspector is None or inspector.current_id is None:
        return None
    return find_drift(session.workspace(), inspector.current_id)


def _sentence(drift: Drift | None) -> None:
    if drift is None:
        st.markdown(
            "**Scores over time**", help="Choose one inspector to have its accepted parts watched for drift."
        )
        return
    sign = {"waiting": ":gray[–]", "steady": ":green[✓]", "drift": ":orange[!]"}[drift.state]
    since = "" if drift.since is None else f" It began about {wording.moment(drift.since)}."
    st.markdown(f"{sign} {session.sentence(drift.sentence + since)}", help=EXPLANATION)


def chart(shown: Sample, drift: Drift | None) -> dict[str, Any]:
    """Return the Vega-Lite specification: dots by verdict, thresholds as steps, the moving average with its limit."""
    rows = [
        {
            "time": created.isoformat(),
            "score": score,
            "kind": verdict or "no verdict",
            "accept": accept,
            "reject": reject,
        }
        for _, created, score, verdict, accept, reject in shown.rows
    ]
    layers = [
        _layer(
            [row for row in rows if row[name] is not None],
            name,
            {"type": "line", "interpolate": "step-after", "strokeWidth": 1, "opacity": 0.8},
            {"datum": kind},
        )
        for name, kind in (("accept", "review"), ("reject", "reject"))
    ]
    layers.append(_dots(rows))
    if drift is not None and drift.chart is not None:
        layers += _average(drift, drift.chart, shown.rows[0][1])
    return {"background": "transparent", "layer": layers}


def _layer(
    rows: list[dict[str, Any]], field: str, mark: dict[str, Any], colour: dict[str, Any]
) -> dict[str, Any]:
    """Return a mark for every row: a field against time, in the colour of its kind."""
    return {
        "data": {"values": rows},
        "mark": mark,
        "encoding": {
            "x": {"field": "time", "type": "temporal", "title": None, "axis": {"format": TIMES}},
            "y": {"field": field, "type": "quantitative"},
            "color": colour | {"scale": {"domain": list(KINDS)}, "legend": None},
        },
    }


def _dots(rows: list[dict[str, Any]]) -> dict[str, Any]:
    mark = {"type": "point", "filled": True, "size": 22, "opacity": 0.7}
    layer = _layer(rows, "score", mark, {"field": "kind", "type": "nominal"})
    layer["encoding"]["y"] |= {"title": "score", "scale": {"zero": False}}
    layer["encoding"] |= {
        "shape": {
            "field": "kind",
            "type": "nominal",
            "scale": {"domain": list(KINDS), "range": list(SHAPES)},
            "legend": None,
        },
        "tooltip": [
            {"field": "time", "type": "temporal", "format": "%Y-%m-%d %H:%M", "title": "time"},
            {"field": "score", "format": ".3f"},
            {"field": "kind", "title": "verdict"},
        ],
    }
    return layer


def _average(drift: Drift, chart: ControlChart, first: datetime) -> list[dict[str, Any]]:
    """Return the moving average since the first dot, and its upper limit."""
    rows = [
        {"time": moment.isoformat(), "average": average, "upper": chart.upper}
        for moment, average in zip(drift.moments, chart.average.tolist(), strict=True)
        if moment >= first
    ]
    return [
        _layer(
            rows,
            field,
            {"type": "line", "strokeWidth": 1.5, "strokeDash": dash},
            {"datum": "moving average"},
        )
        for field, dash in (("average", []), ("upper", [5, 4]))
    ]


def _alt(shown: Sample) -> str:
    first, last = shown.rows[0][1], shown.rows[-1][1]
    return f"Scores of {len(shown.rows)} inspections from {first:%Y-%m-%d} to {last:%Y-%m-%d} with their thresholds"
