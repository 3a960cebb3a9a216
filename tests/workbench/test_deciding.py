"""Deciding: every rule with what it makes of the evidence, or why not."""

import pytest

from patchcore.operating_point import Choice, Evidence
from patchcore.rules import BY_HAND, RULES, apply_rule
from workbench.deciding import rule_table

GOOD = {f"g{i}": float(i) for i in range(1, 31)}
DEFECT = {"d1": 28.5, "d2": 40.0}


def table(evidence, choices=()):
    return {row.choice.name: row for row in rule_table(evidence, choices)}


def test_every_rule_is_there_once_but_by_hand():
    assert list(table(Evidence(GOOD, DEFECT))) == [name for name in RULES if name != BY_HAND]


def test_values_are_those_of_the_rules_with_their_outcome():
    evidence = Evidence(GOOD, DEFECT)
    rows = table(evidence)
    assert rows["no_escapes"].value == apply_rule(Choice("no_escapes"), evidence).value
    assert (rows["no_escapes"].outcome.false_rejects, rows["no_escapes"].outcome.escapes) == (2, 0)
    assert (rows["no_false_rejects"].outcome.false_rejects, rows["no_false_rejects"].outcome.escapes) == (
        0,
        1,
    )
    assert rows["cheapest"].choice.parameters == RULES["cheapest"].parameters
    assert rows["provisional"].value == 30.0 and rows["provisional"].label == RULES["provisional"].label


def test_a_rule_that_cannot_keep_to_what_is_asked_says_so():
    row = table(Evidence(GOOD))["from_good"]
    assert row.value is row.outcome is None and "at least 169 more good images" in row.statement
    chosen = table(Evidence(GOOD), [Choice("from_good", {"budget": 0.1})])["from_good"]
    assert chosen.value == 28.0 and chosen.choice.parameters == {"budget": 0.1}


@pytest.mark.parametrize(
    "evidence", [Evidence(), Evidence(GOOD), Evidence({}, DEFECT), Evidence({"g": float("nan")}, DEFECT)]
)
def test_whatever_is_missing_every_rule_has_a_sentence(evidence):
    assert all(row.statement.endswith(".") for row in rule_table(evidence))
    assert all((row.value is None) == (row.outcome is None) for row in rule_table(evidence))
