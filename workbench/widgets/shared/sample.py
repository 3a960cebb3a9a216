"""The sample product: an invitation for the first visit, and the button that opens it built and scored."""

from html import escape
from pathlib import Path

import streamlit as st

from patchcore.images.reading import list_images
from workbench.inspections.samples import (
    SampleProduct,
    list_samples,
    sample_batch,
    submit_sample,
)
from workbench.inspectors.versions import find_inspector
from workbench.jobs.requests import UNFINISHED, JobState, get_job
from workbench.people.roles import Role
from workbench.storage.database import WorkspaceError, WorkspaceUnavailable
from workbench.storage.tables import Inspector, InspectorVersion, Job
from workbench.upkeep.bin import bring_back, list_bin
from workbench.widgets.shared import access, session, theme, wording
from workbench.widgets.shared.progress import share

POLL_SECONDS = 0.5
# In the session: somebody has pressed the button, and the build that the page waits for.
ASKED, JOB = "sample_asked", "sample_job"


def open_button(*, primary: bool = False) -> None:
    """Offer the sample product; `progress` then builds it when needed and goes to its test images."""
    samples = list_samples()
    if not samples:
        return
    built = find_inspector(session.workspace(), samples[0].inspector_id) is not None
    if access.button(
        "Open the sample product",
        Role.VIEW if built else Role.ENGINEER,
        type="primary" if primary else "secondary",
        key="open_sample",
    ):
        st.session_state[ASKED] = True


def progress() -> None:
    """Follow the build of the sample that this session has asked for, then open its test images.

    An address alone, such as a link from elsewhere, follows a running build and starts nothing.
    """
    samples = list_samples()
    if samples and ASKED in st.session_state:
        _open(samples[0])
    elif samples and (job_id := session.chosen_number(JOB)) is not None:
        _follow(samples[0], job_id)


def inspector_or_stop(page: str, explanation: str) -> tuple[Inspector, InspectorVersion]:
    """Return the inspector in use and its version; without one, say what to do first and end the page."""
    inspector = session.inspector_in_use()
    if inspector is None or inspector.current is None:
        theme.page_title(page, explanation)
        nothing_yet(page)
        st.stop()
    return inspector, inspector.current


def nothing_yet(page: str) -> None:
    """Say on a page that needs an inspector what to do first."""
    with st.container(border=True, key="panel_nothing_yet"):
        st.markdown(
            f"**{page} works on an inspector, and there is none yet.** Build one, or open the sample."
        )
        with st.container(horizontal=True):
            if st.button("Build an inspector", type="primary"):
                session.open_page("pages/build.py")
            open_button()
        progress()


def invitation() -> None:
    """Describe the sample, and how long it takes to open."""
    for sample in list_samples()[:1]:
        st.subheader(f"Begin with a sample: {sample.title.lower()}")
        good, test = (
            len(list_images(sample.folder / "train" / "good")),
            len(list_images(sample.folder / "test")),
        )
        st.markdown(
            f"{good} photographs of good parts to learn from and {test} to inspect, good and defective, are on this "
            "computer. Pressing the button builds the inspector, well within a minute, and scores the test images."
        )


def pictures() -> None:
    """Show a good part and two defective ones."""
    for sample in list_samples()[:1]:
        st.html(_pictures(str(sample.folder)))


def _open(sample: SampleProduct) -> None:
    inspector = find_inspector(session.workspace(), sample.inspector_id)
    if inspector is not None:
        _go(sample, inspector.id)
    if JOB not in st.session_state:
        session.choose(JOB, submit_sample(session.workspace(), sample))
    _follow(sample, int(st.session_state[JOB]))


def _follow(sample: SampleProduct, job_id: int) -> None:
    """Show the progress of a build of the sample, and redraw the page when it has ended."""

    @session.fragment(run_every=POLL_SECONDS)
    def follow() -> None:
        job = _build_of(sample, job_id)
        if job is None or job.state == JobState.DONE:
            session.forget(JOB)
            st.rerun()
        if job.state not in UNFINISHED:
            session.forget(JOB)
            st.session_state.pop(ASKED, None)
            st.error(session.sentence(job.message or "The sample could not be built."))
            return
        steps = f" {wording.count(job.done)}/{wording.count(job.total)}" if job.total else ""
        st.progress(
            share(job.done, job.total),
            text=f"Building the sample: {session.sentence(job.stage or job.state)}{steps}",
        )

    follow()


def _build_of(sample: SampleProduct, job_id: int) -> Job | None:
    """Return a job if it builds the sample, else None: an address may name any number."""
    try:
        job = get_job(session.workspace(), job_id)
    except WorkspaceUnavailable:
        raise
    except WorkspaceError:
        return None
    is_its = job.kind == "build" and job.arguments.get("inspector_id") == sample.inspector_id
    return job if is_its else None


def _go(sample: SampleProduct, inspector_id: str) -> None:
    session.forget(JOB)
    st.session_state.pop(ASKED, None)
    for binned in list_bin(session.workspace()):
        if binned.key == inspector_id:
            bring_back(session.workspace(), binned)
    inspector = find_inspector(session.workspace(), inspector_id)
    batch_id = sample_batch(session.workspace(), sample, inspector_id)
    if inspector is not None and inspector.current_id is not None:
        session.scorer().want(batch_id, inspector.current_id)
    session.open_page("pages/inspect.py", inspector=inspector_id, batch=batch_id)


@st.cache_data(show_spinner=False)
def _pictures(folder: str) -> str:
    """Return a good part, a defective one and the truth about it, as HTML."""
    root = Path(folder)
    good = next(iter(list_images(root / "train" / "good")), None)
    defects = [path for path in sorted((root / "test").iterdir()) if path.name != "good" and path.is_dir()]
    shown = [(good, "good: what it learns from")]
    shown += [
        (next(iter(list_images(one)), None), f"{one.name.replace('_', ' ')}: to be found")
        for one in defects[:2]
    ]
    figures = [
        f'<figure><img src="{theme.data_uri(path.read_bytes(), path.suffix[1:])}" alt="">'
        f"<figcaption>{escape(words)}</figcaption></figure>"
        for path, words in shown
        if path is not None
    ]
    return f'<div class="pc-invite">{"".join(figures)}</div>'
