"""The page Build from the moment a build is queued: its progress, and the inspector when it is ready."""

import streamlit as st

from patchcore.methods import SHARE
from patchcore.plausibility.sentences import good_image_remarks
from workbench.inspectors.building import BuildSettings
from workbench.inspectors.capabilities import method_label, refusal
from workbench.inspectors.good_doubts import good_doubts
from workbench.inspectors.versions import find_inspector, good_images
from workbench.jobs.requests import JobState, get_job
from workbench.people.roles import Role
from workbench.storage.tables import InspectorVersion, Job
from workbench.widgets.build import bank_size, draft, line_setters, method_form, settings_form, steps
from workbench.widgets.shared import access, job_view, revision_guard, session, theme, wording


def show(job_id: int) -> None:
    """Draw the closed steps with their choices, and the state of the build."""
    job = get_job(session.workspace(), job_id)
    settings = BuildSettings.from_dict(job.arguments["settings"])
    _closed_steps(settings, len(job.arguments["images"]))
    with st.container(border=True, key="panel_result"):
        if job.state == JobState.DONE and job.result is not None:
            _ready(job)
        elif job.state in (JobState.QUEUED, JobState.RUNNING):
            steps.heading(5, "Building")
            job_view.follow(job_id)
        else:
            steps.heading(5, "Not built")
            job_view.ended_badly(job)


def _closed_steps(settings: BuildSettings, images: int) -> None:
    region = "whole image" if settings.roi is None else "region of interest"
    network = settings_form.network_title(settings.backbone)
    size = f"{settings.image_size} × {settings.image_size} px"
    lines = {
        "Name": settings.name,
        "Good images": wording.counted(images, "image"),
        "What the network sees": f"{settings.geometry} into {size}, {region}",
        "Settings": f"{network}, {method_form.summary(settings)}, seed {settings.seed}",
    }
    with st.container(border=True, key="panel_closed", gap="xsmall"):
        for number, (title, line) in enumerate(lines.items(), start=1):
            steps.heading(number, title, line)


def _ready(job: Job) -> None:
    inspector = find_inspector(session.workspace(), str((job.result or {}).get("inspector_id")))
    if inspector is None or inspector.current is None:
        st.info("This inspector is not in the workspace any more.")
        return
    version = inspector.current
    revision_guard.note(inspector)
    if st.session_state.get("announced") != job.id:
        st.session_state["announced"] = job.id
        if access.may(Role.ENGINEER):
            draft.discard_built(job.id)
        session.use_inspector(inspector.id)
        st.rerun()
    steps.heading(5, "Ready", inspector.name)
    st.html(numbers_html(version))
    for skipped in version.numbers.get("skipped", []):
        st.warning(session.sentence(f"{skipped['name']}: {skipped['reason']}"))
    for remark in version.numbers.get("remarks", []):
        st.info(session.sentence(remark))
    if doubtful := good_image_remarks(_doubtful(version)):
        st.warning(session.sentence(" ".join(doubtful)))
    line_setters.show(version)
    if lack := refusal(version, SHARE):
        st.caption(lack)
    else:
        bank_size.show(version)
    with st.container(horizontal=True):
        if st.button("Inspect images", type="primary"):
            session.open_page("pages/inspect.py", inspector=inspector.id)
        if st.button("Build another"):
            session.forget("job")
            st.rerun()


def _doubtful(version: InspectorVersion) -> list[tuple[str, tuple[str, ...]]]:
    """Return the good images that would themselves be sent to review, with their doubts in words."""
    doubts = good_doubts(version)
    return [
        (image.name, doubts[image.sha256])
        for image in good_images(session.workspace(), version)
        if image.sha256 in doubts
    ]


def numbers_html(version: InspectorVersion) -> str:
    """Return the numbers that the build measured."""
    cover = (
        "Cover radius",
        f"{wording.score(version.cover_radius)} <small>score units</small>",
        "The largest distance from any patch of the good images to its nearest kept patch.",
    )
    return theme.numbers_html(
        [
            (
                method_label(version),
                wording.learned(version),
                "What was learned from the good images, with which images are compared.",
            ),
            *([] if refusal(version, SHARE) else [cover]),
            ("Memory", wording.megabytes(version.megabytes), "What was learned, while inspecting."),
            ("Build took", wording.seconds(float(version.numbers.get("seconds", 0.0))), ""),
        ]
    )
