"""Two states of an inspector side by side on the page Library: their differences, also on labelled sets."""

from collections.abc import Sequence
from html import escape
from typing import Any

import streamlit as st

from patchcore.methods import SHARE
from patchcore.statistics.curves import Undefined
from workbench.evaluation.comparison import Comparison, compare
from workbench.evaluation.version_difference import Difference, difference, shared_sets
from workbench.inspectors.capabilities import refusal
from workbench.inspectors.timeline import WORDS, Entry, find_entry
from workbench.storage.tables import InspectorVersion
from workbench.widgets.evaluate.headline import metric
from workbench.widgets.shared import session, theme, wording

OTHER = "with"  # name of the state it is compared with, in the address
NAMES_SHOWN = 12


def show(entries: Sequence[Entry], entry: Entry) -> None:
    """Draw the choice of the other state, and the differences from it."""
    others = {one.number: one for one in entries if one.number != entry.number}
    other = _choose(others, entry)
    found = difference(session.workspace(), other, entry)
    st.html(table_html(other, entry, found))
    _images(found, other, entry)
    _sets(other, entry)


def table_html(before: Entry, after: Entry, found: Difference) -> str:
    """Return both as columns: thresholds and size always, settings where they differ."""
    both = (before, after)
    rows: list[tuple[str, ...]] = [
        ("Made", *(f"{wording.moment(one.created)}, {escape(one.made_by)}" for one in both)),
        ("Reject above", *(wording.score(one.point.reject) for one in both)),
        ("Review above", *(wording.review(one.point) for one in both)),
        ("Rule", *(escape(wording.rule(one.point)) for one in both)),
        ("Compared with", *(wording.size(one.version) for one in both)),
        ("Cover radius", *(_cover_radius(one.version) for one in both)),
        *((name, _value(ours), _value(theirs)) for name, ours, theirs in found.settings),
    ]
    marked = [
        (escape(name), ours, theirs if ours == theirs else f"<b>{theirs}</b>") for name, ours, theirs in rows
    ]
    head = ("", before.number, after.number)
    return theme.table_html(marked, head, look="pc-num pc-rows pc-compare", named=True)


def verdict(found: Comparison, before: Entry, after: Entry) -> str:
    """Return in a sentence how verdicts on a set have changed."""
    images = f"{wording.counted(found.n_good, 'good image')}, {wording.counted(found.n_defect, 'defect')}"
    differing = f"{wording.counted(len(found.disagreements), 'verdict')} differ"
    right = sum(one.right == "second" for one in found.disagreements)
    wrong = sum(one.right == "first" for one in found.disagreements)
    known = f" ({after.number} right in {right}, {before.number} in {wrong})" if right or wrong else ""
    if isinstance(found.difference, Undefined):
        return f"{images}: {differing}{known}. {found.difference.reason}"
    return f"{images}: {differing}{known}."


def _choose(others: dict[str, Entry], entry: Entry) -> Entry:
    in_use = find_entry(list(others.values()), session.chosen(OTHER))
    first = in_use if in_use is not None else next(iter(others.values()))
    key = f"compare_{entry.number}"
    st.session_state[key] = first.number
    picked = st.selectbox(
        f"Compare {entry.number} with",
        list(others),
        format_func=lambda number: (
            f"{number}: {WORDS.get(others[number].what, others[number].what)}, "
            f"{wording.moment(others[number].created)}"
            if number in others
            else number
        ),
        key=key,
        on_change=lambda: session.choose(OTHER, str(st.session_state[key])),
        width=460,
    )
    return others.get(str(picked), first)


def _images(found: Difference, before: Entry, after: Entry) -> None:
    if not found.added and not found.removed:
        st.caption("Both know the same good images.")
    for names, words in (
        (found.added, f"only in {after.number}"),
        (found.removed, f"only in {before.number}"),
    ):
        if names:
            more = f" and {wording.count(len(names) - NAMES_SHOWN)} more" if len(names) > NAMES_SHOWN else ""
            listed = ", ".join(names[:NAMES_SHOWN])
            st.caption(
                session.sentence(f"{wording.counted(len(names), 'good image')} {words}: {listed}{more}")
            )


def _sets(before: Entry, after: Entry) -> None:
    sets = shared_sets(session.workspace(), before, after)
    if not sets:
        st.caption("No labelled set has been scored with both. Evaluate compares two versions on one.")
        return
    for batch in sets[:3]:
        with session.plain_errors():
            found = _compared(batch.id, _key(before), _key(after), before, after)
            st.markdown(
                f"On {session.sentence(batch.name)}: {session.sentence(verdict(found, before, after))}"
            )
            st.html(
                theme.numbers_html(
                    [
                        (f"Image AUROC, {before.number}", metric(found.first_auroc), ""),
                        (f"Image AUROC, {after.number}", metric(found.second_auroc), ""),
                    ]
                )
            )


@st.cache_data(show_spinner="Comparing", max_entries=16, ttl=120)
def _compared(batch_id: int, first: str, second: str, _before: Entry, _after: Entry) -> Comparison:
    return compare(session.workspace(), batch_id, _before.as_version(), _after.as_version())


def _key(entry: Entry) -> str:
    return f"{entry.version.id}:{entry.record.id}"


def _cover_radius(version: InspectorVersion) -> str:
    return wording.DASH if refusal(version, SHARE) else wording.score(version.cover_radius)


def _value(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, dict):
        return "drawn"
    return escape(str(value))
