import numpy as np
import pytest

from patchcore.errors import DataError, SettingsError
from patchcore.statistics.intervals import clopper_pearson
from patchcore.thresholds.decision import decide, recalibrate
from patchcore.thresholds.from_good import from_good
from patchcore.thresholds.from_sessions import check_on_sessions, from_sessions
from patchcore.thresholds.operating_point import Choice, Evidence

RULE = Choice("from_sessions", {"budget": 0.1})


def evidence(unseen=None):
    """Three sessions of 20 images; those of the last score 5 more where their session is left out."""
    good = {f"{i:064x}": float(i % 20) for i in range(60)}
    sessions = {sha256: ("mon", "tue", "wed")[i // 20] for i, sha256 in enumerate(good)}
    other = {sha256: score + 5.0 * (sessions[sha256] == "wed") for sha256, score in good.items()}
    return Evidence(good, unseen=other if unseen is None else unseen, sessions=sessions)


def test_the_worst_session_decides():
    scores = {"mon": range(1, 21), "tue": range(11, 31)}
    found = from_sessions(scores, 0.1)
    assert found.value == from_good(scores["tue"], 0.1).value == 29
    assert found.n_good == 40
    assert found.n_rejected == 1
    assert found.interval == clopper_pearson(1, 20)
    assert "In the worst, tue, it rejects 1 of 20" in found.statement
    assert "About 1 further day in 3 is stranger" in found.statement


def test_a_session_with_too_few_images_counts_with_its_largest_score():
    found = from_sessions({"mon": range(1, 40), "tue": [50.0, 7.0]}, 0.1)
    assert found.value == 50
    assert "1 session has fewer than 9 images" in found.statement
    assert found.provisional


@pytest.mark.parametrize("scores", [{}, {"mon": [1.0, 2.0]}])
def test_one_session_sets_no_threshold(scores):
    with pytest.raises(DataError, match="second day"):
        from_sessions(scores, 0.1)


def test_bad_budgets_and_scores_are_refused():
    with pytest.raises(SettingsError, match="budget"):
        from_sessions({"a": [1.0], "b": [2.0]}, 0)
    with pytest.raises(DataError, match="finite"):
        from_sessions({"a": [1.0], "b": [np.inf]}, 0.1)


def test_the_rule_decides_and_survives_the_file_and_another_bank():
    point = decide(RULE, evidence(), "0" * 16, set_by="me")
    assert point.reject == 18 + 5
    again = type(point).from_dict(point.to_dict())
    assert again == point
    moved = recalibrate(again, evidence({s: v + 100 for s, v in evidence().unseen.items()}), "1" * 16)
    assert moved.reject == 123
    lost = recalibrate(again, Evidence(evidence().good), "1" * 16)
    assert "second day" in lost.stale


def test_evidence_of_an_earlier_program_has_no_sessions():
    plain = {"good": {"0" * 64: 1.0}, "defect": {}, "map_peaks": {}}
    assert Evidence.from_dict(plain).by_session == {}
    assert check_on_sessions(Evidence.from_dict(plain), 1.0) is None


def test_a_threshold_is_checked_on_each_session():
    check = check_on_sessions(evidence(), 19.0)
    assert [(part.name, part.images, part.rejected) for part in check.sessions] == [
        ("mon", 20, 0),
        ("tue", 20, 0),
        ("wed", 20, 5),
    ]
    assert check.promised == (0, 60)
    assert (check.rejected, check.images) == (5, 60)
    assert check.worst.interval == clopper_pearson(5, 20)
    assert "The worst session, wed: 5 of 20" in check.sentence
