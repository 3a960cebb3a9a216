"""Inspectors as cards: the state, the latest verdicts and what needs attention, then how each was made."""

from collections.abc import Mapping, Sequence
from html import escape

import streamlit as st

from patchcore.thresholds.operating_point import OperatingPoint
from patchcore.thresholds.verdict_counts import VerdictCounts
from workbench.inspections.drift import find_drift
from workbench.inspections.history_query import Counts
from workbench.inspections.summary import LATEST, Summary, summarise
from workbench.inspectors.capabilities import method_label
from workbench.storage.tables import Inspector, InspectorVersion
from workbench.watching.standing import WatchState, list_watches
from workbench.widgets.build.settings_form import network_title
from workbench.widgets.shared import session, wording
from workbench.widgets.shared.pictures import thumbnail_tag
from workbench.widgets.shared.watch_state import sign, watched_name
from workbench.widgets.show import entry

COLUMNS = 3


def show(inspectors: Sequence[Inspector]) -> None:
    """Lay the cards out, three to a row."""
    ready = [(one, one.current) for one in inspectors if one.current is not None]
    watches = {one.inspector_id: one for one in list_watches(session.workspace())}
    for start in range(0, len(ready), COLUMNS):
        columns = st.columns(COLUMNS, gap="small")
        for column, (inspector, version) in zip(columns, ready[start : start + COLUMNS], strict=False):
            with column, st.container(border=True, key=f"card_{inspector.id}", height="stretch"):
                _card(inspector, version, watches)


def _card(inspector: Inspector, version: InspectorVersion, watches: Mapping[str, WatchState]) -> None:
    in_use = session.inspector_in_use()
    summary = summarise(session.workspace(), version)
    warnings = attention(version, summary, watches.get(inspector.id))
    here = in_use is not None and in_use.id == inspector.id
    st.html(card_html(inspector, version, summary, warnings, watches.get(inspector.id), in_use=here))
    with st.container(horizontal=True):
        if st.button("Inspect", key=f"inspect_with_{inspector.id}"):
            session.open_page("pages/inspect.py", inspector=inspector.id)
        if summary.undecided and st.button("Review", key=f"review_with_{inspector.id}"):
            session.open_page("pages/review.py", inspector=inspector.id)
        entry.button(inspector.id, "home")


def attention(version: InspectorVersion, summary: Summary, watch: WatchState | None) -> list[str]:
    """Return in sentences what somebody should look at, the gravest first."""
    found = []
    if OperatingPoint.from_dict(version.operating_point).stale:
        found.append("The threshold is out of date: nothing is judged. Set it again on Tune.")
    if watch is not None and watch.trouble:
        found.append(watch.trouble)
    if find_drift(session.workspace(), version.id).state == "drift":
        found.append("Accepted parts drift: History shows since when.")
    if summary.undecided:
        found.append(f"{wording.counted(summary.undecided, 'image')} to review, nobody has decided.")
    return found


def card_html(
    inspector: Inspector,
    version: InspectorVersion,
    summary: Summary,
    warnings: Sequence[str],
    watch: WatchState | None,
    *,
    in_use: bool,
) -> str:
    """Return a card: what a shift wants to know first, then how the inspector was made."""
    stale = bool(OperatingPoint.from_dict(version.operating_point).stale)
    facts = {"State": _state(watch, stale=stale)}
    if summary.latest.total:
        facts[_latest_title(summary.latest.total)] = _verdicts_html(summary.latest)
    if summary.false_rejects or summary.escapes:
        facts["Found wrong"] = _wrong_html(summary)
    if summary.evaluated is not None:
        facts["Evaluated"] = _evaluated_html(summary.evaluated)
    facts["Last used"] = "never" if summary.last is None else wording.moment(summary.last)
    rows = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts.items())
    notes = "".join(f'<p class="pc-review">! {escape(sentence)}</p>' for sentence in warnings)
    picture = thumbnail_tag(session.workspace(), version.thumbnail_sha256)
    here = ' <small class="pc-accent">● in use</small>' if in_use else ""
    return (
        f'<div class="pc-card pc-num">{picture}<div><h3>{escape(inspector.name)}{here}</h3><dl>{rows}</dl>{notes}'
        f'<p class="pc-mute">{_made(version)}</p></div></div>'
    )


def _state(watch: WatchState | None, *, stale: bool) -> str:
    if stale:
        return '<span class="pc-review">! judges nothing</span>'
    if watch is not None:
        return f"{sign(watch)} {escape(watched_name(watch))}"
    return '<span class="pc-accept">✓ ready</span>'


def _latest_title(number: int) -> str:
    return f"Last {LATEST} parts" if number == LATEST else wording.counted(number, "part")


def _verdicts_html(counts: Counts) -> str:
    parts = [
        f'<span class="pc-accept">✓ {counts.accept}</span>',
        f'<span class="pc-review">? {counts.review}</span>',
        f'<span class="pc-reject">✕ {counts.reject}</span>',
    ]
    if counts.none:
        parts.append(f'<span class="pc-mute">– {counts.none}</span>')
    title = f"{counts.accept} accepted, {counts.review} to review, {counts.reject} rejected"
    return f'<span title="{title}">{" ".join(parts)}</span>'


def _wrong_html(summary: Summary) -> str:
    parts = [wording.counted(summary.false_rejects, "false reject")] if summary.false_rejects else []
    parts += [wording.counted(summary.escapes, "escape")] if summary.escapes else []
    return f'<span class="pc-reject">{", ".join(parts)}</span>'


def _evaluated_html(counts: VerdictCounts) -> str:
    """Return false rejects and escapes of the labelled images; what is wrong is red."""
    parts = [
        f"<span{' class=pc-reject' if wrong else ''}>{wording.count(wrong)} of {wording.count(of)} {what}</span>"
        for wrong, of, what in (
            (counts.false_rejects, counts.good, "false rejects"),
            (counts.escapes, counts.defects, "escapes"),
        )
        if of
    ]
    return ", ".join(parts)


def _made(version: InspectorVersion) -> str:
    point = OperatingPoint.from_dict(version.operating_point)
    facts = (
        f"{method_label(version)}, {wording.size(version)}",
        f"threshold {wording.score(point.reject)}",
        f"network {escape(network_title(str(version.settings['backbone'])))}",
        f"built {wording.moment(version.created)}",
    )
    return "; ".join(facts)
