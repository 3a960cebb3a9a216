"""Jobs as the pages see them, without any process."""

import pytest

from workbench.jobs import requests
from workbench.jobs.requests import JobState
from workbench.storage.database import WorkspaceError
from workbench.storage.tables import Job


def make(workspace, state=JobState.QUEUED, **values):
    job_id = requests.submit(workspace, "count", "Count", {"steps": 3})
    with workspace.database.write() as session:
        job = session.get(Job, job_id)
        for name, value in {"state": state, **values}.items():
            setattr(job, name, value)
    requests.scratch_path(workspace, job_id).mkdir(parents=True)
    return job_id


def test_a_submitted_job_waits_with_its_arguments(workspace):
    job = requests.get_job(workspace, requests.submit(workspace, "count", "Count", {"steps": 3}))
    assert (job.state, job.kind, job.title, job.arguments) == (
        JobState.QUEUED,
        "count",
        "Count",
        {"steps": 3},
    )
    assert (job.done, job.total, job.stages, job.attempts) == (0, 0, [], 0)


def test_an_absent_job_raises_workspace_error(workspace):
    with pytest.raises(WorkspaceError, match="no job 7"):
        requests.get_job(workspace, 7)


def test_jobs_are_listed_newest_first_and_by_state(workspace):
    first, second = make(workspace), make(workspace, JobState.DONE)
    assert [job.id for job in requests.list_jobs(workspace)] == [second, first]
    assert [job.id for job in requests.list_jobs(workspace, JobState.QUEUED, JobState.RUNNING)] == [first]


def test_a_waiting_job_is_cancelled_at_once(workspace):
    job_id = make(workspace)
    requests.cancel(workspace, job_id)
    job = requests.get_job(workspace, job_id)
    assert job.state == JobState.CANCELLED and job.finished is not None
    assert not requests.scratch_path(workspace, job_id).exists()


def test_a_running_job_is_asked_once(workspace):
    job_id = make(workspace, JobState.RUNNING)
    requests.cancel(workspace, job_id)
    asked = requests.get_job(workspace, job_id).cancel_requested
    requests.cancel(workspace, job_id)
    job = requests.get_job(workspace, job_id)
    assert job.state == JobState.RUNNING and job.cancel_requested == asked is not None
    assert requests.scratch_path(workspace, job_id).exists()


@pytest.mark.parametrize("state", [JobState.INTERRUPTED, JobState.FAILED])
def test_resume_queues_again_and_keeps_the_checkpoints(workspace, state):
    job_id = make(workspace, state, done=2, total=3, message="ended", pid=1, process_started=1.0)
    requests.resume(workspace, job_id)
    job = requests.get_job(workspace, job_id)
    assert (job.state, job.done, job.message, job.pid) == (JobState.QUEUED, 0, "", None)
    assert requests.scratch_path(workspace, job_id).exists()


@pytest.mark.parametrize("state", [JobState.DONE, JobState.CANCELLED, JobState.RUNNING])
def test_a_job_that_cannot_be_resumed_or_discarded_is_unchanged(workspace, state):
    job_id = make(workspace, state)
    requests.resume(workspace, job_id)
    requests.discard(workspace, job_id)
    assert requests.get_job(workspace, job_id).state == state


def test_discard_deletes_the_checkpoints(workspace):
    job_id = make(workspace, JobState.INTERRUPTED)
    requests.discard(workspace, job_id)
    assert requests.get_job(workspace, job_id).state == JobState.CANCELLED
    assert not requests.scratch_path(workspace, job_id).exists()


def test_the_log_is_read_from_its_end(workspace):
    job_id = make(workspace)
    assert requests.read_log(workspace, job_id) == ""
    requests.log_path(workspace, job_id).write_bytes(b"one\ntwo\nthr\xffe\n")
    assert requests.read_log(workspace, job_id, tail=2) == "two\nthr\N{REPLACEMENT CHARACTER}e\n"
