"""Every rule that sets a threshold, by name, with its words, its needs and its parameters."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from patchcore.errors import SettingsError
from patchcore.statistics.intervals import percent
from patchcore.thresholds.from_good import (
    GoodThreshold,
    extrapolated,
    from_good,
    from_quantile,
    promise,
    provisional,
)
from patchcore.thresholds.from_labelled import (
    LabelledThreshold,
    cheapest,
    escape_ceiling,
    f1_max,
    false_reject_ceiling,
    fixed,
    no_escapes,
    no_false_rejects,
    youden,
)
from patchcore.thresholds.operating_point import Choice, Evidence

Kind = Literal["good", "defect"]


@dataclass(frozen=True)
class Rule:
    """A way to set a threshold.

    Parameters
    ----------
    label
        What it does, in plain words.
    needs
        The kinds of images without which it cannot be applied.
    parameters
        Names and usual values.
    apply
        Takes good scores, defect scores and the parameters by name.
    choice
        What it is called where one is chosen; its label where left out.
    told
        What it does with its parameters, for a report; its label where left out.
    """

    label: str
    needs: frozenset[Kind]
    parameters: Mapping[str, float]
    apply: Callable[..., GoodThreshold | LabelledThreshold]
    choice: str = ""
    told: Callable[..., str] | None = None


_NONE: frozenset[Kind] = frozenset()
_GOOD: frozenset[Kind] = frozenset({"good"})
_DEFECT: frozenset[Kind] = frozenset({"defect"})
GOOD_ONLY = frozenset({"from_good", "provisional", "from_quantile", "extrapolated"})
BY_HAND = "by_hand"
NOTHING = "nothing"  # among the choices where no rule is needed


def _good_only(rule: Callable[..., GoodThreshold]) -> Callable[..., GoodThreshold]:
    return lambda good, _defect, **parameters: rule(good, **parameters)


RULES: dict[str, Rule] = {
    "from_good": Rule(
        "Reject at most a share of good parts",
        _GOOD,
        {"budget": 1 / 200},
        _good_only(from_good),
        choice="Reject at most 1 good part in …",
        told=lambda budget: f"Reject {promise(budget)}",
    ),
    "provisional": Rule("The strictest promise these good images allow", _GOOD, {}, _good_only(provisional)),
    "from_quantile": Rule(
        "Reject a share of these images",
        _GOOD,
        {"share": 0.01},
        _good_only(from_quantile),
        choice="Reject a share of these good images, no promise",
        told=lambda share: f"Reject {percent(share)} of these good images",
    ),
    "extrapolated": Rule(
        "Extrapolate to rarer rejects",
        _GOOD,
        {"budget": 1 / 1000},
        _good_only(extrapolated),
        choice="Rarer than the images can show, extrapolated",
        told=lambda budget: f"Extrapolate until {promise(budget)} is rejected",
    ),
    "no_escapes": Rule("Let no known defect through", _DEFECT, {}, no_escapes),
    "no_false_rejects": Rule("Reject no known good part", _GOOD, {}, no_false_rejects),
    "f1_max": Rule("Largest F1", _GOOD | _DEFECT, {}, f1_max, choice="Best balance (largest F1)"),
    "youden": Rule(
        "Best sum of both rates", _GOOD | _DEFECT, {}, youden, choice="Best sum of both rates (Youden)"
    ),
    "cheapest": Rule(
        "Cheapest overall",
        _GOOD | _DEFECT,
        {"cost_ratio": 50.0, "defect_rate": 0.01},
        cheapest,
        told=lambda cost_ratio, defect_rate: (
            f"Cheapest overall, where an escape costs {cost_ratio:g} false rejects and {percent(defect_rate)} of "
            "parts are defective"
        ),
    ),
    "false_reject_ceiling": Rule(
        "Catch most, rejecting at most a share",
        _GOOD | _DEFECT,
        {"ceiling": 0.01},
        false_reject_ceiling,
        choice="Catch most, rejecting at most a share of good parts",
        told=lambda ceiling: f"Catch most, rejecting at most {percent(ceiling)} of good parts",
    ),
    "escape_ceiling": Rule(
        "Reject fewest, letting at most a share through",
        _GOOD | _DEFECT,
        {"ceiling": 0.01},
        escape_ceiling,
        choice="Reject fewest, letting at most a share of defects through",
        told=lambda ceiling: f"Reject fewest, letting at most {percent(ceiling)} of defects through",
    ),
    BY_HAND: Rule("By hand", _NONE, {"value": math.nan}, fixed),
}
_OFFERED = (
    "from_good",
    "provisional",
    "no_escapes",
    "no_false_rejects",
    "cheapest",
    "false_reject_ceiling",
    "escape_ceiling",
    "f1_max",
    "youden",
    "from_quantile",
    "extrapolated",
    BY_HAND,
)  # in the order of a list to choose from
REJECT_CHOICES = {name: RULES[name].choice or RULES[name].label for name in _OFFERED}
REVIEW_CHOICES = {
    NOTHING: "Nothing: accept or reject",
    "from_good": "What scores like the worst 1 good part in …",
    "no_escapes": "From the lowest known defect",
    BY_HAND: RULES[BY_HAND].label,
}
PIXEL_CHOICES = {
    NOTHING: "Where review begins",
    "from_good": "At most 1 good part in … shows a region",
    "provisional": "The strictest that these good images allow",
    BY_HAND: RULES[BY_HAND].label,
}


def told(choice: Choice, shown: Callable[[float], str]) -> str:
    """Say in plain words what sets a threshold; `shown` writes a score."""
    rule = RULES.get(choice.name)
    if rule is None:
        return choice.name.replace("_", " ")
    given = {name: choice.parameters.get(name, usual) for name, usual in rule.parameters.items()}
    if choice.name == BY_HAND:
        return f"Set by hand, at {shown(given['value'])}"
    return rule.told(**given) if rule.told else rule.label


def briefly(choice: Choice, shown: Callable[[float], str]) -> str:
    """Say in a few words what sets a threshold, to go on after its value; `shown` writes a share."""
    if choice.name == "from_good":
        return f"rejects at most {shown(choice.parameters.get('budget', 1 / 200))} of good parts"
    words = {BY_HAND: "set by hand", "provisional": "the strictest promise these good images allow"}
    return words.get(choice.name, choice.name.replace("_", " "))


def apply_rule(choice: Choice, evidence: Evidence) -> GoodThreshold | LabelledThreshold:
    """Set a threshold by a rule of `RULES`.

    Parameters
    ----------
    choice
        The rule; parameters left out take their usual values.
    evidence
        Scores of good images and defects.

    Raises
    ------
    SettingsError
        No such rule or parameter, or a value out of range.
    DataError
        The rule needs images of a kind that there are none of, or a score is not a number.
    """
    rule = RULES.get(choice.name)
    if rule is None:
        raise SettingsError(f"There is no rule {choice.name!r}; choose one of {', '.join(RULES)}.")
    unknown = sorted(set(choice.parameters) - set(rule.parameters))
    if unknown:
        raise SettingsError(f"The rule {choice.name} has no parameter {', '.join(unknown)}.")
    good, defect = score_array(evidence.good), score_array(evidence.defect)
    return rule.apply(good, defect, **{**rule.parameters, **choice.parameters})


def completed(choice: Choice) -> Choice:
    """Write usual values out, so that a stored decision does not change with the program."""
    return Choice(choice.name, {**RULES[choice.name].parameters, **choice.parameters})


def score_array(scores: Mapping[str, float]) -> NDArray[np.float64]:
    """Give the scores alone, float64 [n]."""
    return np.fromiter(scores.values(), np.float64, len(scores))
