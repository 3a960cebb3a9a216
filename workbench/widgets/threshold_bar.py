"""The threshold: counts of verdicts, every score on one line, and the slider that moves the threshold along it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import streamlit as st

from patchcore.operating_point import OperatingPoint, Verdict
from patchcore.thresholds import by_hand
from workbench.database import InspectorVersion, Result
from workbench.inspectors import set_operating_point
from workbench.widgets import session, theme, wording

LANES = 5  # heights at which dots lie, so that equal scores stay apart
AS_SET = "as set"
BANDS = {
    "no review band": 0.0,
    "review 5 % below": 0.05,
    "review 10 % below": 0.10,
    "review 20 % below": 0.20,
}
VERDICTS: tuple[Verdict, ...] = ("reject", "review", "accept")
SET_BY = "Inspect page"


def trial_point(version: InspectorVersion) -> OperatingPoint:
    """Return the thresholds that the page shows: those in force, unless the slider has been moved."""
    stored = OperatingPoint.from_dict(version.operating_point)
    moved, band = _trial(), BANDS.get(str(st.session_state.get("review_band")))
    reject = stored.reject if moved is None else moved
    if band is None:
        band = _band(stored)
    accept = stored.accept if moved is None and math.isclose(band, _band(stored)) else reject * (1 - band)
    pixel = None if stored.pixel is None or stored.reject <= 0 else stored.pixel * reject / stored.reject
    return replace(stored, reject=reject, accept=min(accept, reject), pixel=pixel, stale="")


def show(
    version: InspectorVersion, point: OperatingPoint, results: Sequence[Result]
) -> Callable[[Sequence[Result]], None]:
    """Draw counts, scores and slider in one panel; return what draws counts and scores anew for more results."""
    stored = OperatingPoint.from_dict(version.operating_point)
    top = axis_top(stored.reject, [result.score for result in results if result.score is not None])
    with st.container(border=True, key="panel_threshold", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            with st.container(width="stretch"):
                numbers = st.empty()
            _review_band(stored)
            _keep_or_return(version, stored, point)
        strip = st.empty()
        _slider(point, top)
    good_scores = list(version.good_scores.values())

    def update(present: Sequence[Result]) -> None:
        numbers.html(_counts_html(count_verdicts(present, point), sum(one.score is None for one in present)))
        strip.html(strip_html(present, good_scores, point, top))

    update(results)
    return update


def count_verdicts(results: Sequence[Result], point: OperatingPoint) -> Counter[Verdict]:
    """Count the verdicts of what has been scored."""
    return Counter(point.verdict(result.score) for result in results if result.score is not None)


def axis_top(threshold: float, scores: Sequence[float]) -> float:
    """Return a round score at which the axis ends: beyond twice the threshold and the worst image."""
    wanted = max([2.0 * threshold, *(1.02 * score for score in scores)], default=1.0)
    step = 10 ** math.floor(math.log10(wanted)) / 2 if wanted > 0 else 1.0
    return step * math.ceil(wanted / step) or 1.0


def strip_html(
    results: Sequence[Result], good_scores: Sequence[float], point: OperatingPoint, top: float
) -> str:
    """Return every score on one line: the good images below, the batch above, lines at the thresholds."""
    dots = [
        f'<i style="left:{_place(score, top)};bottom:5px;width:5px;height:5px;margin-left:-2.5px;opacity:.45;'
        f'background:var(--pc-mute)"></i>'
        for score in good_scores
    ]
    for number, result in enumerate(results):
        if result.score is not None:
            verdict = point.verdict(result.score)
            shape = "d" if verdict == "reject" else ""
            lane = 14 + (number * 3) % LANES * 7
            dots.append(
                f'<i class="{shape}" style="left:{_place(result.score, top)};bottom:{lane}px;'
                f'background:var(--pc-{verdict})"></i>'
            )
    lines = f'<u style="left:{_place(point.reject, top)}"></u>' + _mark(
        point.reject, top, f"reject above {wording.score(point.reject)}", "reject", left=False
    )
    if point.accept < point.reject:
        lines += f'<u class="review" style="left:{_place(point.accept, top)}"></u>'
        lines += _mark(point.accept, top, f"review above {wording.score(point.accept)}", "review", left=True)
    ticks = "".join(
        f'<span style="left:{100 * k / 5:.0f}%">{wording.score(top * k / 5) if k else "0"}</span>'
        for k in range(6)
    )
    return (
        f'<div class="pc-strip pc-num">{"".join(dots)}{lines}</div><div class="pc-axis pc-num">{ticks}</div>'
    )


def _slider(point: OperatingPoint, top: float) -> None:
    st.session_state["threshold_slider"] = min(max(point.reject, 0.0), top)
    st.slider(
        "Threshold",
        0.0,
        top,
        step=top / 1000,
        format="%.3g",
        key="threshold_slider",
        on_change=_moved,
        help="The score above which a part is rejected. A score is the distance, in the network's feature "
        "space, from the worst patch of an image to the nearest patch of the good images. Moving it scores "
        "nothing again; it takes effect for others once you press Use this threshold.",
    )


def _review_band(stored: OperatingPoint) -> None:
    share = _band(stored)
    as_set = f"review {wording.share(share)} below" if share else "no review band"

    def label(option: str) -> str:
        return f"{as_set} (set)" if option == AS_SET else option

    st.selectbox(
        "Review band",
        [AS_SET, *BANDS],
        key="review_band",
        format_func=label,
        width=190,
        label_visibility="collapsed",
        help="Parts whose score lies in this band below the threshold are neither accepted nor rejected: "
        "a person looks at them.",
    )


def _keep_or_return(version: InspectorVersion, stored: OperatingPoint, point: OperatingPoint) -> None:
    same = math.isclose(point.reject, stored.reject) and math.isclose(point.accept, stored.accept)
    if st.button(
        f"Back to {wording.score(stored.reject)}",
        disabled=same,
        help=f"The threshold in force. {session.sentence(stored.statement)}",
    ):
        forget_trial()
        st.rerun()
    unchanged = same and not stored.stale
    if st.button("Use this threshold", disabled=unchanged, type="secondary" if unchanged else "primary"):
        kept = by_hand(point.reject, stored.evidence, stored.bank_id, set_by=SET_BY, accept=point.accept)
        set_operating_point(session.workspace(), version, kept)
        forget_trial()
        st.rerun()


def forget_trial() -> None:
    """Go back to the thresholds in force."""
    session.forget("threshold")
    st.session_state.pop("review_band", None)


def _moved() -> None:
    session.choose("threshold", float(f"{st.session_state['threshold_slider']:.6g}"))


def _trial() -> float | None:
    for value in (st.query_params.get("threshold"), st.session_state.get("threshold")):
        try:
            number = float(str(value))
        except ValueError:
            continue
        if math.isfinite(number) and number >= 0:
            return number
    return None


def _band(point: OperatingPoint) -> float:
    """Return how far below the reject threshold the review band begins, as a share of it."""
    return 1 - point.accept / point.reject if point.reject > 0 else 0.0


def _counts_html(counts: Mapping[Verdict, int], unscored: int) -> str:
    parts = [
        f'<span class="pc-{verdict}"><b>{counts.get(verdict, 0)}</b> {theme.SIGNS[verdict]} {verdict}</span>'
        for verdict in VERDICTS
    ]
    if unscored:
        parts.append(f'<span class="pc-mute"><b>{unscored}</b> ! not scored</span>')
    parts.append('<span class="pc-mute">grey dots: the good images, each scored without itself</span>')
    return f'<div class="pc-counts pc-num">{"".join(parts)}</div>'


def _place(score: float, top: float) -> str:
    return f"{100 * min(max(score / top, 0.0), 1.0):.2f}%"


def _mark(score: float, top: float, words: str, kind: str, *, left: bool) -> str:
    leftwards = left or score / top > 0.8
    side = " left" if leftwards else ""
    return f'<span class="mark{side}" style="left:{_place(score, top)};color:var(--pc-{kind})">{words}</span>'
