"""Choosing by which rule a threshold is set, in plain words, with the numbers that the rule takes."""

import math
from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from patchcore.thresholds.declaration import Parameter
from patchcore.thresholds.operating_point import Choice, Evidence
from patchcore.thresholds.rules import NOTHING, RULES, reject_choices
from workbench.widgets.fields import number, shared


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
    shared.draw(
        st.selectbox,
        label,
        options,
        format_func=lambda name: words.get(name, reject_choices().get(name, name)),
        key=key,
        value=now,
        on_change=lambda name: changed(_begun(name, value)),
        help=explained,
    )

    if choice is None:
        return

    rule = RULES[now]
    asked = {**rule.usual(), **choice.parameters}
    for name, parameter in rule.parameters.items():

        def typed(number: float, name: str = name) -> None:
            if shared.is_shown(key, now):
                changed(Choice(now, {**asked, name: number}))

        if parameter.shown == "score":
            _score(f"{key}_typed", parameter, choice.parameters.get(name, value or 0.0), typed)
        else:
            _number(f"{key}_{now}_{name}", parameter, asked[name], typed)


def missing(evidence: Evidence, words: Sequence[str]) -> bool:
    """Say whether rules are left out because no defect is known."""
    return not evidence.defect and any("defect" in RULES[name].needs for name in words if name in RULES)


def _applies(name: str, evidence: Evidence) -> bool:
    if name == NOTHING:
        return True
    kinds = {"good": evidence.good, "defect": evidence.defect, "unseen": evidence.unseen}
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


def _number(key: str, parameter: Parameter, value: float, changed: Callable[[float], None]) -> None:
    """Draw the field of one parameter of a rule."""
    number.draw(
        parameter.label,
        least=parameter.least,
        most=parameter.most,
        digits=parameter.digits,
        key=key,
        value=parameter.to_field(value),
        on_change=lambda typed: changed(parameter.from_field(typed)),
        help=parameter.help,
    )


def _score(key: str, parameter: Parameter, value: float, changed: Callable[[float], None]) -> None:
    """Draw the field of a threshold that is set by hand."""
    size = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    number.draw(
        parameter.label,
        least=0,
        digits=max(1, 3 - math.floor(math.log10(size))),
        key=key,
        value=value,
        on_change=changed,
        help=parameter.help,
    )
