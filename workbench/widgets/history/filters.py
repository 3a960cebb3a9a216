"""The row of filters on the page History.

Their values outlast a visit to another page, and stand in the address, so that a reload and a link find the same rows.
"""

import json
from collections.abc import Iterator, Mapping
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
DAYS, NUMBERS, TEXTS = ("since", "until"), ("lowest", "highest"), ("of", "text", "operator")
IN_ADDRESS = ("of", "purpose", *IN_ROW, *FOLDED)
BOTH = "both"  # purposes, in the address
KNOWN: dict[str, dict[Any, Any]] = {
    "decision": {one: one for one in DECISIONS},
    "source": {one: one for one in SOURCES},
    "purpose": {one or BOTH: one for one in PURPOSES},
}
CHOICE = "filter"  # name of the filters in the address


def choose(inspector: Inspector | None) -> Filter:
    """Draw the filters and return their values."""
    known = wording.distinct(history_query.inspectors(session.workspace()))
    first = inspector.id if inspector is not None and inspector.id in known else ALL
    _take_from_address()
    before = st.session_state.get(_key("in_use"))
    st.session_state[_key("in_use")] = first
    here = st.session_state.get(_key("of"))
    if here not in (ALL, *known) or (here == before and before != first):  # it follows the inspector in use
        st.session_state[_key("of")] = first
        _other_inspector()
    with st.container(horizontal=True, vertical_alignment="bottom", key="history_filters"):
        st.selectbox(
            "Inspector",
            [ALL, *known],
            format_func=lambda one: "All inspectors" if one == ALL else known[one],
            **_named("of"),
            on_change=_other_inspector,
            width=180,
        )
        usual = _purpose()
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
    _write_address({"of": first, "purpose": usual or BOTH})
    return _filter()


def clear() -> None:
    """Set all filters back, but for the inspector and the purpose."""
    for name in (*IN_ROW, *FOLDED):
        st.session_state.pop(_key(name), None)


def _take_from_address() -> None:
    """Take over the filters of the address, where these are not the ones that this session has written there."""
    text = session.chosen(CHOICE)
    if text == st.session_state.get(_key("written")):
        return
    clear()
    for name in ("of", "purpose"):
        st.session_state.pop(_key(name), None)
    st.session_state[_key("written")] = text
    try:
        plain = json.loads(text or "{}")
        values = {name: _read(name, plain[name]) for name in IN_ADDRESS if name in plain}
    except (ValueError, TypeError, KeyError):  # an address that was typed in
        return
    for name, value in values.items():
        st.session_state[_key(name)] = value


def _write_address(usual: Mapping[str, str]) -> None:
    """Put the filters that are set, but for usual values, into the address."""
    here = {name: st.session_state.get(_key(name)) for name in IN_ADDRESS}
    here["purpose"] = here["purpose"] or BOTH
    plain = {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in here.items()
        if value not in (None, "", [], False) and usual.get(name) != value
    }
    text = json.dumps(plain, separators=(",", ":")) if plain else None
    st.session_state[_key("written")] = text
    if text is None:
        session.forget(CHOICE)
    else:
        session.choose(CHOICE, text)


def _read(name: str, value: Any) -> Any:
    """Return a value of the address; a value that the filter cannot have raises an error."""
    if name in DAYS:
        return date.fromisoformat(value)
    if name in NUMBERS:
        return float(value)
    if name in TEXTS:
        return str(value)
    if name == "verdicts":
        return [one for one in VERDICTS if one in value]
    if name == "other":
        return value is True
    return KNOWN[name][value]


def _purpose() -> str | None:
    """Let production be looked at, or the evaluation sets, which no count of production holds.

    Return the usual choice.
    """
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
    return usual


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
        help="What a person decided, else the label of the image, says otherwise: good though rejected, or a defect "
        "though accepted. These rows name their error in red.",
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
