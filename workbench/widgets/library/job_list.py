"""Jobs on the page Library: batches in line for scoring, unfinished jobs and those that ended lately, of all people."""

from collections.abc import Callable
from html import escape

import streamlit as st

from workbench.inspections.background_scorer import ScoringState
from workbench.inspections.turns import rows
from workbench.inspections.turns.rows import Work
from workbench.jobs.requests import UNFINISHED, JobState, cancel, discard, list_jobs, read_log, resume
from workbench.people.roles import Role
from workbench.storage.tables import Job
from workbench.widgets.shared import access, job_view, notice, progress, revision_guard, session, wording
from workbench.widgets.shared.scoring import words as scoring_words

POLL_SECONDS = 2.0
LATEST = 12  # of those that ended
STATES = {
    JobState.QUEUED: "… waiting",
    JobState.RUNNING: "● running",
    JobState.DONE: "✓ done",
    JobState.FAILED: "! failed",
    JobState.CANCELLED: "– cancelled",
    JobState.INTERRUPTED: "! interrupted",
}
LOOKS = {JobState.RUNNING: "pc-accent", JobState.DONE: "pc-mute", JobState.CANCELLED: "pc-mute"}


def show() -> None:
    """Draw the batches in line, the unfinished jobs, then the latest that ended."""
    here = session.workspace()
    scorer = session.scorer()
    moving = list_jobs(here, JobState.QUEUED, JobState.RUNNING, standing=False) or scorer.list_waiting()

    @session.fragment(run_every=POLL_SECONDS if moving else None)
    def follow() -> None:
        unfinished = list_jobs(here, *UNFINISHED, standing=False)
        ended = list_jobs(
            here, JobState.FAILED, JobState.DONE, JobState.CANCELLED, limit=LATEST, standing=False
        )
        waiting = scorer.list_waiting()
        if moving and not waiting and not any(job.state != JobState.INTERRUPTED for job in unfinished):
            st.rerun()  # nothing moves any more: the sidebar and the shelf have news
        for work, title in rows.titles(here, waiting).items():
            _scoring(work, title, waiting[work])
        if not unfinished and not ended and not waiting:
            st.info("Nothing was started yet. Builds and measurements of all people show here.")
        for job in [*unfinished, *ended]:
            _line(job)

    follow()


def _scoring(work: Work, title: str, state: ScoringState) -> None:
    amount = rows.amount(session.workspace(), [work])
    key = f"{work[0]}_{work[1]}"
    with (
        st.container(border=True, key=f"panel_scoring_{key}"),
        st.container(horizontal=True, vertical_alignment="center"),
    ):
        text = session.sentence(scoring_words.line(f"Scoring {title}:", amount, state))
        st.progress(progress.share(amount.scored, amount.images), text=text, width="stretch")
        if access.button("Stop", Role.OPERATE, key=f"stop_scoring_{key}", help="What is scored stays."):
            with revision_guard.attempt():
                session.scorer().halt(*work)
            st.rerun()


def _line(job: Job) -> None:
    with st.container(border=True, key=f"panel_job_{job.id}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.html(line_html(job), width="stretch")
            log = st.toggle("Log", key=f"log_{job.id}")
            _actions(job)
        if job.state == JobState.RUNNING:
            st.progress(progress.share(job.done, job.total), text=job_view.line(job))
        if log:
            st.code(read_log(session.workspace(), job.id) or "(empty)", language=None, height=220)


def line_html(job: Job) -> str:
    """Return a job's title, state, person and time, and its message if it did not end well."""
    state = JobState(job.state)
    why = f"<div>{escape(job.message)}</div>" if job.message and state != JobState.DONE else ""
    return (
        f'<div class="pc-state pc-num"><div><b>{escape(job.title)}</b> '
        f'<span class="{LOOKS.get(state, "pc-review")} pc-whole">{STATES[state]}</span></div>'
        f'<div class="pc-mute">{escape(_words(job))}</div>{why}</div>'
    )


def _words(job: Job) -> str:
    when = (
        f"started {wording.moment(job.started)}"
        if job.started
        else f"asked for {wording.moment(job.created)}"
    )
    took = ""
    if job.finished is not None and job.started is not None:
        took = f", took {wording.seconds(max(0.0, (job.finished - job.started).total_seconds()))}"
    return f"{job.made_by}, {when}{took}"


def _actions(job: Job) -> None:
    if job.state in (JobState.QUEUED, JobState.RUNNING):
        stopping = job.cancel_requested is not None
        _action(job, "Stopping" if stopping else "Cancel", cancel, disabled=stopping)
    elif job.state in (JobState.INTERRUPTED, JobState.FAILED):
        _action(job, "Resume", resume, why="Continues after the computed parts.")
        _action(job, "Discard", discard, why="Ends the job and deletes its computed parts.")
    elif (
        job.kind == "build"
        and (job.result or {}).get("version_id")
        and st.button("Look", key=f"look_job_{job.id}")
    ):
        session.open_page("pages/build.py", job=job.id)


def _action(
    job: Job, label: str, action: Callable[..., None], *, disabled: bool = False, why: str | None = None
) -> None:
    access.button(
        label,
        Role.OPERATE,
        key=f"{label.lower()}_{job.id}",
        disabled=disabled,
        help=why,
        on_click=notice.attempt,
        args=(action, job.id),
    )
