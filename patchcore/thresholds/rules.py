"""Every rule that sets a threshold, by name. A new rule is a file that declares it, and a line in `RULES`."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from patchcore.errors import SettingsError
from patchcore.statistics.intervals import count
from patchcore.thresholds import from_good, from_labelled, from_sessions
from patchcore.thresholds.declaration import Rule, Threshold
from patchcore.thresholds.operating_point import Choice, Evidence

RULES: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        from_good.BUDGET,
        from_sessions.SESSIONS,
        from_good.PROVISIONAL,
        from_good.QUANTILE,
        from_good.EXTRAPOLATED,
        from_labelled.NO_ESCAPES,
        from_labelled.NO_FALSE_REJECTS,
        from_labelled.F1_MAX,
        from_labelled.YOUDEN,
        from_labelled.CHEAPEST,
        from_labelled.FALSE_REJECT_CEILING,
        from_labelled.ESCAPE_CEILING,
        from_labelled.FIXED,
    )
}
BY_HAND = from_labelled.FIXED.name
NOTHING = "nothing"  # the choice of no rule


def reject_choices() -> dict[str, str]:
    """Return the names of the rules in the list for the reject threshold, in the order of that list."""
    ranked = sorted(RULES.values(), key=lambda rule: rule.rank)
    return {rule.name: rule.choice or rule.label for rule in ranked}


def review_choices() -> dict[str, str]:
    """Return the names of the rules in the list for the accept threshold, which may have no rule."""
    offered = {rule.name: rule.review for rule in RULES.values() if rule.review}
    return {NOTHING: "Nothing: accept or reject", **offered}


def pixel_choices() -> dict[str, str]:
    """Return the names of the rules in the list for the pixel threshold, which may have no rule."""
    offered = {rule.name: rule.pixel for rule in RULES.values() if rule.pixel}
    return {NOTHING: "Where review begins", **offered}


def is_good_only(choice: Choice) -> bool:
    """Whether a chosen rule uses good images alone, even where defects are known."""
    return choice.name in RULES and RULES[choice.name].good_only


def sentence(choice: Choice, shown: Callable[[float], str]) -> str:
    """Return the chosen rule in plain words, for the report; `shown` writes a score."""
    rule = RULES.get(choice.name)
    if rule is None:
        return choice.name.replace("_", " ")
    words = {
        name: (shown if parameter.shown == "score" else parameter.words)(
            choice.parameters.get(name, parameter.usual)
        )
        for name, parameter in rule.parameters.items()
    }
    return (rule.report or rule.label).format(**words)


def briefly(choice: Choice, shown: Callable[[float], str], n_good: int) -> str:
    """Return the chosen rule in a few words, to follow a threshold's value.

    Parameters
    ----------
    shown
        Writes a share.
    n_good
        The number of good images in the evidence.
    """
    rule = RULES.get(choice.name)
    if rule is None or not rule.brief:
        return choice.name.replace("_", " ")
    values = {**rule.usual(), **choice.parameters}
    words = {name: shown(value) for name, value in values.items()}
    return rule.brief.format(**words, good_images=count(n_good, "good image"))


def apply_rule(choice: Choice, evidence: Evidence) -> Threshold:
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
        The rule needs images of a kind that is missing, or a score is not a number.
    """
    rule = RULES.get(choice.name)
    if rule is None:
        raise SettingsError(f"There is no rule {choice.name!r}; choose one of {', '.join(RULES)}.")
    unknown = sorted(set(choice.parameters) - set(rule.parameters))
    if unknown:
        raise SettingsError(f"The rule {choice.name} has no parameter {', '.join(unknown)}.")
    good, defect = score_array(evidence.good), score_array(evidence.defect)
    return rule(good, defect, choice.parameters, evidence.by_session)


def completed(choice: Choice) -> Choice:
    """Write the default values out, so that a stored decision does not change with the program."""
    return Choice(choice.name, {**RULES[choice.name].usual(), **choice.parameters})


def score_array(scores: Mapping[str, float]) -> NDArray[np.float64]:
    """Return the scores alone, float64 [n]."""
    return np.fromiter(scores.values(), np.float64, len(scores))
