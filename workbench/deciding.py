"""Deciding: what the page Tune stands on, under one roof; and what every rule makes of the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from patchcore.errors import DataError, SettingsError
from patchcore.labelled import Outcome, outcome
from patchcore.operating_point import Choice, Evidence
from patchcore.rules import BY_HAND, RULES, apply_rule, completed, score_array
from workbench.evidence import GoodSource, Known, Source, evidence, evidence_from, known_images
from workbench.outcomes import Counts, Verdicts, changes, outcome_counts, verdict_of
from workbench.point_history import StoredPoint, point_history, store_point
from workbench.restoring import restore_point

__all__ = [
    "Counts",
    "GoodSource",
    "Known",
    "RuleRow",
    "Source",
    "StoredPoint",
    "Verdicts",
    "changes",
    "evidence",
    "evidence_from",
    "known_images",
    "outcome_counts",
    "point_history",
    "restore_point",
    "rule_table",
    "store_point",
    "verdict_of",
]


@dataclass(frozen=True)
class RuleRow:
    """What a rule makes of the evidence.

    Attributes
    ----------
    choice
        The rule with its parameters.
    label
        What it does, in plain words.
    value
        The threshold; None where the rule cannot keep to what is asked, or lacks images.
    statement
        What it promises, or why there is no value.
    outcome
        False rejects and escapes on the evidence; None without a value.
    """

    choice: Choice
    label: str
    value: float | None
    statement: str
    outcome: Outcome | None


def rule_table(evidence: Evidence, choices: Sequence[Choice] = ()) -> list[RuleRow]:
    """Apply every rule that sets a threshold by itself.

    Parameters
    ----------
    choices
        Parameters other than the usual ones, as choices of the rules they are for.
    """
    chosen = {choice.name: choice for choice in choices}
    return [_row(chosen.get(name, Choice(name)), evidence) for name in RULES if name != BY_HAND]


def _row(choice: Choice, evidence: Evidence) -> RuleRow:
    label = RULES[choice.name].label
    try:
        choice = completed(choice)
        found = apply_rule(choice, evidence)
    except (DataError, SettingsError) as error:
        return RuleRow(choice, label, None, str(error), None)
    if found.value is None:
        return RuleRow(choice, label, None, found.statement, None)
    counted = outcome(score_array(evidence.good), score_array(evidence.defect), found.value)
    return RuleRow(choice, label, found.value, found.statement, counted)
