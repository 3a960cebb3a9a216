import numpy as np
import pytest

from patchcore.errors import DataError, SettingsError
from patchcore.thresholds.operating_point import Choice, Evidence
from patchcore.thresholds.rules import (
    BY_HAND,
    NOTHING,
    RULES,
    apply_rule,
    briefly,
    is_good_only,
    pixel_choices,
    reject_choices,
    review_choices,
    sentence,
)

RNG = np.random.default_rng(0)
GOOD = {f"good{k}": float(v) for k, v in enumerate(RNG.normal(2, 0.5, 250))}
DEFECT = {f"bad{k}": float(v) for k, v in enumerate(RNG.normal(4, 0.8, 40))}
DAYS = {name: ("mon", "tue")[at % 2] for at, name in enumerate(GOOD)}
ALL = Evidence(GOOD, DEFECT, unseen=GOOD, sessions=DAYS)
HALF = Evidence(
    {k: v + 0.5 for k, v in GOOD.items()},
    {k: v + 0.5 for k, v in DEFECT.items()},
    unseen={k: v + 0.5 for k, v in GOOD.items()},
    sessions=DAYS,
)


@pytest.mark.parametrize("name", [name for name in RULES if name != BY_HAND])
def test_every_rule_applies_and_follows_the_scores(name):
    first, second = apply_rule(Choice(name), ALL), apply_rule(Choice(name), HALF)
    assert first.statement and np.isfinite(first.value)
    assert second.value == pytest.approx(first.value + 0.5, abs=1e-3)


def test_rule_needs_its_declared_kinds_of_images():
    for name, rule in RULES.items():
        needed = Evidence(
            GOOD if "good" in rule.needs else {},
            DEFECT if "defect" in rule.needs else {},
            unseen=GOOD if "unseen" in rule.needs else {},
            sessions=DAYS,
        )
        settings = {"value": 1.0} if name == BY_HAND else {}
        assert apply_rule(Choice(name, settings), needed).value is not None
        for kind in rule.needs:
            with pytest.raises(DataError, match="no score"):
                apply_rule(Choice(name), Evidence(**{**vars(needed), kind: {}}))


def test_unknown_rules_and_parameters_are_refused():
    with pytest.raises(SettingsError, match="no rule 'best'"):
        apply_rule(Choice("best"), ALL)
    with pytest.raises(SettingsError, match="no parameter bugdet"):
        apply_rule(Choice("from_good", {"bugdet": 0.1}), ALL)
    with pytest.raises(SettingsError, match="A threshold is a number"):
        apply_rule(Choice(BY_HAND), ALL)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Choice("from_good", {"budget": 0.005}), "Reject at most 1 good part in 200"),
        (Choice("no_escapes"), "Let no known defect through"),
        (
            Choice("cheapest", {"cost_ratio": 20}),
            "Cheapest overall, where an escape costs 20 false rejects and 1 % of parts are defective",
        ),
        (
            Choice("escape_ceiling", {"ceiling": 0.02}),
            "Reject fewest, letting at most 2 % of defects through",
        ),
        (Choice("extrapolated", {}), "Extrapolate until at most 1 good part in 1,000 is rejected"),
        (Choice("by_hand", {"value": 3.4217}), "Set by hand, at 3.42"),
        (Choice("of_the_future"), "of the future"),
    ],
)
def test_rules_in_plain_words(rule, words):
    assert sentence(rule, "{:.2f}".format) == words


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Choice("from_good", {"budget": 0.005}), "rejects at most 0.005 of good parts"),
        (Choice("by_hand", {"value": 3.4}), "set by hand"),
        (Choice("provisional"), "set from the worst of 150 good images"),
        (Choice("no_escapes"), "lets no known defect through"),
        (Choice("of_the_future"), "of the future"),
    ],
)
def test_rules_in_a_few_words(rule, words):
    assert briefly(rule, str, 150) == words


def test_every_rule_can_be_chosen_and_every_choice_is_a_rule():
    assert sorted(reject_choices()) == sorted(RULES)
    assert {*review_choices(), *pixel_choices()} - {NOTHING} <= set(RULES)
    assert all(is_good_only(Choice(name)) for name in pixel_choices() if name not in (NOTHING, BY_HAND))
