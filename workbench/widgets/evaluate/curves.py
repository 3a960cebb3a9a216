"""The view Curves: ROC, precision-recall and PRO, each with the operating point marked."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from patchcore.statistics.curves import MarkedCurve, Undefined
from workbench.widgets.evaluate.measured import Measured
from workbench.widgets.shared import session, wording

POINTS = 400  # of a curve that is drawn
HEIGHT = 300


@dataclass(frozen=True)
class Plane:
    """The plane of a curve: its title, its meaning, and its axes in words."""

    title: str
    meaning: str
    x: str
    y: str


PLANES = {
    "roc": Plane(
        "ROC",
        "Each point is a threshold: the share of good parts it rejects, and the share of defects it finds. "
        "The nearer the curve comes to the upper left corner, the better.",
        "good parts rejected",
        "defects found",
    ),
    "precision_recall": Plane(
        "Precision and recall",
        "Each point is a threshold: the share of defects it finds, and how many of its rejects are defects. "
        "The nearer the curve comes to the upper right corner, the better.",
        "defects found",
        "rejects that are defects",
    ),
    "pro": Plane(
        "PRO, per region",
        "Each point is a pixel threshold: the share of good pixels above it, and how much of each marked region lies "
        "above it, averaged over regions. AUPRO is the area up to 30 % of good pixels.",
        "good pixels above the threshold",
        "regions found, mean share",
    ),
}


def show(measured: Measured) -> None:
    """Draw the three curves side by side."""
    curves = measured.evaluation.curves()
    for column, (name, plane) in zip(st.columns(len(PLANES), gap="medium"), PLANES.items(), strict=True):
        with column:
            st.markdown(f"**{plane.title}**", help=plane.meaning)
            _curve(name, plane, curves[name])
    st.caption(
        f"The dot is the threshold in force, {wording.score(measured.point.reject)}: found is what it rejects, without "
        "what goes to review. "
        f"{_pro_words(curves['pro'])}Point at a curve to read the threshold there."
    )


def _pro_words(pro: MarkedCurve | Undefined) -> str:
    if isinstance(pro, Undefined) or pro.place is not None:
        return ""
    return "PRO has no dot because no pixel threshold is set; Tune sets one. "


def _curve(name: str, plane: Plane, marked: MarkedCurve | Undefined) -> None:
    if isinstance(marked, Undefined):
        st.info(session.sentence(marked.reason))
        return
    st.vega_lite_chart(
        spec=chart(plane, marked),
        width="stretch",
        height=HEIGHT,
        key=f"curve_{name}",
        alt=_alt(plane, marked),
    )


def chart(plane: Plane, marked: MarkedCurve) -> dict[str, Any]:
    """Return the Vega-Lite specification of a curve and its operating point."""
    curve = marked.curve.thinned(POINTS)
    limits = ["all" if limit == float("inf") else wording.score(limit) for limit in curve.thresholds.tolist()]
    rows = [
        {"x": x, "y": y, "threshold": limit, "order": place}
        for place, (x, y, limit) in enumerate(zip(curve.x.tolist(), curve.y.tolist(), limits, strict=True))
    ]
    encoding = {"x": _axis("x", plane.x), "y": _axis("y", plane.y)}
    near = {"type": "point", "nearest": True, "on": "pointerover", "clear": "pointerout"}
    layers: list[dict[str, Any]] = [
        {
            "data": {"values": rows},
            "mark": {"type": "line", "interpolate": "linear", "strokeWidth": 2, "clip": True},
            "encoding": encoding | {"order": {"field": "order"}},
        },
        {
            "data": {"values": rows},
            "params": [{"name": "near", "select": near}],
            "mark": {"type": "point", "filled": True, "size": 60},
            "encoding": encoding
            | {
                "tooltip": [{"field": "threshold", "title": "threshold"}, *_shares(plane)],
                "opacity": {"condition": {"param": "near", "empty": False, "value": 1}, "value": 0},
            },
        },
    ]
    if marked.place is not None:
        layers.append(_operating_point(plane, marked.place, encoding))
    return {"background": "transparent", "layer": layers}


def _operating_point(plane: Plane, place: tuple[float, float], encoding: dict[str, Any]) -> dict[str, Any]:
    return {
        "data": {"values": [{"x": place[0], "y": place[1], "name": "operating point"}]},
        "mark": {
            "type": "point",
            "filled": True,
            "size": 130,
            "stroke": "#7d8b98",
            "strokeWidth": 1.5,
            "opacity": 1,
        },
        "encoding": encoding
        | {
            "color": {"datum": "operating point", "legend": None},
            "tooltip": [{"field": "name", "title": "here"}, *_shares(plane)],
        },
    }


def _shares(plane: Plane) -> list[dict[str, str]]:
    """Return the lines of a tooltip that say where a point lies."""
    return [
        {"field": "x", "title": plane.x, "format": ".1%"},
        {"field": "y", "title": plane.y, "format": ".1%"},
    ]


def _axis(field: str, title: str) -> dict[str, Any]:
    return {
        "field": field,
        "type": "quantitative",
        "title": title,
        "scale": {"domain": [0, 1], "nice": False},
        "axis": {"labelExpr": "format(100 * datum.value, 'd') + ' %'", "tickCount": 5},
    }


def _alt(plane: Plane, marked: MarkedCurve) -> str:
    if marked.place is None:
        return f"{plane.title} curve"
    x, y = marked.place
    return f"{plane.title} curve; at the operating point {100 * x:.1f} % {plane.x}, {100 * y:.1f} % {plane.y}"
