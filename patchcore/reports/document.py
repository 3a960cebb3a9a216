"""The report: one self-contained HTML file about an inspector, for people who were not in the room.

`render_report` fills the template `report.html.jinja`. Every text in it is escaped by Jinja2; pictures and charts
are embedded; there are no scripts and nothing is fetched.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from numpy.typing import NDArray

from patchcore.evaluation.labelled_score import UNREADABLE
from patchcore.evaluation.measures import Evaluation
from patchcore.images.file_names import display_name
from patchcore.reports import words
from patchcore.reports.charts import distribution_chart, sweep_charts
from patchcore.reports.inspector_facts import Fact
from patchcore.reports.pictures import data_uri, draw_galleries, heat_scale, telling_images
from patchcore.reports.rows import (
    drawn_curves,
    metric_tiles,
    score_rows,
    shortened,
    sweep_columns,
    sweep_table,
    threshold_rules,
    type_table,
)
from patchcore.statistics.intervals import percent

SIGNS = {"accept": "✓", "review": "?", "reject": "✕"}


def now() -> str:
    """Give the time in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="minutes")


@dataclass(frozen=True)
class Report:
    """The contents of a report.

    Parameters
    ----------
    evaluation
        The evaluation; its verdicts follow `evaluation.point`, which the report explains.
    product
        Name of the product or inspector.
    title, author, date, note
        The report's title and author, the time (ISO 8601), and the author's remark.
    test_set
        Name of the labelled set.
    labels
        A sentence on its labels: the ones taken as good, and the ones taken as defects.
    facts
        Facts on the inspector, from `inspector_facts.inspector_facts`.
    good_images
        Images that the inspector was built from, where known.
    good_scores
        Leave-one-image-out scores of the good images; infinite ones are not drawn.
    good_picture
        A good part, uint8 [H, W, 3]; by default the lowest-scoring good image of the set.
    left_out
        A sentence for each image that could not be used to build.
    sweep
        A row for each share of the coreset, with any of the keys of `rows.SWEEP_COLUMNS`; None for an unknown
        value.
    share
        The share in use, 0 to 1.
    """

    evaluation: Evaluation
    product: str
    title: str = "Inspection report"
    author: str = ""
    date: str = field(default_factory=now)
    note: str = ""
    test_set: str = ""
    labels: str = ""
    facts: Sequence[Fact] = ()
    good_images: int | None = None
    good_scores: Sequence[float] = ()
    good_picture: NDArray[np.uint8] | None = None
    left_out: Sequence[str] = ()
    sweep: Sequence[Mapping[str, Any]] = ()
    share: float | None = None


def render_report(report: Report) -> str:
    """Give the report as one HTML document.

    Pictures that cannot be read are named in the report; nothing else is raised for them.
    """
    evaluation = report.evaluation
    galleries = telling_images(evaluation)
    scale = heat_scale(evaluation)
    unseen = draw_galleries(galleries, scale, evaluation.point)
    point, like = evaluation.point, _like(evaluation)
    score = partial(words.score_words, like=like)
    in_force = point if point is not None and not point.stale else None
    return (
        template_environment()
        .get_template("report.html.jinja")
        .render(
            report=report,
            evaluation=evaluation,
            counts=evaluation.counts,
            headline=words.headline(evaluation),
            good_picture=_good_picture(report),
            point=point,
            in_force=in_force,
            rules=threshold_rules(point, like),
            judged=words.judge_words(in_force) if in_force else "",
            score=score,
            tiles=metric_tiles(evaluation),
            types=type_table(evaluation),
            scores=distribution_chart(score_rows(evaluation, report.good_scores), in_force, score),
            curves=drawn_curves(evaluation),
            galleries=galleries,
            scale=scale,
            sweep=sweep_table(report.sweep, like, report.share),
            sweep_columns=sweep_columns(report.sweep),
            sweep_charts=sweep_charts(report.sweep, report.share) if len(report.sweep) > 1 else [],
            limits=words.limits(evaluation, report.good_images),
            problems=shortened([*evaluation.problems, *evaluation.unjudged, *unseen]),
            remarks=shortened(evaluation.remarks),
            left_out=shortened(report.left_out),
            signs=SIGNS,
        )
    )


def template_environment() -> Environment:
    """Return Jinja2's environment for the templates of this package: every text is escaped, and none may be missing."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.finalize = _kept_together
    environment.filters["moment"] = words.moment_words
    environment.filters["line"] = display_name
    environment.filters["percent"] = percent
    return environment


def _kept_together(value: Any) -> Any:
    """Keep a number and its percent sign on one line."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return value.replace(" %", "\N{NO-BREAK SPACE}%")
    return value


def _like(evaluation: Evaluation) -> float:
    """Return a score whose size sets the number of decimals of the others."""
    if evaluation.point is not None:
        return evaluation.point.reject
    return float(np.median([item.score for item in evaluation.scored]))


def _good_picture(report: Report) -> str | None:
    if report.good_picture is not None:
        return data_uri(report.good_picture)
    for item in sorted(report.evaluation.scored, key=lambda item: item.score):
        if not item.is_defect:
            try:
                return data_uri(item.load_pixels())
            except UNREADABLE:
                continue
    return None
