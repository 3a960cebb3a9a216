"""The headline of the page Evaluate: how well scores and maps separate, and the rates at the operating point."""

from html import escape

import streamlit as st

from patchcore.statistics.curves import Measure, Undefined
from patchcore.statistics.intervals import Interval
from patchcore.thresholds.verdict_counts import Rate, VerdictCounts
from workbench.tuning.evidence import tested_of
from workbench.widgets.evaluate.measured import Measured
from workbench.widgets.shared import notice, session, theme, wording
from workbench.widgets.tune import advice, label_offer

MEANING = {
    "Image AUROC": "The chance that a defect scores above a good part: 1 is perfect, 0.5 is guessing. The smaller "
    "figures are the range in which it lies with 95 % confidence.",
    "Average precision": "Ranked from the highest score down, how pure the defects stand at the top: 1 is perfect.",
    "Best F1": "The best balance of defects found and rejects that are right, over all thresholds: 1 is perfect.",
    "Pixel AUROC": "The chance that a marked pixel scores above an unmarked one: 1 is perfect. It needs masks.",
    "AUPRO": "How much of each marked region is found, averaged over regions, small ones counting as much as large "
    "ones, up to 30 % of good pixels called defective: 1 is perfect. It needs masks.",
    "False rejects": "Good parts that the threshold in force rejects.",
    "Escapes": "Defects that the threshold in force accepts.",
    "To review": "Parts that score between the review and the reject threshold, or whose whole picture is doubtful: a "
    "person looks at them.",
    "Threshold": "Scores above it are rejected.",
}


def show(measured: Measured) -> None:
    """Draw both rows of numbers, and the reason for each number that is missing."""
    with st.container(border=True, key="panel_headline"):
        st.html(
            theme.numbers_html(
                [
                    (name, _html(value, small), MEANING[name] + _why(value))
                    for name, value, small in _separation(measured)
                ]
            )
        )
        counts = measured.evaluation.counts
        if counts is not None:
            st.html(theme.numbers_html(_decision(measured, counts)))
        label_offer.show(measured.version, measured.batch, measured.evaluation.basis)
        if counts is not None and counts.escapes:
            tested = tested_of(session.workspace(), measured.version, measured.results)
            advice.show(measured.version, tested, "evaluate")
        for line in _words(measured):
            st.caption(session.sentence(line))
    remarks = measured.evaluation.remarks
    notice.folded(f"{wording.counted(len(remarks), 'remark')} on these images", remarks)
    problems = measured.evaluation.problems
    notice.folded(
        f"{wording.counted(len(problems), 'image')} not fully counted, each with its reason", problems
    )


def metric(value: Measure) -> str:
    """Return a measure of 0 to 1 to three digits, or a dash where it does not exist."""
    return wording.DASH if isinstance(value, Undefined) else f"{value:.3f}"


def rate_html(rate: Rate) -> str:
    """Return a count of errors with its rate and the range of the true one: 2 of 60, 3.3 % (0.4 to 11.5 %).

    The count is red where there are errors. Labels that are no sample have a count alone: 2 of 60. From a random sample
    the rate is about the images that it was drawn from, so it stands before the count: about 40 % (13 to 70 %), 2 of 60
    labelled.
    """
    if not rate.trials:
        return wording.DASH
    counted = f"of {wording.count(rate.trials)}"
    events = wording.count(rate.events)
    if rate.events:
        events = f'<span class="pc-reject">{events}</span>'
    if isinstance(rate.interval, Undefined):
        return f"{events} <small>{counted}</small>"
    low, high = rate.interval
    between = f"{_percent(low)} to {_percent(high)}"
    if rate.estimate is None and not isinstance(rate.value, Undefined):
        return f"{events} <small>{counted}, {_percent(rate.value)} ({between})</small>"
    about = "open" if isinstance(rate.value, Undefined) else f"about {_percent(rate.value)}"
    return f"{about} <small>({between}), {events} {counted} labelled</small>"


def _separation(measured: Measured) -> list[tuple[str, Measure, str]]:
    image, pixel = measured.evaluation.image, measured.evaluation.pixel
    return [
        ("Image AUROC", image.auroc, _range(measured.evaluation.auroc_interval)),
        ("Average precision", image.average_precision, ""),
        ("Best F1", image.f1_max, ""),
        ("Pixel AUROC", pixel.auroc, ""),
        ("AUPRO", pixel.aupro, ""),
    ]


def _decision(measured: Measured, counts: VerdictCounts) -> list[tuple[str, str, str]]:
    judged = counts.good + counts.defects
    review = f"{wording.count(counts.review)} <small>of {wording.count(judged)}</small>"
    threshold = (
        f"{wording.score(measured.point.reject)} <small>{escape(wording.rule(measured.point))}</small>"
    )
    return [
        (
            "Escapes",
            rate_html(counts.escape_rate),
            f"{MEANING['Escapes']} {_range_words(counts.escape_rate)}",
        ),
        (
            "False rejects",
            rate_html(counts.false_reject_rate),
            f"{MEANING['False rejects']} {_range_words(counts.false_reject_rate)}",
        ),
        ("To review", review, MEANING["To review"]),
        ("Threshold", threshold, f"{MEANING['Threshold']} {measured.point.statement}"),
    ]


def _range_words(rate: Rate) -> str:
    """Return in a sentence what the range of a rate means, or why there is none."""
    if isinstance(rate.interval, Undefined):
        return rate.interval.reason
    if rate.estimate is None:
        return "The true rate lies in the range with 95 % confidence (Clopper-Pearson)."
    low, high = rate.estimate.count_interval
    return (
        "The rate of all images that the sample was drawn from lies in the range with at least 95 % confidence: "
        f"{wording.count(low)} to {wording.count(high)} of {wording.count(rate.estimate.population)} images (exact "
        "bounds of each group, hypergeometric)."
    )


def _words(measured: Measured) -> list[str]:
    """Return the measures that have no number, each reason once, and the images that could not be judged."""
    reasons: dict[str, list[str]] = {}
    for name, value, _small in _separation(measured):
        if isinstance(value, Undefined):
            reasons.setdefault(value.reason, []).append(name)
    lines = [f"No {_listed(names)}: {reason[0].lower()}{reason[1:]}" for reason, names in reasons.items()]
    return lines + measured.evaluation.unjudged[:3]


def _html(value: Measure, small: str) -> str:
    return f"{metric(value)} <small>{small}</small>" if small else metric(value)


def _why(value: Measure) -> str:
    return f" Here it does not exist: {value.reason}" if isinstance(value, Undefined) else ""


def _range(interval: Interval | Undefined) -> str:
    return "" if isinstance(interval, Undefined) else f"{interval[0]:.3f} to {interval[1]:.3f}"


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.1f} %".replace(".0 %", " %")


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
