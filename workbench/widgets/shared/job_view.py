"""A build in progress: its stages, a bar, the time left, cancel; found again after a reload by the job's row."""

from html import escape

import streamlit as st

from workbench.jobs.requests import UNFINISHED, JobState, cancel, discard, get_job, read_log, resume
from workbench.people.roles import Role
from workbench.storage.tables import Job
from workbench.widgets.shared import access, progress, revision_guard, session, wording

POLL_SECONDS = 0.5


def follow(job_id: int) -> None:
    """Draw a job that has not ended; redraw the page when it ends."""

    @session.fragment(run_every=POLL_SECONDS)
    def draw() -> None:
        job = get_job(session.workspace(), job_id)
        if job.state not in (JobState.QUEUED, JobState.RUNNING):
            st.rerun()
        st.html(_stages_html(job))
        st.progress(progress.share(job.done, job.total), text=line(job))
        stopping = job.cancel_requested is not None
        words = "Stopping" if stopping else "Cancel"
        if access.button(words, Role.OPERATE, key=f"cancel_{job_id}", disabled=stopping):
            with revision_guard.attempt():
                cancel(session.workspace(), job_id)
            st.rerun()

    draw()


def ended_badly(job: Job) -> None:
    """Say why a job ended without a result, and offer what can be done."""
    here = session.workspace()
    if job.state == JobState.CANCELLED:
        st.info("The build was cancelled. Nothing of it was kept.")
    else:
        st.error(session.sentence(job.message or "The build ended before it was done."))
        with st.expander("Log of the build"):
            st.code(read_log(here, job.id) or "(empty)", language=None)
    with st.container(horizontal=True):
        if job.state in (JobState.INTERRUPTED, JobState.FAILED):
            if access.button(
                "Resume", Role.OPERATE, type="primary", help="Continues after the computed parts."
            ):
                with revision_guard.attempt():
                    resume(here, job.id)
                st.rerun()
            if job.state in UNFINISHED and access.button("Discard", Role.OPERATE):
                with revision_guard.attempt():
                    discard(here, job.id)
                st.rerun()
        if st.button("Back to the steps"):
            session.forget("job")
            st.rerun()


def line(job: Job) -> str:
    """Return how far a job is, in words."""
    if job.state == JobState.QUEUED:
        return "Waiting for its turn"
    words = [session.sentence((job.stage or "starting").capitalize())]
    if job.total:
        words.append(f"{wording.count(job.done)}/{wording.count(job.total)}")
    if job.eta_seconds is not None and job.eta_seconds > 0:  # the last figure of a stage outlasts its end
        words.append(f"{wording.seconds(job.eta_seconds)} left in this stage")
    return ", ".join(words)


def _stages_html(job: Job) -> str:
    """Return the stages that are done, each with its time, and the present one."""
    done = [
        f'<span class="pc-accept">✓ {escape(str(stage["name"]))} '
        f'<span class="pc-mute">{wording.seconds(float(stage["seconds"]))}</span></span>'
        for stage in job.stages
    ]
    if job.state == JobState.RUNNING and job.stage:
        done.append(f'<span class="pc-accent">● {escape(job.stage)}</span>')
    return f'<div class="pc-counts pc-num">{"".join(done) or "&nbsp;"}</div>'
