"""Sentences and charts of the views of Evaluate, without a page."""

from types import SimpleNamespace

import pytest

from patchcore.statistics.curves import Curve, MarkedCurve, Undefined
from patchcore.statistics.stratified import Stratum, sampled_rate
from patchcore.thresholds.verdict_counts import Rate
from workbench.evaluation.audit import AuditedImage
from workbench.evaluation.comparison import Comparison
from workbench.widgets.evaluate import audit, compare, curves, headline, share_charts, shares


def audited(name="a.png", times=2.3, deviations=9.0):
    return AuditedImage("0" * 64, name, 1.0, times, deviations, None, None)


def compared(difference, interval, differing=()):
    return Comparison(0.9, 0.9, difference, interval, 18, 24, list(differing))


def size(share, auroc=0.9, threshold=0.5):
    return {
        "share": share, "rows": int(1000 * share), "megabytes": share, "cover_radius": 0.3, "threshold": threshold,
        "reason": "" if threshold else "It was set by hand.", "milliseconds": 20.0,
        "good_scores": {"lowest": 0.1, "median": 0.2, "highest": 0.4},
        "image": {"auroc": auroc}, "pixels": {"auroc": None, "aupro": None},
    }  # fmt: skip


def test_a_rate_is_written_with_its_interval():
    assert (
        headline.rate_html(Rate(2, 60))
        == '<span class="pc-reject">2</span> <small>of 60, 3.3 % (0.4 % to 11.5 %)</small>'
    )
    assert headline.rate_html(Rate(0, 60)).startswith("0 <small>of 60, 0 % (")
    assert headline.rate_html(Rate(0, 0)) == "–"
    assert headline.rate_html(Rate(0, 15, missing="Chosen.")) == "0 <small>of 15</small>"
    estimate = sampled_rate([Stratum(200, 20, 2, True), Stratum(10, 10, 10, False)])
    assert headline.rate_html(Rate(2, 12, estimate)) == (
        'about 66.7 % <small>(23.1 % to 85.9 %), <span class="pc-reject">2</span> of 12 labelled</small>'
    )
    bare = sampled_rate([Stratum(90, 0, 0, True), Stratum(10, 10, 10, False)])
    assert headline.rate_html(Rate(0, 10, bare)).startswith("open <small>(0 % to 90 %)")


def test_an_undefined_measure_is_a_dash():
    assert headline.metric(Undefined("no masks")) == "–"
    assert headline.metric(0.98765) == "0.988"


def test_the_audit_says_whether_one_stands_out():
    assert audit.verdict([audited()], 0) == (
        "a.png scores 2.3 times the median of the good images: look at it first."
    )
    assert audit.verdict([audited(times=1.4)], 0).startswith("No good image stands out")
    assert audit.verdict([audited(deviations=2.0)], 0).startswith("No good image stands out")
    assert audit.stands_out(audited(deviations=None))  # all others score the same
    assert "looked at and kept" in audit.verdict([], 4)


@pytest.mark.parametrize(
    ("difference", "interval", "words"),
    [
        (
            0.021,
            (0.004, 0.05),
            "higher image AUROC, by 0.021 (95 % range of the difference +0.004 to +0.050)",
        ),
        (-0.021, (-0.07, 0.01), "does not tell them apart"),
        (0.0, (0.0, 0.0), "The same image AUROC"),
        (0.1, Undefined("Too few."), "Too few."),
        (Undefined("No defects."), Undefined("No defects."), "cannot be compared by AUROC: No defects."),
    ],
)
def test_a_difference_is_written_with_its_meaning(difference, interval, words):
    assert words in compare.sentence(compared(difference, interval))


@pytest.mark.parametrize(
    ("ours", "theirs", "words"),
    [
        (0, 0, ""),
        (
            60,
            0,
            "the version in use is better: of 60 images that only one judges rightly, the version in use has 60.",
        ),
        (1, 9, "the other is better"),
        (3, 1, "does not tell them apart"),
        (5, 0, "does not tell them apart"),  # 1 in 16 by chance: 5 of 5 is no proof
        (6, 0, "the version in use is better"),  # 1 in 32
    ],
)
def test_verdicts_are_compared_by_the_images_that_one_alone_judges_rightly(ours, theirs, words):
    differing = [SimpleNamespace(right="first")] * ours + [SimpleNamespace(right="second")] * theirs
    differing += [SimpleNamespace(right="")] * 7  # without a label
    found = compare.verdicts_sentence(compared(0.0, (0.0, 0.0), differing))
    assert words in found and bool(found) == bool(words)


def test_a_curve_can_be_pointed_at_and_is_marked():
    from numpy import array, inf

    curve = Curve(array([0.0, 0.5, 1.0]), array([0.0, 1.0, 1.0]), array([inf, 2.0, 1.0]))
    spec = curves.chart(curves.PLANES["roc"], MarkedCurve(curve, (0.5, 1.0)))
    assert [row["threshold"] for row in spec["layer"][1]["data"]["values"]] == ["all", "2.00", "1.00"]
    assert spec["layer"][2]["data"]["values"][0]["x"] == 0.5
    assert len(curves.chart(curves.PLANES["roc"], MarkedCurve(curve))["layer"]) == 2


def test_the_spread_of_good_scores_replaces_auroc_without_defects():
    titles = [chart.title for chart in share_charts.charts([size(0.01, auroc=None), size(0.1, auroc=None)])]
    assert (
        titles[0] == "Scores of good images" and "Image AUROC" not in titles and "Pixel AUROC" not in titles
    )
    assert "Image AUROC" in [chart.title for chart in share_charts.charts([size(0.01), size(0.1)])]


def test_sizes_that_lack_a_number_are_left_out_of_its_chart():
    rows = share_charts.rows_of([size(0.01, threshold=None), size(0.1)])
    threshold = next(chart for chart in share_charts.CHARTS if chart.field == "threshold")
    spec = share_charts.specification(threshold, rows, 10.0, 1.0)
    assert [row["percent"] for row in spec["data"]["values"]] == [10.0]
    x = spec["layer"][-1]["encoding"]["x"]
    assert x["scale"]["type"] == "log" and x["scale"]["domain"] == [1.0, 10.0]  # the same in every chart


def test_the_table_marks_the_chosen_size_and_the_one_in_use():
    html = shares.table_html([size(0.01), size(0.1, threshold=None)], 0.1, 0.01)
    chosen, in_use = html.split("<tr")[2:]
    assert "pc-chosen" in chosen and "in use" not in chosen
    assert "in use" in in_use and "–" in in_use
