"""Progress from the inside of a job: time left, and how often it is written."""

import threading

import pytest

from patchcore.errors import Cancelled
from workbench.jobs import process
from workbench.jobs.process import Progress, RunningJob
from workbench.jobs.requests import JobState, delete_scratch, get_job, scratch_path, submit
from workbench.storage.tables import Job
from workbench.storage.timestamps import now


class Clock:
    def __init__(self):
        self.time = 100.0

    def __call__(self):
        return self.time


def test_time_left_follows_the_pace_of_the_stage():
    clock = Clock()
    progress = Progress(clock)
    progress.update("features", 0, 100)
    assert progress.snapshot()["eta_seconds"] is None
    clock.time += 10
    progress.update("features", 25, 100)
    assert progress.snapshot()["eta_seconds"] == pytest.approx(30)


def test_the_work_of_an_earlier_process_does_not_raise_the_pace():
    clock = Clock()
    progress = Progress(clock)
    progress.update("features", 80, 100)
    clock.time += 10
    progress.update("features", 90, 100)
    assert progress.snapshot()["eta_seconds"] == pytest.approx(10)


def test_finished_stages_are_kept_with_their_times():
    clock = Clock()
    progress = Progress(clock)
    progress.update("features", 0, 3)
    clock.time += 4
    progress.update("features", 3, 3)
    clock.time += 1
    progress.update("coreset", 0, 50)
    assert progress.snapshot() == {
        "stage": "coreset",
        "done": 0,
        "total": 50,
        "stages": [{"name": "features", "total": 3, "seconds": 5.0}],
        "eta_seconds": None,
    }


@pytest.fixture
def claimed(workspace):
    job_id = submit(workspace, "count", "Count", {"steps": 3})
    with workspace.database.write() as session:
        session.get(Job, job_id).state = JobState.RUNNING
    return job_id


def test_a_thousand_calls_a_second_become_few_writes(workspace, claimed, monkeypatch):
    writes = []
    monkeypatch.setattr(process, "PULSE_SECONDS", 0.05)
    original = RunningJob._write
    monkeypatch.setattr(RunningJob, "_write", lambda self, **v: (writes.append(v), original(self, **v)))
    with RunningJob(workspace, claimed) as job:
        for step in range(1000):
            job.progress("counting", step, 1000)
        job._ended.wait(0.2)
    assert len(writes) <= 6
    assert get_job(workspace, claimed).done == 999


def test_the_row_says_which_process_it_is(workspace, claimed):
    with RunningJob(workspace, claimed):
        job = get_job(workspace, claimed)
    assert job.pid == process.os.getpid()
    assert job.process_started is not None and job.heartbeat is not None and job.host


def test_a_cancel_is_heard(workspace, claimed, monkeypatch):
    monkeypatch.setattr(process, "PULSE_SECONDS", 0.02)
    with RunningJob(workspace, claimed) as job:
        assert not job.cancelled()
        with workspace.database.write() as session:
            session.get(Job, claimed).cancel_requested = now()
        job._ended.wait(0.3)
        assert job.cancelled()


@pytest.mark.parametrize(
    ("state", "kept"), [(JobState.DONE, False), (JobState.CANCELLED, False), (JobState.FAILED, True)]
)
def test_checkpoints_are_kept_for_as_long_as_they_are_of_use(workspace, claimed, state, kept):
    with RunningJob(workspace, claimed) as job:
        job.finish(state, "so it is", {"a": 1})
    row = get_job(workspace, claimed)
    assert (row.state, row.message, row.result) == (state, "so it is", {"a": 1})
    assert scratch_path(workspace, claimed).exists() == kept


def test_a_job_that_was_declared_ended_is_not_written_any_more(workspace, claimed):
    with RunningJob(workspace, claimed) as job:
        with workspace.database.write() as session:
            session.get(Job, claimed).state = JobState.INTERRUPTED
        job.finish(JobState.DONE)
    assert get_job(workspace, claimed).state == JobState.INTERRUPTED
    delete_scratch(workspace, claimed)


def test_an_attempt_that_was_followed_by_another_stops_and_leaves_the_checkpoints_alone(
    workspace, claimed, monkeypatch
):
    monkeypatch.setattr(process, "PULSE_SECONDS", 0.02)
    with RunningJob(workspace, claimed, 0) as job:
        (job.scratch / "features").write_text("of the next attempt", encoding="utf-8")
        with workspace.database.write() as session:
            session.get(Job, claimed).attempts = 1
        job._ended.wait(0.3)
        assert job.cancelled()
        job.finish(JobState.CANCELLED)
    assert get_job(workspace, claimed).state == JobState.RUNNING
    assert (scratch_path(workspace, claimed) / "features").exists()


def test_an_attempt_that_is_over_before_it_begins_makes_no_folder(workspace, claimed):
    with (
        pytest.raises(Cancelled, match=f"Attempt 7 of job {claimed} is over"),
        RunningJob(workspace, claimed, 7),
    ):
        pass
    assert get_job(workspace, claimed).pid is None and not scratch_path(workspace, claimed).exists()


def fill_the_disk(_job):
    with open("/dev/full", "wb", buffering=0) as file:  # noqa: PTH123
        file.write(b"x")


def test_a_job_whose_disk_is_full_says_so_and_can_be_resumed(workspace, claimed):
    with RunningJob(workspace, claimed) as job:
        code = process._run(job, {"count": f"{__name__}:fill_the_disk"})
    ended = get_job(workspace, claimed)
    assert (code, ended.state) == (process.FAILED, JobState.FAILED)
    assert "is full (No space left on device). Nothing that was saved is lost." in ended.message


def test_a_standing_job_whose_disk_is_full_waits_to_be_revived(workspace, claimed, monkeypatch):
    monkeypatch.setattr(process, "STANDING", {"count": 1})
    with RunningJob(workspace, claimed) as job:
        process._run(job, {"count": f"{__name__}:fill_the_disk"})
    ended = get_job(workspace, claimed)
    assert ended.state == JobState.INTERRUPTED and "is full" in ended.message


def test_the_end_of_a_job_is_recorded_once_the_workspace_is_there_again(workspace, claimed, monkeypatch):
    monkeypatch.setattr(process, "END_PAUSE_SECONDS", 0.05)
    away = workspace.root.with_name("away")
    with RunningJob(workspace, claimed) as job:
        workspace.root.rename(away)
        back = threading.Timer(0.3, lambda: away.rename(workspace.root))
        back.start()
        job.finish(JobState.DONE, result={"counted": 3})
        back.join()
    ended = get_job(workspace, claimed)
    assert (ended.state, ended.result) == (JobState.DONE, {"counted": 3})
