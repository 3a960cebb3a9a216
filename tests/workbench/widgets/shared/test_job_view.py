"""The line of a job in progress."""

from workbench.jobs.requests import JobState
from workbench.storage.tables import Job
from workbench.widgets.shared.job_view import line


def test_a_stage_at_its_end_has_no_time_left():
    job = Job(state=JobState.RUNNING, stage="coreset", done=1_200, total=1_512, eta_seconds=3.0, stages=[])
    assert line(job) == "Coreset, 1,200/1,512, 3.0 s left in this stage"
    job.done, job.eta_seconds = 1_512, 0.0
    assert line(job) == "Coreset, 1,512/1,512"
