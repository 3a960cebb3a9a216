"""Tiles, rows and charts of the report's template, in words and numbers ready to be shown."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from numbers import Real
from typing import Any

import numpy as np

from patchcore.evaluation.measures import Evaluation
from patchcore.evaluation.metrics import GOOD
from patchcore.images.file_names import display_name
from patchcore.reports import words
from patchcore.reports.charts import curve_chart
from patchcore.statistics.curves import MarkedCurve, Measure, Undefined
from patchcore.statistics.intervals import percent
from patchcore.thresholds.operating_point import OperatingPoint
from patchcore.thresholds.rules import sentence
from patchcore.thresholds.verdict_counts import Rate

MOST_PROBLEMS = 30
SWEEP_COLUMNS = (
    ("share", "share kept"),
    ("rows", "rows"),
    ("megabytes", "MB"),
    ("cover_radius", "cover radius"),
    ("milliseconds", "ms an image"),
    ("threshold", "threshold"),
    ("image_auroc", "image AUROC"),
    ("pixel_auroc", "pixel AUROC"),
    ("aupro", "AUPRO"),
)


@dataclass(frozen=True)
class CurvePanel:
    """The drawing of one of `Evaluation.curves`.

    Parameters
    ----------
    name, title
        Its key and its title.
    axes
        Labels of x and y.
    place
        Words for the operating point's place, from x and y.
    """

    name: str
    title: str
    axes: tuple[str, str]
    place: str


CURVES = (
    CurvePanel(
        "roc",
        "ROC, images",
        ("good parts rejected", "defects caught"),
        "{0} of good parts rejected, {1} of defects caught",
    ),
    CurvePanel(
        "precision_recall",
        "Precision and recall, images",
        ("recall: defects caught", "precision: rejects that are defects"),
        "{0} of defects caught, {1} of rejects are defects",
    ),
    CurvePanel(
        "pro",
        "Per-region overlap, pixels",
        ("good pixels above", "mean share of a region found"),
        "{0} of good pixels above the pixel threshold, {1} of a region found",
    ),
)


def threshold_rules(point: OperatingPoint | None, like: float) -> list[tuple[str, str, str]]:
    """Return the rule of each threshold, as (threshold, value, rule)."""
    if point is None:
        return []
    rows = [("Reject above", point.reject, point.rule)]
    if point.accept < point.reject and point.accept_rule:
        rows.append(("Review above", point.accept, point.accept_rule))
    if point.pixel is not None and point.pixel_rule:
        rows.append(("Pixel threshold", point.pixel, point.pixel_rule))
    return [
        (
            name,
            words.score_words(value, like),
            sentence(rule, partial(words.score_words, like=value)),
        )
        for name, value, rule in rows
    ]


def metric_tiles(evaluation: Evaluation) -> list[dict[str, str]]:
    """Give the figures of the summary: label, value, interval or reason, meaning."""
    image, pixel, counts = evaluation.image, evaluation.pixel, evaluation.counts
    shown = []
    if counts is not None:
        shown += [
            _rate_tile("False rejects", counts.false_reject_rate, "good parts that are rejected"),
            _rate_tile("Escapes", counts.escape_rate, "defects that are accepted"),
        ]
    return [
        *shown,
        _tile(
            "Image AUROC",
            image.auroc,
            "chance that a defect scores above a good part",
            words.interval_words(evaluation.auroc_interval),
        ),
        _tile("Average precision", image.average_precision, "mean precision, from the highest score down"),
        _tile("Largest F1", image.f1_max, "best balance of precision and recall at any threshold"),
        _tile("Pixel AUROC", pixel.auroc, "the same as image AUROC, over pixels"),
        _tile(
            "AUPRO",
            pixel.aupro,
            f"mean share of each marked region found, up to {percent(pixel.max_fpr)} false pixels",
        ),
    ]


def _tile(label: str, value: Measure, meaning: str, interval: str = "") -> dict[str, str]:
    if isinstance(value, Undefined):
        return {"label": label, "value": "not defined", "below": value.reason, "meaning": meaning}
    return {"label": label, "value": words.measure_words(value), "below": interval, "meaning": meaning}


def _rate_tile(label: str, rate: Rate, meaning: str) -> dict[str, str]:
    counted = f"{rate.events:,} of {rate.trials:,}"
    if rate.missing and rate.trials:
        return {"label": label, "value": counted, "below": rate.missing, "meaning": meaning}
    if rate.estimate is not None and rate.trials:
        counted += " labelled, the rate estimated from a random sample"
    elif isinstance(rate.value, Undefined):
        return {"label": label, "value": "not defined", "below": rate.value.reason, "meaning": meaning}
    value = "open" if isinstance(rate.value, Undefined) else percent(rate.value)
    below = f"{counted}; {words.interval_words(rate.interval, 'percent')}"
    return {"label": label, "value": value, "below": below, "meaning": meaning}


def type_table(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Return the rows by defect type, with measures in words, or with the reason why one is not defined."""
    return [
        vars(row)
        | {
            "auroc": words.measure_words(row.auroc),
            "aupro": words.measure_words(row.aupro),
            "no_aupro": row.aupro.reason if isinstance(row.aupro, Undefined) else "",
            "no_auroc": row.auroc.reason if isinstance(row.auroc, Undefined) else "",
        }
        for row in evaluation.by_type()
    ]


def score_rows(evaluation: Evaluation, good_scores: Sequence[float]) -> list[tuple[str, str, list[float]]]:
    """Return the scores of each kind of image as (label, kind, scores): of the bank, good, each defect type."""
    by_kind: dict[str, list[float]] = {}
    for item in evaluation.scored:
        by_kind.setdefault(item.defect_type, []).append(item.score)
    built = [score for score in good_scores if np.isfinite(score)]
    rows = [("good, building set", "building", built)] if built else []
    rows += [(GOOD, "good", by_kind.pop(GOOD))] if GOOD in by_kind else []
    return rows + [(kind, "defect", by_kind[kind]) for kind in sorted(by_kind)]


def drawn_curves(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Return each curve with its title and the operating point's place, or the reason for its absence."""
    curves = evaluation.curves()
    return [_drawn_curve(panel, curves[panel.name], evaluation) for panel in CURVES]


def _drawn_curve(
    panel: CurvePanel, marked: MarkedCurve | Undefined, evaluation: Evaluation
) -> dict[str, Any]:
    if isinstance(marked, Undefined):
        return {"title": panel.title, "chart": None, "words": marked.reason, "marked": False}
    x_end = evaluation.pixel.max_fpr if panel.name == "pro" else 1.0
    name = panel.name.replace("_", "")
    chart = curve_chart(name, marked, *panel.axes, x_end=x_end, diagonal=name == "roc")
    if marked.place is None:
        said = _why_unmarked(panel.name, evaluation)
    else:
        said = panel.place.format(*(percent(value) for value in marked.place))
    return {"title": panel.title, "chart": chart, "words": said, "marked": marked.place is not None}


def _why_unmarked(name: str, evaluation: Evaluation) -> str:
    point = evaluation.point
    if point is None or point.stale:
        return "No threshold is in force to be marked."
    return (
        "No pixel threshold is set to be marked."
        if name == "pro"
        else "Nothing is rejected, so nothing is marked."
    )


def sweep_table(sweep: Sequence[Mapping[str, Any]], like: float, share: float | None) -> list[dict[str, Any]]:
    """Return the rows of the coreset sweep by share, with the share in use marked."""
    ordered = sorted(sweep, key=lambda row: float(row["share"]))
    return [
        {
            "cells": {key: _cell(key, row.get(key), like) for key, _ in SWEEP_COLUMNS},
            # a share of whole rows differs a little from the requested one
            "in_use": share is not None and math.isclose(row["share"], share, rel_tol=0.02),
        }
        for row in ordered
    ]


def _cell(key: str, value: Any, like: float) -> str:
    if not isinstance(value, Real) or not math.isfinite(value):
        return "–"
    number = float(value)
    if key == "share":
        return percent(number)
    if key == "rows":
        return f"{number:,.0f}"
    if key in ("megabytes", "milliseconds"):
        return f"{number:,.1f}"
    if key in ("threshold", "cover_radius"):
        return words.score_words(number, like)
    return f"{number:.3f}"


def sweep_columns(sweep: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return the columns with any known value, as (key, label)."""
    return [
        (key, text) for key, text in SWEEP_COLUMNS if any(isinstance(row.get(key), Real) for row in sweep)
    ]


def shortened(sentences: Sequence[str]) -> list[str]:
    """Keep the first of many sentences, each on one line, and add the number of further ones."""
    shown = [display_name(sentence) for sentence in sentences[:MOST_PROBLEMS]]
    more = len(sentences) - len(shown)
    return [*shown, f"… and {more:,} more."] if more else shown
