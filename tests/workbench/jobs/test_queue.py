"""The queue with real processes: order, cancel, kill -9, restart, and nothing left over."""

import socket
import time
from datetime import timedelta

import psutil
import pytest

from patchcore.errors import SettingsError
from tests.workbench.parts import ADA, OLA
from tests.workbench.processes import REHEARSAL, wait_until
from workbench.jobs import queue, requests
from workbench.jobs.queue import (
    BEAT,
    SILENCE,
    SILENCE_AT_START,
    JobQueue,
    find_process,
    stated_capacity,
)
from workbench.jobs.requests import JobState
from workbench.people.roles import acting
from workbench.storage.processes import start_of
from workbench.storage.tables import Job
from workbench.storage.timestamps import now


def count(workspace, steps, seconds=0.02):
    return requests.submit(workspace, "count", "Count", {"steps": steps, "seconds": seconds})


def state(workspace, job_id):
    return requests.get_job(workspace, job_id).state


def is_counting(workspace, job_id):
    return requests.get_job(workspace, job_id).done > 0


def test_two_jobs_run_one_after_the_other_report_and_leave_a_log_and_no_zombie(workspace, rehearsals):
    first, second = count(workspace, 10), count(workspace, 5)
    wait_until(lambda: is_counting(workspace, first) or state(workspace, first) == JobState.DONE)
    assert JobState.RUNNING not in {state(workspace, second)} or state(workspace, first) == JobState.DONE
    wait_until(lambda: state(workspace, second) == JobState.DONE)
    one, two = requests.get_job(workspace, first), requests.get_job(workspace, second)
    assert one.state == JobState.DONE and one.finished <= two.started
    assert (one.result, two.result) == ({"found": 0, "counted": 10}, {"found": 0, "counted": 5})
    assert (one.stage, one.done, one.total) == ("resting", 1, 1)
    assert [stage["name"] for stage in one.stages] == ["counting"]
    assert not requests.scratch_path(workspace, first).exists()
    wait_until(lambda: not rehearsals._children)
    children = psutil.Process().children()
    assert [child for child in children if child.status() == psutil.STATUS_ZOMBIE] == []
    lines = [line.partition("UTC  ")[2] for line in requests.read_log(workspace, second).splitlines()]
    assert lines[0].startswith(f"Attempt 1 of job {second}, count, in process ")
    assert lines[1:] == ["counting, 5 steps", "resting, 1 steps", "done."]


def test_a_job_acts_as_its_submitter(workspace, rehearsals):
    with acting(ADA):
        job_id = requests.submit(workspace, "introduce", "Introduce", {})
    with acting(OLA):
        requests.cancel(workspace, count(workspace, 10))  # the next in the queue; it has another's name
    wait_until(lambda: state(workspace, job_id) == JobState.DONE)
    job = requests.get_job(workspace, job_id)
    assert (job.made_by, job.result) == ("Ada", {"name": "Ada", "role": "engineer"})


@pytest.mark.parametrize(("said", "capacity"), [(None, 1), ("1", 1), (" 3 ", 3)])
def test_the_number_of_jobs_at_once_is_a_setting(monkeypatch, said, capacity):
    monkeypatch.delenv("PATCHCORE_JOBS", raising=False)
    if said is not None:
        monkeypatch.setenv("PATCHCORE_JOBS", said)
    assert stated_capacity() == capacity


@pytest.mark.parametrize("said", ["", "0", "-1", "two", "1.5", "²"])
def test_an_impossible_number_raises_settings_error(monkeypatch, said):
    monkeypatch.setenv("PATCHCORE_JOBS", said)
    with pytest.raises(SettingsError, match="PATCHCORE_JOBS is"):
        stated_capacity()


def test_as_many_run_at_once_as_stated(workspace):
    queue = JobQueue(workspace, capacity=2, command=REHEARSAL)
    ids = [count(workspace, 1000) for _ in range(3)]
    queue.step()
    assert [state(workspace, job_id) for job_id in ids] == ["running", "running", "queued"]
    other = JobQueue(workspace, capacity=2, command=REHEARSAL)
    other.step()
    assert state(workspace, ids[2]) == JobState.QUEUED
    for job_id in ids:
        requests.cancel(workspace, job_id)
    wait_until(lambda: queue.step() or not queue._children)
    assert {state(workspace, job_id) for job_id in ids} == {"cancelled"}


def test_cancel_takes_less_than_two_seconds(workspace, rehearsals):
    job_id = count(workspace, 10_000)
    wait_until(lambda: is_counting(workspace, job_id))
    pid = requests.get_job(workspace, job_id).pid
    asked = time.monotonic()
    requests.cancel(workspace, job_id)
    wait_until(lambda: state(workspace, job_id) == JobState.CANCELLED and not psutil.pid_exists(pid))
    assert time.monotonic() - asked < 2
    assert not requests.scratch_path(workspace, job_id).exists()


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)  # slow, and no matter of the database
def test_work_that_does_not_listen_is_ended_within_two_seconds_too(workspace, rehearsals):
    job_id = requests.submit(workspace, "deaf", "Sleep", {})
    wait_until(lambda: requests.get_job(workspace, job_id).pid is not None)
    pid = requests.get_job(workspace, job_id).pid
    asked = time.monotonic()
    requests.cancel(workspace, job_id)
    wait_until(lambda: state(workspace, job_id) == JobState.CANCELLED and not psutil.pid_exists(pid))
    assert time.monotonic() - asked < 2


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)  # slow, and no matter of the database
def test_a_stopped_process_is_killed_by_the_queue(workspace, rehearsals):
    job_id = requests.submit(workspace, "deaf", "Sleep", {})
    wait_until(lambda: requests.get_job(workspace, job_id).pid is not None)
    process = psutil.Process(requests.get_job(workspace, job_id).pid)
    process.suspend()
    asked = time.monotonic()
    requests.cancel(workspace, job_id)
    wait_until(lambda: state(workspace, job_id) == JobState.CANCELLED and not process.is_running())
    assert time.monotonic() - asked < 3


def test_kill_9_interrupts_and_resume_goes_on_where_it_was(workspace, rehearsals):
    job_id = count(workspace, 60)
    wait_until(lambda: requests.get_job(workspace, job_id).done > 5)
    process = psutil.Process(requests.get_job(workspace, job_id).pid)
    leftover = workspace.root / "temporary" / f"{process.pid}-abc-model"
    leftover.mkdir()
    process.kill()
    wait_until(lambda: state(workspace, job_id) == JobState.INTERRUPTED)
    assert not process.is_running() and not leftover.exists()
    assert "resumed" in requests.get_job(workspace, job_id).message
    requests.resume(workspace, job_id)
    wait_until(lambda: state(workspace, job_id) == JobState.DONE)
    job = requests.get_job(workspace, job_id)
    assert job.result["found"] >= 5 and job.result["found"] + job.result["counted"] == 60
    assert job.attempts == 2


def test_a_job_outlives_its_queue_and_the_next_one_sees_it_end(workspace):
    first = JobQueue(workspace, command=REHEARSAL)
    job_id = count(workspace, 40)
    first.step()
    child = first._children.pop(job_id)  # as if the dashboard had died
    wait_until(lambda: is_counting(workspace, job_id))
    second = JobQueue(workspace, command=REHEARSAL)
    second.step()
    assert state(workspace, job_id) == JobState.RUNNING
    wait_until(lambda: second.step() or state(workspace, job_id) == JobState.DONE)
    psutil.Process(child.pid).wait(20) if psutil.pid_exists(child.pid) else None
    assert not psutil.pid_exists(child.pid) and child.wait(5) == 0  # no zombie either


def test_a_process_number_that_is_anothers_by_now_counts_as_dead(workspace):
    job_id = count(workspace, 3)
    queue = JobQueue(workspace, command=REHEARSAL)
    me = psutil.Process()
    with workspace.database.write() as session:
        job = session.get(Job, job_id)
        job.state, job.pid = JobState.RUNNING, me.pid
        job.process_started, job.process_boot = start_of(me)
        job.host, job.heartbeat = socket.gethostname(), now()
    queue.step()
    assert state(workspace, job_id) == JobState.RUNNING
    with workspace.database.write() as session:
        session.get(Job, job_id).process_started -= 3600
    queue.step()
    assert state(workspace, job_id) == JobState.INTERRUPTED


def test_a_process_that_cannot_start_is_reported(workspace):
    queue = JobQueue(workspace, command=(REHEARSAL[0], "-c", "import nonsense"))
    job_id = count(workspace, 3)
    wait_until(lambda: queue.step() or not queue._children)
    assert state(workspace, job_id) == JobState.INTERRUPTED
    assert "nonsense" in requests.read_log(workspace, job_id)


def test_the_log_is_utf_8_and_shows_every_character(workspace, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252")
    queue = JobQueue(workspace, command=(REHEARSAL[0], "-c", r"print('Ma\xdf \u87ba\u6813 \udcff')"))
    job_id = count(workspace, 3)
    wait_until(lambda: queue.step() or not queue._children)
    assert requests.read_log(workspace, job_id).strip() == r"Maß 螺栓 \udcff"


def test_a_program_that_is_not_there_interrupts_the_job_and_not_the_queue(workspace):
    queue = JobQueue(workspace, command=("/nowhere/python",))
    job_id = count(workspace, 3)
    with pytest.raises(FileNotFoundError):
        queue.step()
    assert state(workspace, job_id) == JobState.INTERRUPTED
    queue.step()


@pytest.mark.parametrize(
    ("kind", "message"),
    [("refuse", "There is no image in folder x. Choose another."), ("stumble", "KeyError: 'nose'")],
)
def test_a_failure_reaches_the_user_and_the_log(workspace, rehearsals, kind, message):
    job_id = requests.submit(workspace, kind, kind, {})
    wait_until(lambda: state(workspace, job_id) == JobState.FAILED)
    assert message in requests.get_job(workspace, job_id).message
    assert "Traceback" in requests.read_log(workspace, job_id)


def test_checkpoints_of_a_job_that_died_right_after_its_end_are_deleted(workspace):
    queue = JobQueue(workspace, command=(REHEARSAL[0], "-c", "pass"))
    job_id = count(workspace, 3)
    queue.step()
    with workspace.database.write() as session:
        session.get(Job, job_id).state = JobState.CANCELLED
    requests.scratch_path(workspace, job_id).mkdir(parents=True)
    wait_until(lambda: queue.step() or not queue._children)
    assert not requests.scratch_path(workspace, job_id).exists()


def claim(workspace, job_id, **values):
    with workspace.database.write() as session:
        job = session.get(Job, job_id)
        job.state, job.attempts, job.host, job.heartbeat = JobState.RUNNING, 1, socket.gethostname(), now()
        for name, value in values.items():
            setattr(job, name, value)


class Watch:
    """Seconds that go on when a test says so."""

    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds

    def wait(self, time):
        self.seconds += time.total_seconds()


WRONG = [
    timedelta(0),
    timedelta(days=-9000),
    timedelta(days=9000),
]  # by which the clock that wrote a row was wrong


@pytest.mark.parametrize("wrong", WRONG)
def test_a_job_whose_queue_died_while_starting_it_is_interrupted_soon(workspace, wrong):
    job_id, watch = count(workspace, 3), Watch()
    queue = JobQueue(workspace, command=REHEARSAL, clock=watch)
    claim(workspace, job_id, heartbeat=now() + wrong)
    queue.step()
    watch.wait(SILENCE_AT_START * 0.9)
    queue.step()
    assert state(workspace, job_id) == JobState.RUNNING  # it may be on its way
    watch.wait(SILENCE_AT_START * 0.2)
    queue.step()
    assert state(workspace, job_id) == JobState.INTERRUPTED


@pytest.mark.parametrize("wrong", WRONG)
def test_a_queue_vouches_for_a_process_that_takes_long_to_start(workspace, wrong):
    watch = Watch()
    slow = JobQueue(workspace, command=(REHEARSAL[0], "-c", "import time; time.sleep(60)"), clock=watch)
    other = JobQueue(workspace, command=REHEARSAL, clock=watch)
    job_id = count(workspace, 3)
    slow.step()
    claim(workspace, job_id, heartbeat=now() + wrong)
    for _ in range(3):
        slow.step()
        other.step()
        watch.wait(SILENCE_AT_START * 0.5)
    assert state(workspace, job_id) == JobState.RUNNING and SILENCE_AT_START > BEAT
    requests.cancel(workspace, job_id)
    slow.step()
    watch.wait(SILENCE_AT_START)
    wait_until(lambda: slow.step() or not slow._children)
    assert state(workspace, job_id) == JobState.CANCELLED


def test_a_process_that_comes_too_late_does_nothing(workspace):
    queue = JobQueue(workspace, command=REHEARSAL)
    job_id = count(workspace, 3)
    queue.step()
    with workspace.database.write() as session:
        session.get(Job, job_id).state = JobState.INTERRUPTED  # another queue lost patience
    wait_until(lambda: queue.step() or not queue._children)
    assert state(workspace, job_id) == JobState.INTERRUPTED
    assert f"Attempt 1 of job {job_id} is over" in requests.read_log(workspace, job_id)
    assert not requests.scratch_path(workspace, job_id).exists()


@pytest.mark.parametrize("wrong", WRONG)
def test_a_process_of_another_computer_is_not_looked_for_here(workspace, wrong):
    job_id, watch = count(workspace, 3), Watch()
    queue = JobQueue(workspace, command=REHEARSAL, clock=watch)
    start, own = start_of(psutil.Process()), {"host": "elsewhere", "pid": psutil.Process().pid}
    claim(workspace, job_id, **own, process_started=start.seconds, process_boot=start.boot)
    assert find_process(requests.get_job(workspace, job_id)) is None
    for beat in range(3):  # it lives as long as its heartbeat changes, by whichever clock
        claim(workspace, job_id, **own, heartbeat=now() + wrong + timedelta(milliseconds=beat))
        queue.step()
        assert state(workspace, job_id) == JobState.RUNNING
        watch.wait(SILENCE * 0.9)
    watch.wait(SILENCE * 0.2)
    queue.step()
    assert state(workspace, job_id) == JobState.INTERRUPTED


# ---- standing jobs


@pytest.fixture
def standing(monkeypatch):
    """Have counting be work that goes on until it is stopped, one at a time; what dies is revived soon."""
    monkeypatch.setattr(queue, "STANDING", {"count": 1})
    for pause in ("REVIVE_AFTER", "REVIVE_SHORT_LIVED"):
        monkeypatch.setattr(queue, pause, timedelta(seconds=0.1))


def test_standing_jobs_have_a_lane_of_their_own(workspace, standing):
    queue = JobQueue(workspace, command=REHEARSAL)
    ids = [count(workspace, 1000), count(workspace, 1000), requests.submit(workspace, "deaf", "Sleep", {})]
    queue.step()
    assert [state(workspace, job_id) for job_id in ids] == ["running", "queued", "running"]
    for job_id in ids:
        requests.cancel(workspace, job_id)
    wait_until(lambda: queue.step() or not queue._children)
    assert {state(workspace, job_id) for job_id in ids} == {"cancelled"}


def test_a_standing_job_is_revived_after_kill_9_and_not_after_a_cancel(workspace, standing, rehearsals):
    job_id = count(workspace, 10_000)
    for attempt in (1, 2):
        wait_until(lambda: is_counting(workspace, job_id))
        assert requests.get_job(workspace, job_id).attempts == attempt
        psutil.Process(requests.get_job(workspace, job_id).pid).kill()
        wait_until(lambda: requests.get_job(workspace, job_id).attempts > attempt)  # noqa: B023
        wait_until(lambda: requests.get_job(workspace, job_id).pid is not None)
    requests.cancel(workspace, job_id)
    wait_until(lambda: state(workspace, job_id) == JobState.CANCELLED and not rehearsals._children)
    rehearsals.step()
    assert state(workspace, job_id) == JobState.CANCELLED


def test_a_standing_job_that_dies_at_once_is_revived_after_a_pause(workspace, monkeypatch, standing):
    monkeypatch.setattr(queue, "REVIVE_SHORT_LIVED", timedelta(seconds=60))
    hasty = JobQueue(workspace, command=(REHEARSAL[0], "-c", "import nonsense"))
    job_id = count(workspace, 3)
    wait_until(lambda: hasty.step() or state(workspace, job_id) == JobState.INTERRUPTED)
    hasty.step()
    assert state(workspace, job_id) == JobState.INTERRUPTED
    monkeypatch.setattr(queue, "REVIVE_SHORT_LIVED", timedelta(0))
    wait_until(lambda: hasty._revive() or state(workspace, job_id) == JobState.QUEUED)


@pytest.mark.parametrize("wrong", WRONG[1:])
def test_a_standing_job_that_ended_by_another_clock_is_revived_all_the_same(workspace, wrong, monkeypatch):
    monkeypatch.setattr(queue, "STANDING", {"count": 1})
    job_id, watch = count(workspace, 3), Watch()
    reviving = JobQueue(workspace, clock=watch)
    claim(workspace, job_id, state=JobState.INTERRUPTED, started=now() + wrong, finished=now() + wrong)
    reviving._revive()
    assert state(workspace, job_id) == JobState.INTERRUPTED
    watch.wait(queue.REVIVE_SHORT_LIVED * 1.1)
    reviving._revive()
    assert state(workspace, job_id) == JobState.QUEUED


@pytest.mark.parametrize("wrong", WRONG[1:])
def test_a_cancel_by_another_clock_ends_a_deaf_process(workspace, wrong):
    watch = Watch()
    deaf = JobQueue(workspace, command=(REHEARSAL[0], "-c", "import time; time.sleep(60)"), clock=watch)
    job_id = count(workspace, 3)
    deaf.step()
    claim(workspace, job_id, cancel_requested=now() + wrong)
    deaf.step()
    assert deaf._children[job_id].poll() is None  # it has time to end itself
    watch.wait(queue.KILL_AFTER * 1.1)
    wait_until(lambda: deaf.step() or not deaf._children)
    assert state(workspace, job_id) == JobState.CANCELLED
