"""The row of filters on the page History; their values outlast a visit to another page."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

import streamlit as st

from workbench.inspections import history_query
from workbench.inspections.history_query import Filter
from workbench.storage.tables import EVALUATION, PRODUCTION, Inspector
from workbench.widgets.fields import number
from workbench.widgets.shared import session, wording

ALL = "all"
VERDICTS = {"accept": "✓ accept", "review": "? review", "reject": "✕ reject", "none": "– no verdict"}
DECISIONS = {None: "any decision", "none": "undecided", "fine": "fine", "defect": "defect"}
SOURCES = {None: "any way", "page": "brought on a page", "watch": "watched folder", "command": "command line"}
PURPOSES = {PRODUCTION: "production", EVALUATION: "evaluation sets", None: "both"}
IN_ROW = ("text", "verdicts", "decision")
FOLDED = ("since", "until", "lowest", "highest", "source", "operator", "other")


def choose(inspector: Inspector | None) -> Filter:
    """Draw the filters and return their values."""
    known = wording.distinct(history_query.inspectors(session.workspace()))
    first = inspector.id if inspector is not None and inspector.id in known else ALL
    if st.session_state.get(_key("of")) not in (None, ALL, *known):
        del st.session_state[_key("of")]
    st.session_state.setdefault(_key("of"), first)
    with st.container(horizontal=True, vertical_alignment="bottom", key="history_filters"):
        st.selectbox(
            "Inspector",
            [ALL, *known],
            format_func=lambda one: "All inspectors" if one == ALL else known[one],
            **_named("of"),
            on_change=_other_inspector,
            width=180,
        )
        _purpose()
        st.text_input("Name holds", **_named("text"), placeholder="part 4711", width=130)
        st.pills(
            "Verdict",
            list(VERDICTS),
            selection_mode="multi",
            format_func=VERDICTS.__getitem__,
            **_named("verdicts"),
        )
        st.selectbox(
            "Decision",
            list(DECISIONS),
            format_func=lambda one: DECISIONS[one],
            **_named("decision"),
            width=130,
        )
        with st.popover(_more_words(), width="content"):
            _more()
        st.button("Clear", on_click=clear, disabled=not any(_set()), type="tertiary")
    return _filter()


def clear() -> None:
    """Set all filters back, but for the inspector and the purpose."""
    for name in (*IN_ROW, *FOLDED):
        st.session_state.pop(_key(name), None)


def _purpose() -> None:
    """Let production be looked at, or the evaluation sets, which no count of production holds."""
    of = st.session_state[_key("of")]
    usual = history_query.usual_purpose(session.workspace(), None if of == ALL else of)
    st.session_state.setdefault(_key("purpose"), usual)
    st.selectbox(
        "Verdicts on",
        list(PURPOSES),
        format_func=lambda one: PURPOSES[one],
        **_named("purpose"),
        width=145,
        help="Images that came with their labels are an evaluation set: their verdicts are kept, but are no part of "
        "production. Inspect says which a batch is, and an engineer may change it there.",
    )


def _other_inspector() -> None:
    """Begin with the usual purpose of the inspector that was chosen."""
    st.session_state.pop(_key("purpose"), None)


def _more() -> None:
    operators = history_query.operators(session.workspace())
    left, right = st.columns(2)
    left.date_input("From", value=None, **_named("since"), format="YYYY-MM-DD")
    right.date_input("To, that day included", value=None, **_named("until"), format="YYYY-MM-DD")
    for place, label, name in ((left, "Score at least", "lowest"), (right, "Score at most", "highest")):
        number.keep(label, key=_key(name), default=None, optional=True, place=place, placeholder="any")
    left.selectbox("Came by", list(SOURCES), format_func=lambda one: SOURCES[one], **_named("source"))
    right.selectbox(
        "Operator", [None, *operators], format_func=lambda one: one or "anybody", **_named("operator")
    )
    st.toggle(
        "Only disagreements",
        **_named("other"),
        help="A person decided otherwise: fine though rejected, or a defect though accepted.",
    )


def _more_words() -> str:
    count = sum(bool(one) for one in _set(FOLDED))
    return f"More filters ({count})" if count else "More filters"


def _set(names: tuple[str, ...] = (*IN_ROW, *FOLDED)) -> Iterator[bool]:
    """Yield for every filter whether it is set."""
    return (st.session_state.get(_key(name)) not in (None, "", [], False) for name in names)


def _filter() -> Filter:
    here: dict[str, Any] = {
        name: st.session_state.get(_key(name)) for name in ("of", "purpose", *IN_ROW, *FOLDED)
    }
    return Filter(
        inspector_id=None if here["of"] == ALL else here["of"],
        verdicts=tuple(here["verdicts"] or ()),
        decision=here["decision"],
        text=here["text"] or "",
        since=_midnight(here["since"]),
        until=_midnight(here["until"], days=1),
        lowest=here["lowest"],
        highest=here["highest"],
        source=here["source"],
        operator=here["operator"],
        disagreements=bool(here["other"]),
        purpose=here["purpose"],
    )


def _midnight(day: date | None, days: int = 0) -> datetime | None:
    """Return the begin of a day on this computer, or of a day so many days later."""
    return None if day is None else datetime.combine(day + timedelta(days=days), time()).astimezone()


def _named(name: str) -> dict[str, Any]:
    """Return the arguments that keep a filter's value while an inspection or another page is open."""
    return {"key": _key(name), "persist_state": "session"}


def _key(name: str) -> str:
    return f"history_{name}"
