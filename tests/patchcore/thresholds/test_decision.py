import math

import numpy as np
import pytest

from patchcore.errors import DataError, SettingsError
from patchcore.thresholds.decision import decide, recalibrate, statement_of
from patchcore.thresholds.from_good import from_good
from patchcore.thresholds.operating_point import Choice, Evidence
from patchcore.thresholds.rules import BY_HAND, RULES
from patchcore.thresholds.verdict_counts import count_verdicts
from tests.points import by_hand

RNG = np.random.default_rng(0)
GOOD = {f"good{k}": float(v) for k, v in enumerate(RNG.normal(2, 0.5, 250))}
DEFECT = {f"bad{k}": float(v) for k, v in enumerate(RNG.normal(4, 0.8, 40))}
PEAKS = {name: value - 0.3 for name, value in GOOD.items()}
DAYS = {name: ("mon", "tue")[at % 2] for at, name in enumerate(GOOD)}
ALL = Evidence(GOOD, DEFECT, PEAKS, GOOD, DAYS)
HALF = Evidence(
    {k: v + 0.5 for k, v in GOOD.items()},
    {k: v + 0.5 for k, v in DEFECT.items()},
    {k: v + 0.5 for k, v in PEAKS.items()},
    {k: v + 0.5 for k, v in GOOD.items()},
    DAYS,
)
BUDGET = Choice("from_good", {"budget": 1 / 200})


def test_decision_stores_evidence_rules_and_author():
    decided = decide(
        BUDGET,
        ALL,
        "bank-1",
        set_by="Ada",
        accept_rule=Choice("from_good", {"budget": 1 / 20}),
        pixel_rule=BUDGET,
        min_area=4,
        judge_by="both",
        note="first",
    )
    assert decided.reject == from_good(list(GOOD.values()), 1 / 200).value
    assert decided.accept == from_good(list(GOOD.values()), 1 / 20).value < decided.reject
    assert decided.pixel == pytest.approx(decided.reject - 0.3)
    assert (decided.evidence, decided.bank_id, decided.set_by) == (ALL, "bank-1", "Ada")
    assert (
        "at most 1 false reject in 200 good parts" in decided.statement
        and "go to review" in decided.statement
    )
    assert decided.set_at.endswith("+00:00")


@pytest.mark.parametrize(
    ("rule", "words", "rate"),
    [
        ("cheapest", "by these images alone. It rejects", "per 1,000 parts"),
        ("no_escapes", "It rejects 190 of 250 good images and accepts 0 of 40 defects", ""),
        (
            "from_good",
            "It rejects 0 of 250 good images",
            "confidence",
        ),  # of held-out images that scores chose
    ],
)
def test_labels_that_are_no_sample_give_counts_and_no_rate_also_on_another_bank(rule, words, rate):
    review = Choice("no_false_rejects")
    decided = decide(Choice(rule), ALL, "b", set_by="Ada", accept_rule=review, labels_chosen=True)
    plain = decide(Choice(rule), ALL, "b", set_by="Ada", accept_rule=review)
    assert decided.reject == plain.reject and rate in plain.statement and words in decided.statement
    for point in (decided, recalibrate(decided, HALF, "c")):
        assert "It rejects" in point.statement and "%" not in point.statement.split(" are defective")[-1]
        assert not rate or rate not in point.statement
        assert "no plain sample of the parts" in point.statement
        assert "About" not in point.statement and point.labels_chosen


def test_usual_values_are_written_out():
    assert decide(Choice("cheapest"), ALL, "b", set_by="Ada").rule.parameters == {
        "cost_ratio": 50.0,
        "defect_rate": 0.01,
    }


def test_accept_is_never_above_reject():
    strict = Choice("from_good", {"budget": 1 / 200})
    decided = decide(Choice("from_quantile", {"share": 0.2}), ALL, "b", set_by="Ada", accept_rule=strict)
    assert decided.accept == decided.reject


def test_a_budget_the_images_cannot_keep_is_refused_with_the_count():
    with pytest.raises(SettingsError, match="at least 749 more good images are needed"):
        decide(Choice("from_good", {"budget": 1 / 1000}), ALL, "b", set_by="Ada")


def test_rule_by_hand_states_its_verdict_counts():
    decided = by_hand(3.0, ALL, "b", set_by="Ada", accept=2.5, pixel=2.0, min_area=4, judge_by="both")
    rejected = sum(v > 3 for v in GOOD.values())
    escaped = sum(v <= 2.5 for v in DEFECT.values())
    good, defects = (sum(2.5 < v <= 3 for v in kind.values()) for kind in (GOOD, DEFECT))
    assert decided.statement == (
        f"Set by hand to 3. By score alone: it rejects {rejected} of 250 good images and accepts {escaped} of 40 "
        f"defects; {good} good images and {defects} defects go to review."
    )
    assert (decided.accept, decided.reject, decided.pixel) == (2.5, 3.0, 2.0)
    assert (decided.rule.name, decided.min_area, decided.judge_by) == (BY_HAND, 4, "both")
    alone = by_hand(3.0, Evidence(), "b", set_by="Ada", accept=1.0)
    assert alone.statement == "Set by hand to 3. No image with a label is known."
    with pytest.raises(SettingsError, match="A threshold is a number"):
        by_hand(math.nan, ALL, "b", set_by="Ada")


@pytest.mark.parametrize(
    "rule", [Choice("provisional"), BUDGET, Choice("no_escapes"), Choice("from_quantile")]
)
def test_the_sentence_counts_what_the_table_beside_it_counts(rule):
    """With the verdicts of a table, no rule's sentence counts the evidence by score instead."""
    point = decide(rule, ALL, "b", set_by="Ada", accept_rule=Choice("from_good", {"budget": 1 / 20}))
    counts = count_verdicts(
        [(False, "accept"), (False, "review"), (True, "accept"), (True, "review"), (True, None)]
    )
    words = statement_of(point, counts)
    assert words.endswith(
        " It rejects 0 of 2 good images and accepts 1 of 2 defects; 1 good image and 1 defect go to review."
    )
    assert words.count(" go to review") == 1
    assert statement_of(point) == point.statement != words


def test_pixel_thresholds_come_from_good_images_or_the_hand():
    mixed = decide(BUDGET, ALL, "b", set_by="Ada", pixel_rule=Choice(BY_HAND, {"value": 2.5}))
    assert mixed.pixel == 2.5
    with pytest.raises(SettingsError, match="good images alone"):
        decide(BUDGET, ALL, "b", set_by="Ada", pixel_rule=Choice("youden"))
    with pytest.raises(DataError, match="no score"):
        decide(BUDGET, Evidence(GOOD), "b", set_by="Ada", pixel_rule=BUDGET)
    small = Evidence(GOOD, map_peaks={**PEAKS, "tiny": -math.inf})  # a map smaller than the least area
    assert decide(BUDGET, small, "b", set_by="Ada", pixel_rule=BUDGET).pixel < 4
    odd = Evidence(GOOD, map_peaks={**PEAKS, "odd": math.nan})
    with pytest.raises(DataError, match="not finite"):
        decide(BUDGET, odd, "b", set_by="Ada", pixel_rule=BUDGET)


@pytest.mark.parametrize("name", [name for name in RULES if name != BY_HAND])
def test_recalibration_applies_its_own_rule_again(name):
    before = decide(
        Choice(name),
        ALL,
        "bank-1",
        set_by="Ada",
        note="why",
        pixel_rule=Choice("provisional"),
        min_area=3,
        judge_by="both",
        set_at="2025-01-01T09:00:00+00:00",
    )
    after = recalibrate(before, HALF, "bank-2")
    direct = decide(Choice(name), HALF, "bank-2", set_by="Ada", pixel_rule=Choice("provisional"))
    assert (after.reject, after.accept, after.pixel) == (direct.reject, direct.accept, direct.pixel)
    assert after.reject != before.reject and after.recalibrated_at and not after.stale
    assert (after.bank_id, after.evidence, after.rule) == ("bank-2", HALF, before.rule)
    assert (after.set_by, after.set_at, after.note) == (before.set_by, before.set_at, "why")
    assert (after.min_area, after.judge_by) == (3, "both")


@pytest.mark.parametrize("chosen", ["rule", "accept_rule", "pixel_rule"])
def test_point_set_by_hand_goes_stale(chosen):
    rules = {"rule": BUDGET, chosen: Choice(BY_HAND, {"value": 2.0})}
    after = recalibrate(decide(**rules, evidence=ALL, bank_id="b", set_by="Ada"), HALF, "c")
    assert "by hand" in after.stale and after.bank_id == "b"
    with pytest.raises(SettingsError, match="by hand"):
        after.verdict(1.0)


def test_point_that_cannot_be_recalibrated_goes_stale_with_the_reason():
    labelled = decide(Choice("no_false_rejects"), ALL, "b", set_by="Ada")
    assert "defects" in recalibrate(labelled, Evidence(GOOD), "c").stale
    few = Evidence(dict(list(GOOD.items())[:150]))
    assert "49 more good images" in recalibrate(decide(BUDGET, ALL, "b", set_by="Ada"), few, "c").stale
    odd = Evidence({**GOOD, "odd": math.nan})
    assert "not finite" in recalibrate(decide(BUDGET, ALL, "b", set_by="Ada"), odd, "c").stale


LABELLED = [name for name, rule in RULES.items() if "defect" in rule.needs]


@pytest.mark.parametrize("name", LABELLED)
def test_rule_for_defects_needs_every_earlier_defect_again(name):
    decided = decide(Choice(name), ALL, "b", set_by="Ada")
    without = recalibrate(decided, Evidence(HALF.good), "c")
    assert without.stale.startswith("The defects it was set from have not been scored")
    assert without.evidence == ALL  # nothing it rests on was dropped
    fewer = dict(list(HALF.defect.items())[3:])
    assert "3 of the 40 defects" in recalibrate(decided, Evidence(HALF.good, fewer), "c").stale
    more = recalibrate(decided, Evidence(HALF.good, {**HALF.defect, "new": 9.0}), "c")
    assert not more.stale and "new" in more.evidence.defect


@pytest.mark.parametrize("name", [name for name in RULES if RULES[name].needs == {"good"}])
def test_rule_for_good_images_does_not_need_defects(name):
    good = Evidence(GOOD)
    after = recalibrate(decide(Choice(name), good, "b", set_by="Ada"), Evidence(HALF.good), "c")
    assert not after.stale and after.reject > 0


def test_a_pixel_rule_needs_the_peaks_of_the_new_maps():
    decided = decide(BUDGET, ALL, "b", set_by="Ada", pixel_rule=BUDGET, min_area=5, judge_by="area")
    after = recalibrate(decided, HALF, "c")
    assert after.pixel == pytest.approx(decided.pixel + 0.5) and after.min_area == 5
    without = recalibrate(decided, Evidence(HALF.good, HALF.defect), "c")
    assert "no score" in without.stale
    few = Evidence(HALF.good, HALF.defect, dict(list(HALF.map_peaks.items())[:150]))
    assert "49 more good images" in recalibrate(decided, few, "c").stale


def test_a_pixel_threshold_set_by_hand_is_stale_on_another_bank():
    by = by_hand(3.0, ALL, "b", set_by="Ada", pixel=2.0)
    after = recalibrate(by, HALF, "c")
    assert "by hand" in after.stale
    with pytest.raises(SettingsError, match="by hand"):
        after.regions(np.zeros((4, 4), np.float32))


def test_a_stale_point_is_revived_by_a_rule_that_works():
    decided = decide(BUDGET, ALL, "b", set_by="Ada")
    few = Evidence(dict(list(GOOD.items())[:150]))
    revived = recalibrate(recalibrate(decided, few, "c"), HALF, "d")
    assert not revived.stale and revived.verdict(0.0) == "accept"
