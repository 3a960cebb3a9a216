"""How scores move over time: a chart with the thresholds as they were, and whether accepted parts drift."""

from typing import Any

import streamlit as st

from patchcore.statistics.drift import ALARM, HORIZON
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
        _say(drift)
        shown = sample(session.workspace(), wanted, counts.total)
        if shown.rows:
            st.vega_lite_chart(
                spec=chart(shown, drift), width="stretch", height=HEIGHT, key="trend", alt=_alt(shown)
            )
            if shown.step > 1:
                st.caption(f"Drawn is one of every {shown.step} inspections.")


def _drift(wanted: Filter) -> Drift | None:
    """Look for drift where one inspector is wanted that still judges."""
    inspector = find_inspector(session.workspace(), wanted.inspector_id) if wanted.inspector_id else None
    if inspector is None or inspector.current_id is None:
        return None
    return find_drift(session.workspace(), inspector.current_id)


def _say(drift: Drift | None) -> None:
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
    time = {"field": "time", "type": "temporal", "title": None, "axis": {"format": TIMES}}
    layers = [_line(rows, time, name, kind) for name, kind in (("accept", "review"), ("reject", "reject"))]
    layers.append(_dots(rows, time))
    if drift is not None and drift.chart is not None:
        layers += _average(drift, shown.rows[0][1].isoformat())
    return {"background": "transparent", "layer": layers}


def _dots(rows: list[dict[str, Any]], time: dict[str, Any]) -> dict[str, Any]:
    return {
        "data": {"values": rows},
        "mark": {"type": "point", "filled": True, "size": 22, "opacity": 0.7},
        "encoding": {
            "x": time,
            "y": {"field": "score", "type": "quantitative", "title": "score", "scale": {"zero": False}},
            "color": _colour({"field": "kind", "type": "nominal"}),
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
        },
    }


def _line(rows: list[dict[str, Any]], time: dict[str, Any], field: str, kind: str) -> dict[str, Any]:
    """Return a threshold as it was over time."""
    return {
        "data": {"values": [row for row in rows if row[field] is not None]},
        "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 1, "opacity": 0.8},
        "encoding": {
            "x": time,
            "y": {"field": field, "type": "quantitative"},
            "color": _colour({"datum": kind}),
        },
    }


def _average(drift: Drift, first: str) -> list[dict[str, Any]]:
    assert drift.chart is not None
    rows = [
        {"time": moment.isoformat(), "average": average, "upper": drift.chart.upper}
        for moment, average in zip(drift.moments, drift.chart.average.tolist(), strict=True)
        if moment.isoformat() >= first
    ]
    time = {"field": "time", "type": "temporal"}
    return [
        {
            "data": {"values": rows},
            "mark": {"type": "line", "strokeWidth": width, "strokeDash": dash},
            "encoding": {
                "x": time,
                "y": {"field": field, "type": "quantitative"},
                "color": _colour({"datum": "moving average"}),
            },
        }
        for field, width, dash in (("average", 1.5, []), ("upper", 1.5, [5, 4]))
    ]


def _colour(what: dict[str, Any]) -> dict[str, Any]:
    return what | {"scale": {"domain": list(KINDS)}, "legend": None}


def _alt(shown: Sample) -> str:
    first, last = shown.rows[0][1], shown.rows[-1][1]
    return f"Scores of {len(shown.rows)} inspections from {first:%Y-%m-%d} to {last:%Y-%m-%d} with their thresholds"
