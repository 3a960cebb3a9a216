"""The sidebar: the inspector in use, the page list, the job in progress, and where the workspace lives."""

from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Any

import streamlit as st

from patchcore.thresholds.operating_point import OperatingPoint
from workbench.inspections.turns import rows
from workbench.inspectors.capabilities import method_label
from workbench.inspectors.versions import list_inspectors
from workbench.jobs.requests import UNFINISHED, JobState, list_jobs
from workbench.storage.tables import Inspector, InspectorVersion, Job
from workbench.watching.standing import WatchState, list_watches
from workbench.widgets.frame import sign_in
from workbench.widgets.shared import progress, revision_guard, session, wording
from workbench.widgets.shared.pictures import thumbnail_tag
from workbench.widgets.shared.scoring import words as scoring_words
from workbench.widgets.shared.watch_state import sign, watched_name

POLL_SECONDS = 2.0
SCORINGS_SHOWN = 3


def show(pages: Sequence[Any], here: Any) -> None:
    """Draw the sidebar.

    Parameters
    ----------
    pages
        The `st.Page` objects, in the order of the list.
    here
        The one that is open.
    """
    inspector = session.inspector_in_use()
    if inspector is not None:
        revision_guard.note(inspector)
    with st.sidebar:
        st.html('<div class="pc-brand">PatchCore inspection</div>')
        with st.container():
            _inspector(inspector)
        address = None if inspector is None else {"inspector": inspector.id}
        with st.container(key="page_list"):
            for page in pages:
                with st.container(key="page_here" if page.url_path == here.url_path else None):
                    st.page_link(page, width="stretch", query_params=address)
        with st.container():
            if inspector is not None and inspector.current is not None:
                st.html(_facts(inspector.current))
        with st.container():
            _jobs()
        sign_in.show_person()
        st.caption(f"Workspace {session.sentence(_short(str(session.workspace().root)))}")


def _inspector(inspector: Inspector | None) -> None:
    if inspector is None or inspector.current is None:
        st.html(
            '<div class="pc-inspector"><div class="pc-blank"></div><div><b>No inspector yet</b>'
            '<span class="pc-mute">open the sample or build one</span></div></div>'
        )
        return
    st.html(_card(inspector, inspector.current))
    inspectors = list_inspectors(session.workspace())
    others = wording.distinct(
        {one.id: one.name for one in inspectors}, {one.id: wording.moment(one.created) for one in inspectors}
    )
    if len(others) > 1:
        key = f"inspector_of_{inspector.id}"
        st.selectbox(
            "Change inspector",
            list(others),
            index=list(others).index(inspector.id),
            format_func=lambda one: others.get(one, one),
            key=key,
            on_change=lambda: session.use_inspector(st.session_state[key]),
            label_visibility="collapsed",
        )


def _card(inspector: Inspector, version: InspectorVersion) -> str:
    picture = thumbnail_tag(session.workspace(), version.thumbnail_sha256)
    facts = f"{method_label(version)}, {wording.learned(version)}"
    return (
        f'<div class="pc-inspector">{picture}<div><b>{escape(inspector.name)}</b>'
        f'<span class="pc-mute pc-num">{facts}</span></div></div>'
    )


def _facts(version: InspectorVersion) -> str:
    point = OperatingPoint.from_dict(version.operating_point)
    lines = [f"Threshold <b>{wording.score(point.reject)}</b>", escape(wording.rule(point))]
    if point.accept < point.reject:
        lines.insert(1, f"review above <b>{wording.score(point.accept)}</b>")
    if not point.picture_check:
        lines.append("whole picture not checked")
    if point.stale:
        lines.append('<span class="pc-review">! out of date, set it again</span>')
    else:
        lines.append(f"since {wording.moment(datetime.fromisoformat(point.recalibrated_at or point.set_at))}")
    title = escape(point.statement)
    return f'<div class="pc-facts pc-mute pc-num" title="{title}">{"<br>".join(lines)}</div>'


def _jobs() -> None:
    """Show the jobs in progress, the batches that are scored, and the folders that are watched."""
    active = list_jobs(session.workspace(), *UNFINISHED, limit=3, standing=False)
    moving = (
        any(job.state != JobState.INTERRUPTED for job in active)
        or bool(session.scorer().list_waiting())
        or bool(list_watches(session.workspace()))
    )

    @session.fragment(run_every=POLL_SECONDS if moving else None)
    def follow() -> None:
        here = session.workspace()
        for job in reversed(list_jobs(here, *UNFINISHED, limit=3, standing=False)):
            _job(job)
        _scorings()
        watched = "".join(_watch(state) for state in list_watches(here))
        if watched:
            st.html(f'<div class="pc-watches pc-facts pc-mute pc-num">{watched}</div>')

    follow()


def _job(job: Job) -> None:
    words = f"{job.title}: {job.stage or job.state}"
    count = f" {wording.count(job.done)}/{wording.count(job.total)}" if job.total else ""
    st.progress(progress.share(job.done, job.total), text=f"{session.sentence(words)}{count}")


def _scorings() -> None:
    """Draw the batches in the scorer's queue, the first in line first."""
    here, waiting = session.workspace(), session.scorer().list_waiting()
    titles = rows.titles(here, list(waiting)[:SCORINGS_SHOWN]) if waiting else {}
    for work, title in titles.items():
        amount = rows.amount(here, [work])
        line = scoring_words.line(f"{title}:", amount, waiting[work])
        st.progress(progress.share(amount.scored, amount.images), text=session.sentence(line))
    if len(waiting) > SCORINGS_SHOWN:
        st.caption(f"and {wording.counted(len(waiting) - SCORINGS_SHOWN, 'batch', 'batches')} more in line")


def _watch(state: WatchState) -> str:
    """Return a watched folder as a line; a bar would never be full."""
    title = f"{state.folder}, judged by {state.inspector_name}"
    line = f"{sign(state)} {escape(watched_name(state))}, {wording.count(state.today)} today"
    return f'<div title="{escape(title)}">{line}</div>'


def _short(path: str) -> str:
    return path if len(path) <= 60 else f"…{path[-58:]}"
