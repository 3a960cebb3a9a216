"""Nothing is lost when processes are killed; twenty moments and more: `python -m tests.survival`."""

import json

import pytest

from tests.survival.kinds import KINDS
from tests.survival.lives import Life, draw_moments
from tests.survival.setting import Ledger


def test_all_that_was_told_survives_kills_at_random_moments(tmp_path, database_kind):
    # Builds and scores here, teaching there; the other kinds, and many more moments: `python -m tests.survival`.
    moments = draw_moments(2, seed=13) if database_kind == "sqlite" else draw_moments(1, seed=3)
    outcomes = list(Life(tmp_path).live(moments))
    assert [outcome.left for outcome in outcomes] == [[]] * len(moments)
    assert outcomes[-1].told["store"] == 36 and outcomes[-1].told["build"] == 1


def test_moments_are_the_same_for_a_seed_and_reach_every_kind():
    assert draw_moments(20, 3) == draw_moments(20, 3) != draw_moments(20, 4)
    assert {moment.kind for moment in draw_moments(len(KINDS), 0)} == set(KINDS)
    assert {moment.victim for moment in draw_moments(60, 0)} == {"app", "job", "both"}
    assert all(moment.victim == "app" for moment in draw_moments(60, 0) if not moment.kind.runs_jobs)


def test_a_line_that_was_cut_off_was_told_to_nobody(tmp_path):
    ledger = Ledger(tmp_path / "ledger")
    ledger.tell("store", "a")
    ledger.tell("score", 3, 1.5)
    with ledger.path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(["store", "b", None])[:-4])
    assert (ledger.told("store"), ledger.told("score"), ledger.told("build")) == ({"a": None}, {3: 1.5}, {})


def test_what_was_told_and_is_not_there_is_noticed(workspace, tmp_path):
    ledger = Ledger(tmp_path / "ledger")
    image = workspace.store_image(b"a picture", "a.png")
    ledger.tell("store", image.sha256)
    KINDS[0].verify(workspace, ledger)
    workspace.image_path(image.sha256).write_bytes(b"another")
    with pytest.raises(AssertionError, match="not what was stored"):
        KINDS[0].verify(workspace, ledger)
