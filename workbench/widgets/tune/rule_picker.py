"""Choosing by which rule a threshold is set, in plain words, with the numbers that the rule takes."""

import math
from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from patchcore.thresholds.declaration import Parameter
from patchcore.thresholds.operating_point import Choice, Evidence
from patchcore.thresholds.rules import NOTHING, RULES, reject_choices
from workbench.widgets.shared.shared_field import is_heard, is_shown, place_of


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
        format_func=lambda name: words.get(name, reject_choices().get(name, name)),
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
    """Return the choice of a rule with its usual values; a score begins at the threshold in view."""
    if name == NOTHING:
        return None
    parameters = RULES[name].parameters
    return Choice(
        name,
        {
            each: (value or 0.0) if parameter.shown == "score" else parameter.usual
            for each, parameter in parameters.items()
        },
    )


def _numbers(key: str, choice: Choice, value: float | None, changed: Callable[[Choice | None], None]) -> None:
    """Draw the field of each parameter."""
    rule = RULES[choice.name]
    asked = {**rule.usual(), **choice.parameters}
    for name, parameter in rule.parameters.items():

        def put(number: float, name: str = name) -> None:
            changed(Choice(choice.name, {**asked, name: number}))

        if parameter.shown == "score":
            _score(f"{key}_typed", parameter, choice.parameters.get(name, value or 0.0), put)
        else:
            _number(f"{key}_{choice.name}_{name}", parameter, asked[name], put)


def _number(key: str, parameter: Parameter, value: float, changed: Callable[[float], None]) -> None:
    kind = float if parameter.digits else int
    shown = kind(parameter.to_field(value))
    place = place_of(key, shown)

    def put() -> None:
        if is_heard(key, place):
            changed(parameter.from_field(st.session_state[place]))

    st.session_state[place] = shown
    st.number_input(
        parameter.label,
        min_value=kind(parameter.least),
        max_value=kind(parameter.most),
        step=kind(parameter.step),
        format=f"%.{parameter.digits}f" if parameter.digits else "%d",
        key=place,
        on_change=put,
        help=parameter.help,
    )


def _score(key: str, parameter: Parameter, value: float, changed: Callable[[float], None]) -> None:
    size = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    digits = max(0, 3 - math.floor(math.log10(size)))
    shown = round(value, digits)
    place = place_of(key, shown)

    def put() -> None:
        if is_heard(key, place):
            changed(float(st.session_state[place]))

    st.session_state[place] = shown
    st.number_input(
        parameter.label, min_value=0.0, step=size / 100, format=f"%.{digits}f", key=place, on_change=put,
        help=parameter.help,
    )  # fmt: skip
