"""Choosing by which rule a threshold is set, in plain words, with the numbers that the rule takes."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from patchcore.thresholds.operating_point import Choice, Evidence
from patchcore.thresholds.rules import BY_HAND, NOTHING, REJECT_CHOICES, RULES
from workbench.widgets.shared.shared_field import is_heard, is_shown, place_of
from workbench.widgets.tune import trial as trials


@dataclass(frozen=True)
class Field:
    """A number that a rule takes, as it is asked for."""

    label: str
    help: str
    shown: Callable[[float], float]  # from the rule's parameter to what stands in the field
    taken: Callable[[float], float]  # and back
    least: float
    most: float
    step: float
    digits: int = 0


def _percent(label: str, explained: str, most: float = 50.0) -> Field:
    return Field(label, explained, lambda part: 100 * part, lambda number: number / 100, 0.01, most, 0.5, 2)


ONE_IN = Field(
    "1 good part in",
    "The budget: of how many good parts one may be rejected.",
    lambda budget: round(1 / budget),
    lambda number: 1 / number,
    2,
    1_000_000,
    10,
)
FIELDS: Mapping[tuple[str, str], Field] = {
    ("from_good", "budget"): ONE_IN,
    ("extrapolated", "budget"): ONE_IN,
    ("from_quantile", "share"): _percent("Share of these images, %", "These very images, without a promise."),
    ("cheapest", "cost_ratio"): Field(
        "An escape costs as much as … false rejects",
        "A defect that reaches the customer, counted in good parts that are thrown away or checked again.",
        float,
        float,
        0.1,
        1e6,
        5,
        1,
    ),
    ("cheapest", "defect_rate"): _percent(
        "Defects on the line, %", "It is seldom the share in the labelled set.", 99.0
    ),
    ("false_reject_ceiling", "ceiling"): _percent("False rejects at most, %", "Of the known good images."),
    ("escape_ceiling", "ceiling"): _percent("Escapes at most, %", "Of the known defects."),
}


def pick(
    key: str,
    label: str,
    words: Mapping[str, str],
    choice: Choice | None,
    evidence: Evidence,
    value: float | None,
    changed: Callable[[Choice | None], None],
    *,
    explained: str,
) -> None:
    """Draw the list of rules and the fields of the one that is chosen.

    Parameters
    ----------
    words
        What each rule is called; those whose kinds of images are missing are left out.
    choice
        The rule in view; None stands for `NOTHING`.
    value
        The threshold in view, where a hand begins.
    changed
        Called with another rule, or the same with other numbers, before the run that follows.
    """
    now = NOTHING if choice is None else choice.name
    options = [name for name in words if name == now or _applies(name, evidence)]
    if now not in options:
        options.append(now)

    place = place_of(key, now)

    def switch() -> None:
        if is_heard(key, place):
            changed(_begun(st.session_state[place], value))

    st.session_state[place] = now
    st.selectbox(
        label,
        options,
        format_func=lambda name: words.get(name, REJECT_CHOICES.get(name, name)),
        key=place,
        on_change=switch,
        help=explained,
    )
    if choice is not None:
        rule = choice.name
        _numbers(key, choice, value, lambda other: changed(other) if is_shown(key, rule) else None)


def missing(evidence: Evidence, words: Sequence[str]) -> bool:
    """Say whether rules are left out because no defect is known."""
    return not evidence.defect and any("defect" in RULES[name].needs for name in words if name in RULES)


def _applies(name: str, evidence: Evidence) -> bool:
    if name == NOTHING:
        return True
    kinds = {"good": evidence.good, "defect": evidence.defect}
    return all(kinds[kind] for kind in RULES[name].needs)


def _begun(name: str, value: float | None) -> Choice | None:
    if name == NOTHING:
        return None
    if name == BY_HAND:
        return trials.by_hand(value or 0.0)
    return Choice(name, dict(RULES[name].parameters))


def _numbers(key: str, choice: Choice, value: float | None, changed: Callable[[Choice | None], None]) -> None:
    if choice.name == BY_HAND:
        return _typed(key, float(choice.parameters.get("value", value or 0.0)), changed)
    asked = {**RULES[choice.name].parameters, **choice.parameters}
    for name, parameter in asked.items():
        field, own = FIELDS[choice.name, name], f"{key}_{choice.name}_{name}"
        kind = float if field.digits else int
        shown = kind(round(min(max(field.shown(parameter), field.least), field.most), field.digits))
        place = place_of(own, shown)

        def put(name: str = name, field: Field = field, own: str = own, place: str = place) -> None:
            if is_heard(own, place):
                changed(Choice(choice.name, {**asked, name: field.taken(st.session_state[place])}))

        st.session_state[place] = shown
        st.number_input(
            field.label,
            min_value=kind(field.least),
            max_value=kind(field.most),
            step=kind(field.step),
            format=f"%.{field.digits}f" if field.digits else "%d",
            key=place,
            on_change=put,
            help=field.help,
        )
    return None


def _typed(key: str, value: float, changed: Callable[[Choice | None], None]) -> None:
    size = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    digits = max(0, 3 - math.floor(math.log10(size)))
    shown = round(value, digits)
    place = place_of(f"{key}_typed", shown)

    def put() -> None:
        if is_heard(f"{key}_typed", place):
            changed(trials.by_hand(st.session_state[place]))

    st.session_state[place] = shown
    st.number_input(
        "Score", min_value=0.0, step=size / 100, format=f"%.{digits}f", key=place, on_change=put,
        help="Drag the line, or type the score here.",
    )  # fmt: skip
