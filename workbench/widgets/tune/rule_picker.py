"""Choosing by which rule a threshold is set, in plain words, with the numbers that the rule takes."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from patchcore.thresholds.operating_point import Choice, Evidence
from patchcore.thresholds.rules import BY_HAND, NOTHING, REJECT_CHOICES, RULES
from workbench.widgets.shared import shared_field
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
    shared_field.draw(
        st.selectbox,
        label,
        options,
        format_func=lambda name: words.get(name, REJECT_CHOICES.get(name, name)),
        key=key,
        value=now,
        on_change=lambda name: changed(_begun(name, value)),
        help=explained,
    )

    if choice is None:
        return

    def typed(other: Choice) -> None:
        if shared_field.is_shown(key, now):
            changed(other)

    if now == BY_HAND:
        _score(key, float(choice.parameters.get("value", value or 0.0)), typed)
    else:
        asked = Choice(now, {**RULES[now].parameters, **choice.parameters})
        for name in asked.parameters:
            _number(key, asked, name, typed)


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


def _number(key: str, choice: Choice, name: str, changed: Callable[[Choice], None]) -> None:
    """Draw the field of one parameter of a rule."""
    field = FIELDS[choice.name, name]
    kind = float if field.digits else int
    value = min(max(field.shown(choice.parameters[name]), field.least), field.most)
    shared_field.draw(
        st.number_input,
        field.label,
        min_value=kind(field.least),
        max_value=kind(field.most),
        step=kind(field.step),
        format=f"%.{field.digits}f" if field.digits else "%d",
        key=f"{key}_{choice.name}_{name}",
        value=kind(round(value, field.digits)),
        on_change=lambda typed: changed(Choice(choice.name, {**choice.parameters, name: field.taken(typed)})),
        help=field.help,
    )


def _score(key: str, value: float, changed: Callable[[Choice], None]) -> None:
    """Draw the field of a threshold that is set by hand."""
    size = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    digits = max(0, 3 - math.floor(math.log10(size)))
    shared_field.draw(
        st.number_input,
        "Score",
        min_value=0.0,
        step=size / 100,
        format=f"%.{digits}f",
        key=f"{key}_typed",
        value=round(value, digits),
        on_change=lambda score: changed(trials.by_hand(score)),
        help="Drag the line, or type the score here.",
    )
