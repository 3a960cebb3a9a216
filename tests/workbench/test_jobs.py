"""Jobs as the pages see them, without any process."""

import pytest

from workbench import jobs
from workbench.database import WorkspaceError
from workbench.jobs import JobState
from workbench.tables import Job


def make(workspace, state=JobState.QUEUED, **values):
    job_id = jobs.submit(workspace, "count", "Count", {"steps": 3})
    with workspace.database.write() as session:
        job = session.get(Job, job_id)
        for name, value in {"state": state, **values}.items():
            setattr(job, name, value)
    jobs.scratch_path(workspace, job_id).mkdir(parents=True)
    return job_id


def test_a_submitted_job_waits_with_its_arguments(workspace):
    job = jobs.get_job(workspace, jobs.submit(workspace, "count", "Count", {"steps": 3}))
    assert (job.state, job.kind, job.title, job.arguments) == (
        JobState.QUEUED,
        "count",
        "Count",
        {"steps": 3},
    )
    assert (job.done, job.total, job.stages, job.attempts) == (0, 0, [], 0)


def test_an_absent_job_is_said(workspace):
    with pytest.raises(WorkspaceError, match="no job 7"):
        jobs.get_job(workspace, 7)


def test_jobs_are_listed_newest_first_and_by_state(workspace):
    first, second = make(workspace), make(workspace, JobState.DONE)
    assert [job.id for job in jobs.list_jobs(workspace)] == [second, first]
    assert [job.id for job in jobs.list_jobs(workspace, JobState.QUEUED, JobState.RUNNING)] == [first]


def test_a_waiting_job_is_cancelled_at_once(workspace):
    job_id = make(workspace)
    jobs.cancel(workspace, job_id)
    job = jobs.get_job(workspace, job_id)
    assert job.state == JobState.CANCELLED and job.finished is not None
    assert not jobs.scratch_path(workspace, job_id).exists()


def test_a_running_job_is_asked_once(workspace):
    job_id = make(workspace, JobState.RUNNING)
    jobs.cancel(workspace, job_id)
    asked = jobs.get_job(workspace, job_id).cancel_requested
    jobs.cancel(workspace, job_id)
    job = jobs.get_job(workspace, job_id)
    assert job.state == JobState.RUNNING and job.cancel_requested == asked is not None
    assert jobs.scratch_path(workspace, job_id).exists()


@pytest.mark.parametrize("state", [JobState.INTERRUPTED, JobState.FAILED])
def test_resume_queues_again_and_keeps_the_checkpoints(workspace, state):
    job_id = make(workspace, state, done=2, total=3, message="ended", pid=1, process_started=1.0)
    jobs.resume(workspace, job_id)
    job = jobs.get_job(workspace, job_id)
    assert (job.state, job.done, job.message, job.pid) == (JobState.QUEUED, 0, "", None)
    assert jobs.scratch_path(workspace, job_id).exists()


@pytest.mark.parametrize("state", [JobState.DONE, JobState.CANCELLED, JobState.RUNNING])
def test_what_cannot_be_resumed_or_discarded_stays_as_it_is(workspace, state):
    job_id = make(workspace, state)
    jobs.resume(workspace, job_id)
    jobs.discard(workspace, job_id)
    assert jobs.get_job(workspace, job_id).state == state


def test_discard_deletes_the_checkpoints(workspace):
    job_id = make(workspace, JobState.INTERRUPTED)
    jobs.discard(workspace, job_id)
    assert jobs.get_job(workspace, job_id).state == JobState.CANCELLED
    assert not jobs.scratch_path(workspace, job_id).exists()


def test_the_log_is_read_from_its_end(workspace):
    job_id = make(workspace)
    assert jobs.read_log(workspace, job_id) == ""
    jobs.log_path(workspace, job_id).write_bytes(b"one\ntwo\nthr\xffe\n")
    assert jobs.read_log(workspace, job_id, tail=2) == "two\nthr\N{REPLACEMENT CHARACTER}e\n"
