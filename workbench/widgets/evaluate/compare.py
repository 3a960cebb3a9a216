"""The view Compare: another version, or another inspector, on the same labelled set."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from html import escape
from statistics import median

import streamlit as st

from patchcore.statistics.curves import Undefined
from patchcore.statistics.intervals import clopper_pearson
from workbench.evaluation.comparison import Comparison, Disagreement, compare
from workbench.inspectors.capabilities import method_label
from workbench.inspectors.versions import find_inspector, get_version, list_inspectors, list_versions
from workbench.storage.tables import GOOD, InspectorVersion
from workbench.widgets.build import settings_form
from workbench.widgets.evaluate import images
from workbench.widgets.evaluate.headline import metric, rate_html
from workbench.widgets.evaluate.measured import Measured, measure
from workbench.widgets.shared import session, theme, wording
from workbench.widgets.shared.scoring import bar
from workbench.widgets.shared.verdicts import verdict_html

CHOICE = "other"  # name of the chosen version's id, in the address
ROWS_SHOWN = 100
SCORING = bar.Purpose("Scoring the set with the other version", why="The other version scores the same set.")


def show(measured: Measured) -> None:
    """Draw the choice of the other, and both side by side once it has scored the set."""
    others = _others(measured.version)
    if not others:
        st.info(
            "There is nothing to compare with yet. Put another bank size into use, remove a good image, or build a "
            "second inspector, by this method or another: every version stays and can be chosen here."
        )
        return
    other = get_version(session.workspace(), _choose(others))
    if not bar.everything_scored([measured.batch.id], other, "scoring_other", SCORING):
        return
    theirs = measure(measured.batch, other)
    found, basis = _compared(measured, theirs), measured.evaluation.basis
    if basis.kind != "set":
        found = replace(found, interval=Undefined(basis.sentence))
    words = f"{sentence(found)} {verdicts_sentence(found, a_set=basis.kind == 'set')}"
    st.markdown(session.sentence(words.strip()))
    if foreign := other_product(measured.version, other):
        st.warning(session.sentence(foreign))
    st.html(table_html(measured, theirs, others[other.id]))
    _disagreements(measured, found)


def sentence(found: Comparison) -> str:
    """Return in words what the difference of the two AUROCs means."""
    if isinstance(found.difference, Undefined):
        return f"The two cannot be compared by AUROC: {found.difference.reason}"
    images = f"{wording.count(found.n_good)} good images and {wording.counted(found.n_defect, 'defect')}"
    gain = f"{abs(found.difference):.3f}"
    words = (
        "The same image AUROC"
        if gain == "0.000"
        else (
            f"The version in use has the {'higher' if found.difference > 0 else 'lower'} image AUROC, by {gain}"
        )
    )
    if isinstance(found.interval, Undefined):
        return f"{words}, on the same {images}. {found.interval.reason}"
    low, high = found.interval
    apart = low > 0 or high < 0
    meaning = (
        "more than chance explains"
        if apart
        else "no more than chance can explain, so by AUROC this set does not tell them apart"
    )
    return f"{words} (95 % range of the difference {_signed(low)} to {_signed(high)}), on the same {images}; {meaning}."


def verdicts_sentence(found: Comparison, *, a_set: bool = True) -> str:
    """Return in words whose verdicts are right where the two differ; empty where no labelled image tells.

    The exact sign test on the images that one judges rightly and the other wrongly (McNemar, Psychometrika 12, 1947).
    It needs the labels of a set: of images that the scores of one version chose, there is a count alone.
    """
    ours = sum(one.right == "first" for one in found.disagreements)
    told = ours + sum(one.right == "second" for one in found.disagreements)
    if not told:
        return ""
    counts = (
        f"of {wording.counted(told, 'image')} that only one judges rightly, the version in use has {ours}"
    )
    if not a_set:
        return f"{counts[0].upper()}{counts[1:]}."
    low, high = clopper_pearson(ours, told)
    if low <= 0.5 <= high:
        return f"By verdicts at their thresholds the set does not tell them apart: {counts}."
    better = "the version in use" if low > 0.5 else "the other"
    return f"By verdicts at their thresholds {better} is better: {counts}."


def other_product(version: InspectorVersion, other: InspectorVersion) -> str:
    """Return a remark where the two inspectors were made for products of different names, else an empty sentence."""
    found = [find_inspector(session.workspace(), one.inspector_id) for one in (version, other)]
    ours, theirs = ("" if one is None else one.product.strip() for one in found)
    if not (ours and theirs) or ours.casefold() == theirs.casefold():
        return ""
    return f"The other inspector was made for {theirs}, the version in use for {ours}: one has never met these parts."


def table_html(ours: Measured, theirs: Measured, title: str) -> str:
    """Return the two as columns."""
    cells: dict[str, Callable[[Measured], str]] = {
        "Method": lambda one: method_label(one.version),
        "Network": lambda one: escape(settings_form.network_title(str(one.version.settings["backbone"]))),
        "Input size": lambda one: f"{one.version.settings['image_size']} px",
        "Compared with": lambda one: wording.size(one.version),
        "Threshold": _threshold,
        "Image AUROC": lambda one: metric(one.evaluation.image.auroc),
        "Pixel AUROC": lambda one: metric(one.evaluation.pixel.auroc),
        "AUPRO": lambda one: metric(one.evaluation.pixel.aupro),
        "False rejects": lambda one: _rate(one, good=True),
        "Escapes": lambda one: _rate(one, good=False),
        "Time per image": _time,
    }
    rows = [(name, cell(ours), cell(theirs)) for name, cell in cells.items()]
    return theme.table_html(rows, ("", "In use", escape(title)), look="pc-num pc-rows pc-compare", named=True)


def _others(version: InspectorVersion) -> dict[int, str]:
    """Return the versions to compare with, each with its title: of this inspector first, then of the others."""
    here = session.workspace()
    own = {
        one.id: f"Version {one.number}: {wording.method_and_share(one)}, {wording.moment(one.created)}"
        + (f", {one.note}" if one.note else "")
        for one in list_versions(here, version.inspector_id)
        if one.id != version.id
    }
    others = [(one, one.current) for one in list_inspectors(here) if one.id != version.inspector_id]
    titles = {its.id: f"{one.name}, {method_label(its)}" for one, its in others if its is not None}
    made = {its.id: wording.moment(its.created) for _, its in others if its is not None}
    return wording.distinct(own | titles, made)


def _choose(others: dict[int, str]) -> int:
    chosen = session.chosen_number(CHOICE)
    st.session_state["compare_with"] = chosen if chosen in others else next(iter(others))
    picked = st.selectbox(
        "Compare the version in use with",
        list(others),
        format_func=lambda one: others.get(one, ""),
        key="compare_with",
        on_change=lambda: session.choose(CHOICE, int(st.session_state["compare_with"])),
        width=460,
    )
    return int(picked)


def _compared(ours: Measured, theirs: Measured) -> Comparison:
    points = f"{ours.version.operating_point}{theirs.version.operating_point}"
    return _comparison(ours.key, theirs.key, points, ours, theirs)


@st.cache_resource(show_spinner="Comparing", max_entries=8)
def _comparison(first: str, second: str, points: str, _ours: Measured, _theirs: Measured) -> Comparison:
    return compare(session.workspace(), _ours.batch.id, _ours.version, _theirs.version)


def _disagreements(measured: Measured, found: Comparison) -> None:
    differing = found.disagreements
    st.markdown(f"**Images on which they disagree: {wording.count(len(differing))}**")
    if not differing:
        st.caption("Both give every image of this set the same verdict.")
        return
    left, right = st.columns([2, 3], gap="medium")
    with left:
        st.html(disagreements_html(differing))
    with right:
        results = [one.first.result for one in differing if one.first.result is not None]
        images.show_gallery(results, measured.point, "gallery_compare")
    images.show_opened(results, measured.version, measured.point)


def disagreements_html(differing: Sequence[Disagreement]) -> str:
    """Return the images with both verdicts, and which version agrees with the label."""
    right = {"first": "in use", "second": "other", "": "–"}
    rows = [
        (
            _image(one),
            *(verdict_html(verdict, _is_defect(one)) for verdict in (one.first_verdict, one.second_verdict)),
            right[one.right],
        )
        for one in differing[:ROWS_SHOWN]
    ]
    return theme.table_html(rows, ("Image", "In use", "Other", "Right"), look="pc-num pc-rows")


def _is_defect(one: Disagreement) -> bool | None:
    return None if one.first.truth is None else one.first.is_defect


def _image(one: Disagreement) -> str:
    truth = one.first.truth
    label = "" if truth is None else " good" if truth == GOOD else f" {truth.replace('_', ' ')}"
    return f'{escape(one.first.name)}<span class="pc-mute">{escape(label)}</span>'


def _threshold(measured: Measured) -> str:
    point = measured.point
    return f'{wording.score(point.reject)} <span class="pc-mute">{escape(wording.rule(point))}</span>'


def _rate(measured: Measured, *, good: bool) -> str:
    counts = measured.evaluation.counts
    if counts is None:
        return "–"
    return rate_html(counts.false_reject_rate if good else counts.escape_rate)


def _time(measured: Measured) -> str:
    seconds = [one.seconds for one in measured.results if one.seconds is not None]
    return wording.seconds(median(seconds)) if seconds else "–"


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")
