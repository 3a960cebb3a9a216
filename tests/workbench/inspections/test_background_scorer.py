"""The queue of scoring: fair turns, time left, stopping, restarts; a real inspector scores."""

import socket
import subprocess
import sys
import time
from dataclasses import replace

import psutil
import pytest
from sqlalchemy import select

from tests.workbench.parts import OLA, VIC, store_plates
from tests.workbench.processes import wait_until
from workbench.inspections import background_scorer, batches
from workbench.inspections.background_scorer import TRIAL, Scorer
from workbench.inspections.batches import count_unscored, create_batch, list_results
from workbench.inspections.turns import rows
from workbench.people.roles import NotAllowed, acting
from workbench.storage.processes import start_of
from workbench.storage.tables import Result
from workbench.upkeep.bin import bring_back, delete_for_good, delete_inspector, list_bin

ROOM = 1.5  # seconds: a turn, and neighbours that come and go on the machine; on a quiet one: lab.speed.queue
SLOW = (
    0.1  # seconds that an image takes beside its scoring: what is timed does not hang on this machine's load
)


@pytest.fixture
def database_kind(monkeypatch):
    """One kind of database: `turns/test_rows.py` tries the queue's rows on both."""
    monkeypatch.delenv("PATCHCORE_DATABASE_URL", raising=False)
    return "sqlite"


@pytest.fixture
def scorer(workspace):
    scorer = Scorer(workspace)
    yield scorer
    scorer.stop()


@pytest.fixture
def slow(monkeypatch):
    scored = batches.score_image

    def slowly(*arguments, **named):
        time.sleep(SLOW)
        return scored(*arguments, **named)

    monkeypatch.setattr(batches, "score_image", slowly)


def batch_of(workspace, count, name="batch"):
    """A batch of so many images; four pictures under many names."""
    plates = store_plates(workspace, min(count, 4))
    return create_batch(
        workspace,
        "plate-1",
        [replace(plates[number % 4], name=f"{number}.png") for number in range(count)],
        name,
    )


def through(scorer, batch, version):
    """Wait until a batch is not worked on any more."""
    deadline = time.monotonic() + 60
    while scorer.wait(batch, version.id, 0.2):
        assert time.monotonic() < deadline


def test_a_database_that_takes_no_change_ends_no_scoring_of_others(workspace, version, scorer):
    first, second = batch_of(workspace, 1), batch_of(workspace, 1)
    refusal = "CREATE TRIGGER full BEFORE DELETE ON scorings BEGIN SELECT RAISE(ABORT, 'full'); END"
    with workspace.database.write_directly() as connection:
        connection.exec_driver_sql(refusal)
    scorer.want(first, version.id)
    through(scorer, first, version)
    with workspace.database.write_directly() as connection:
        connection.exec_driver_sql("DROP TRIGGER full")
    scorer.want(second, version.id)
    through(scorer, second, version)
    assert count_unscored(workspace, second, version.id) == 0
    assert [row.batch_id for row in rows.list_rows(workspace)] == [
        first
    ]  # asked for once more after a restart


def test_a_batch_is_scored_in_the_background_once(workspace, version, scorer):
    batch = batch_of(workspace, 3)
    scorer.want(batch, version.id)
    scorer.want(batch, version.id)
    through(scorer, batch, version)
    assert count_unscored(workspace, batch, version.id) == 0
    assert scorer.state(batch, version.id).word == "idle" and scorer.list_waiting() == {}
    assert list(rows.list_rows(workspace)) == []


def test_the_scorer_gives_the_reason_it_stopped_and_can_start_again(workspace, version, scorer):
    batch = batch_of(workspace, 1)
    model = workspace.root / version.path
    model.rename(model.with_suffix(".away"))
    scorer.want(batch, version.id)
    through(scorer, batch, version)
    assert "model.patchcore" in scorer.state(batch, version.id).fault
    scorer.want(batch, version.id)  # not again by itself
    assert scorer.state(batch, version.id).word == "failed"
    model.with_suffix(".away").rename(model)
    scorer.start(batch, version.id)
    through(scorer, batch, version)
    assert count_unscored(workspace, batch, version.id) == 0


def test_a_small_batch_is_served_at_once_beside_a_long_one_and_the_time_left_is_right_within_a_third(
    workspace, version, scorer, slow
):
    long, small = batch_of(workspace, 24, "long"), batch_of(workspace, 4, "small")
    scorer.want(long, version.id)
    wait_until(lambda: len(list_results(workspace, long, version.id)) >= 4)
    scorer.want(small, version.id)
    asked = time.monotonic()
    states = scorer.list_waiting()
    assert [(work[0], state.place) for work, state in states.items()] == [(small, 1), (long, 2)]
    wait_until(lambda: list_results(workspace, small, version.id))
    assert time.monotonic() - asked < 2.0
    through(scorer, small, version)
    small_took = time.monotonic() - asked
    assert count_unscored(workspace, long, version.id) > 0
    through(scorer, long, version)
    long_took = time.monotonic() - asked
    assert states[long, version.id].seconds_left == pytest.approx(long_took, rel=1 / 3, abs=ROOM)
    assert states[small, version.id].seconds_left == pytest.approx(small_took, rel=1 / 3, abs=ROOM)
    again = batch_of(workspace, 6)
    told = scorer.seconds_for(again, version.id, 6)  # before anybody has asked for it
    asked = time.monotonic()
    scorer.want(again, version.id)
    through(scorer, again, version)
    assert told == pytest.approx(time.monotonic() - asked, rel=1 / 3, abs=ROOM)


def test_a_long_batch_goes_on_while_small_ones_keep_arriving(workspace, version, scorer, slow):
    long = batch_of(workspace, 20, "long")
    scorer.want(long, version.id)
    wait_until(lambda: list_results(workspace, long, version.id))
    first = len(list_results(workspace, long, version.id))
    for number in range(3):
        small = batch_of(workspace, 5, f"small {number}")
        scorer.want(small, version.id)
        through(scorer, small, version)
    with workspace.database.read() as session:
        order = [one.image.batch_id == long for one in session.scalars(select(Result).order_by(Result.id))]
    assert order.count(False) == 15
    assert sum(order) - first >= 3  # the small ones would have taken every turn


def test_a_stopped_batch_keeps_its_results_through_a_restart_until_somebody_continues(
    workspace, version, scorer, slow
):
    batch = batch_of(workspace, 12)
    scorer.want(batch, version.id)
    wait_until(lambda: list_results(workspace, batch, version.id))
    with acting(VIC), pytest.raises(NotAllowed, match="takes the role operate"):
        scorer.halt(batch, version.id)
    with acting(OLA):
        scorer.halt(batch, version.id)
    assert scorer.state(batch, version.id).word == "stopped" and not scorer.list_waiting()
    scorer.stop()
    scored = 12 - count_unscored(workspace, batch, version.id)
    assert 1 <= scored < 12
    later = Scorer(workspace).resume()
    later.want(batch, version.id)  # as a page does that is opened
    assert later.state(batch, version.id).word == "stopped"
    with acting(VIC), pytest.raises(NotAllowed, match="takes the role operate"):
        later.start(batch, version.id)
    assert 12 - count_unscored(workspace, batch, version.id) == scored
    later.start(batch, version.id)
    through(later, batch, version)
    later.stop()
    assert count_unscored(workspace, batch, version.id) == 0 and not rows.list_rows(workspace)


def test_the_queue_survives_a_restart_and_keeps_the_person_who_asked(workspace, version, scorer, slow):
    batch = batch_of(workspace, 6)
    with acting(OLA):
        scorer.want(batch, version.id)
    wait_until(lambda: list_results(workspace, batch, version.id))
    scorer.stop()
    assert count_unscored(workspace, batch, version.id) > 0
    later = Scorer(workspace).resume()
    through(later, batch, version)
    later.stop()
    assert count_unscored(workspace, batch, version.id) == 0
    with workspace.database.read() as session:
        found = set(session.scalars(select(batches.Inspection.operator)))
    assert found == {"Ola"}


def test_the_time_of_an_image_is_measured_on_a_few(workspace, version, scorer):
    batch = batch_of(workspace, 10)
    assert scorer.seconds_for(batch, version.id, 10) is None  # nothing was ever scored
    scorer.measure(batch, version.id)
    assert scorer.state(batch, version.id).trial and not scorer.list_waiting()
    through(scorer, batch, version)
    assert count_unscored(workspace, batch, version.id) == 10 - TRIAL
    assert 0 < scorer.seconds_for(batch, version.id, 7) < 60
    scorer.want(batch, version.id)
    through(scorer, batch, version)
    assert count_unscored(workspace, batch, version.id) == 0


def test_a_batch_that_is_deleted_leaves_the_queue_without_a_fault(workspace, version, scorer, slow):
    batch = batch_of(workspace, 12)
    scorer.want(batch, version.id)
    wait_until(lambda: list_results(workspace, batch, version.id))
    scorer.release(batch)
    scored = len(list_results(workspace, batch, version.id))
    assert scorer.state(batch, version.id).word == "idle" and not scorer.list_waiting()
    time.sleep(3 * SLOW)
    assert len(list_results(workspace, batch, version.id)) == scored < 12


def test_a_batch_waits_while_the_workspace_is_away_and_goes_on_by_itself(
    workspace, version, scorer, slow, monkeypatch
):
    monkeypatch.setattr(background_scorer, "PAUSE_SECONDS", 0.05)
    batch, away = batch_of(workspace, 3), workspace.root.with_name("away")
    scorer.want(batch, version.id)
    wait_until(lambda: count_unscored(workspace, batch, version.id) < 3)
    workspace.root.rename(away)
    wait_until(lambda: scorer.state(batch, version.id).fault)
    state = scorer.state(batch, version.id)
    assert state.word == "waiting" and "moved or deleted" in state.fault
    away.rename(workspace.root)
    through(scorer, batch, version)
    assert scorer.state(batch, version.id).word == "idle"
    assert [one.error for one in list_results(workspace, batch, version.id)] == [None] * 3


def test_the_bin_stops_the_queue_and_what_comes_back_can_be_continued(workspace, version, scorer, slow):
    batch = batch_of(workspace, 12)
    scorer.want(batch, version.id)
    wait_until(lambda: list_results(workspace, batch, version.id))
    delete_inspector(workspace, "plate-1")
    through(scorer, batch, version)
    scored = len(list_results(workspace, batch, version.id))
    assert scored < 12 and scorer.state(batch, version.id).word == "stopped"
    scorer.start(batch, version.id)  # not while it lies there
    assert scorer.state(batch, version.id).word == "stopped"
    bring_back(workspace, list_bin(workspace)[0])
    assert scorer.state(batch, version.id).word == "stopped"
    scorer.start(batch, version.id)
    through(scorer, batch, version)
    assert count_unscored(workspace, batch, version.id) == 0
    scorer.want(again := batch_of(workspace, 12), version.id)
    delete_inspector(workspace, "plate-1")
    delete_for_good(workspace, list_bin(workspace))
    through(scorer, again, version)
    assert scorer.state(again, version.id).word == "idle" and not rows.list_rows(workspace)


def test_of_two_servers_one_takes_a_batch_and_the_other_continues_it_once_it_has_died(
    workspace, version, scorer, monkeypatch
):
    monkeypatch.setattr(background_scorer, "BEAT_SECONDS", 0.1)
    batch = batch_of(workspace, 2)
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    taken = (socket.gethostname(), other.pid, start_of(psutil.Process(other.pid)))
    with monkeypatch.context() as there:
        there.setattr(rows, "this_server", lambda: taken)
        assert rows.keep(workspace, (batch, version.id), "Ola")
    scorer.resume()
    scorer.want(batch, version.id)
    time.sleep(0.3)
    assert scorer.state(batch, version.id).word == "waiting" and list(scorer.list_waiting()) == [
        (batch, version.id)
    ]
    assert count_unscored(workspace, batch, version.id) == 2
    other.kill()
    other.wait()
    through(scorer, batch, version)
    wait_until(lambda: not rows.list_rows(workspace))
    assert count_unscored(workspace, batch, version.id) == 0
