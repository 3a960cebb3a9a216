"""Every rule that sets a threshold, by name, with its words, its needs and its parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from patchcore.conformal import GoodThreshold, extrapolated, from_good, from_quantile, provisional
from patchcore.errors import SettingsError
from patchcore.labelled import (
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
from patchcore.operating_point import Choice, Evidence

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
    """

    label: str
    needs: frozenset[Kind]
    parameters: Mapping[str, float]
    apply: Callable[..., GoodThreshold | LabelledThreshold]


_NONE: frozenset[Kind] = frozenset()
_GOOD: frozenset[Kind] = frozenset({"good"})
_DEFECT: frozenset[Kind] = frozenset({"defect"})
GOOD_ONLY = frozenset({"from_good", "provisional", "from_quantile", "extrapolated"})
BY_HAND = "by_hand"


def _good_only(rule: Callable[..., GoodThreshold]) -> Callable[..., GoodThreshold]:
    return lambda good, _defect, **parameters: rule(good, **parameters)


RULES: dict[str, Rule] = {
    "from_good": Rule(
        "Reject at most a share of good parts", _GOOD, {"budget": 1 / 200}, _good_only(from_good)
    ),
    "provisional": Rule("The strictest promise these good images allow", _GOOD, {}, _good_only(provisional)),
    "from_quantile": Rule(
        "Reject a share of these images", _GOOD, {"share": 0.01}, _good_only(from_quantile)
    ),
    "extrapolated": Rule(
        "Extrapolate to rarer rejects", _GOOD, {"budget": 1 / 1000}, _good_only(extrapolated)
    ),
    "no_escapes": Rule("Let no known defect through", _DEFECT, {}, no_escapes),
    "no_false_rejects": Rule("Reject no known good part", _GOOD, {}, no_false_rejects),
    "f1_max": Rule("Largest F1", _GOOD | _DEFECT, {}, f1_max),
    "youden": Rule("Best sum of both rates", _GOOD | _DEFECT, {}, youden),
    "cheapest": Rule(
        "Cheapest overall", _GOOD | _DEFECT, {"cost_ratio": 50.0, "defect_rate": 0.01}, cheapest
    ),
    "false_reject_ceiling": Rule(
        "Catch most, rejecting at most a share", _GOOD | _DEFECT, {"ceiling": 0.01}, false_reject_ceiling
    ),
    "escape_ceiling": Rule(
        "Reject fewest, letting at most a share through", _GOOD | _DEFECT, {"ceiling": 0.01}, escape_ceiling
    ),
    BY_HAND: Rule("By hand", _NONE, {"value": math.nan}, fixed),
}


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
