"""Charts as inline SVG."""

import re

import numpy as np

from patchcore.reports.charts import DOTS_A_ROW, VARIABLES, curve_chart, distribution_chart, sweep_charts
from patchcore.statistics.curves import Curve, MarkedCurve
from tests.patchcore.labelled_sets import point

CURVE = Curve(np.array([0.0, 0.5, 1.0]), np.array([0.0, 0.8, 1.0]), np.array([np.inf, 2.0, 1.0]))


def words(value):
    return f"{value:.1f}"


def test_colours_are_those_of_the_page_and_fonts_too():
    svg = curve_chart("roc", MarkedCurve(CURVE, (0.5, 0.8)), "x", "y", diagonal=True)
    assert "var(--accent)" in svg and "var(--reject)" in svg
    assert not [placeholder for placeholder in VARIABLES if placeholder in svg]
    assert "font-family" not in svg and "xmlns" not in svg and "<style" not in svg
    assert "var(--reject)" not in curve_chart("roc", MarkedCurve(CURVE), "x", "y")


def test_the_same_chart_twice_is_the_same_text():
    draw = [curve_chart("roc", MarkedCurve(CURVE, (0.5, 0.8)), "x", "y") for _ in range(2)]
    assert draw[0] == draw[1]


def test_every_score_has_a_mark_until_there_are_too_many():
    def marks(scores):
        svg = distribution_chart([("good", "good", scores)], None, words)
        return len(re.findall(r"<use [^>]*fill: var\(--accept\)", svg))

    assert marks([1.0, 2.0, 2.0]) == 3
    assert marks(np.arange(3000.0)) == DOTS_A_ROW


def test_thresholds_are_written_beside_their_lines():
    rows = [("good", "good", [1.0]), ("a<b" + "x" * 40, "defect", [5.0])]
    svg = distribution_chart(rows, point(), words)
    assert "✕ reject above 3.0" in svg and "? review above 2.0" in svg
    assert "a&lt;b" in svg and "x…" in svg and "x" * 30 not in svg
    assert "review above" not in distribution_chart(rows, point(3.0, 3.0), words)


def test_the_sweep_shows_what_is_known():
    sweep = [
        {"share": 0.01, "image_auroc": 0.9, "rows": 3},
        {"share": 0.1, "image_auroc": None, "megabytes": 2},
    ]
    charts = dict(sweep_charts(sweep, 0.1))
    assert list(charts) == ["How well it tells", "Megabytes"]
    assert sweep_charts([{"share": 0.1}], None) == []
