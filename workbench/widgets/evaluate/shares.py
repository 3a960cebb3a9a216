"""The view Bank size: the measures of every share of the bank, and the button that puts a share into use."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

from patchcore.methods import SHARE
from patchcore.thresholds.operating_point import OperatingPoint
from workbench.evaluation.sweep import latest_sweep, start_sweep, sweeps
from workbench.inspectors.capabilities import refusal
from workbench.inspectors.versions import reslice, share_numbers
from workbench.jobs.requests import JobState
from workbench.people.roles import Role
from workbench.storage.tables import Batch, Inspector, InspectorVersion, Job
from workbench.widgets.build import bank_size
from workbench.widgets.evaluate import share_charts
from workbench.widgets.shared import (
    access,
    job_view,
    notice,
    progress,
    revision_guard,
    session,
    theme,
    wording,
)

CHOICE = "size"  # name of the chosen share, in the address
SAME = 5e-4  # shares closer than this, relatively, are one bank
EXPLANATION = (
    "A smaller bank is faster and takes less memory; past some point it finds less. One pass over this set measures "
    "every size, because the smaller banks are parts of the larger ones."
)
COLUMNS = {
    "Bank size": "Share of all patches of the good images that the inspector compares with.",
    "Patches": "",
    "Image AUROC": "The chance that a defect scores above a good part: 1 is perfect.",
    "Pixel AUROC": "The chance that a marked pixel scores above an unmarked one: 1 is perfect.",
    "AUPRO": "How much of each marked region is found, up to 30 % of good pixels called defective.",
    "Threshold": "Set again for each size by the rule in force.",
    "Cover radius": "The largest distance from any patch of the good images to its nearest kept patch.",
    "Memory": "Of the bank while inspecting.",
    "Time per image": "To score one image on this computer, once it is read.",
}

Row = Mapping[str, Any]


def show(inspector: Inspector, version: InspectorVersion, batch: Batch) -> None:
    """Draw the button that starts the sweep, its progress, or its result."""
    notice.show_of(version)
    if lack := refusal(version, SHARE):
        st.info(lack)
        return
    job = next(iter(sweeps(session.workspace(), version, batch.id)), None)
    if job is not None and job.state in (JobState.QUEUED, JobState.RUNNING):
        job_view.follow(job.id)
        return
    sweep = latest_sweep(session.workspace(), version, batch.id)
    if not sweep:
        _begin(version, batch, "Compare bank sizes", primary=True)
        _why_not(job)
        return
    chosen = _chosen(sweep, version)
    share_charts.show(
        sweep, version.share, chosen, partial(session.choose, CHOICE), f"sizes_{version.bank_id}_{batch.id}"
    )
    st.caption("Click a point to choose that size. Solid line: the size chosen; dashed: the size in use.")
    _pick(sweep, chosen)
    with st.container(border=True, key="panel_size", width=620):
        _change(version, chosen)
    st.html(table_html(sweep, version.share, chosen))
    _reasons(sweep)
    _begin(version, batch, "Measure again", primary=False)


def table_html(sweep: Sequence[Row], in_use: float, chosen: float) -> str:
    """Return all sizes as a table; the chosen one stands out and the one in use is named."""
    head = [theme.meaning_html(name, meaning, underlined=False) for name, meaning in COLUMNS.items()]
    place = next((place for place, point in enumerate(sweep) if _same(point["share"], chosen)), None)
    table = theme.table_html(
        (_cells(point, in_use) for point in sweep),
        head,
        look="pc-num pc-rows",
        right=range(len(head)),
        chosen=place,
    )
    return f'<div class="pc-scroll">{table}</div>'


def _cells(point: Row, in_use: float) -> list[str]:
    here = ' <span class="pc-accent">in use</span>' if _same(point["share"], in_use) else ""
    return [
        f'<span class="pc-whole"><b>{wording.share(point["share"])}</b>{here}</span>',
        wording.count(point["rows"]),
        _measure(point["image"]["auroc"]),
        _measure(point["pixels"]["auroc"]),
        _measure(point["pixels"]["aupro"]),
        wording.score(point["threshold"]),
        wording.score(point["cover_radius"]),
        wording.megabytes(point["megabytes"]),
        "–" if point["milliseconds"] is None else wording.seconds(point["milliseconds"] / 1000),
    ]


def _begin(version: InspectorVersion, batch: Batch, label: str, *, primary: bool) -> None:
    if primary:
        st.markdown(EXPLANATION)
    if access.button(label, Role.ENGINEER, type="primary" if primary else "secondary", key="start_sweep"):
        with revision_guard.attempt():
            start_sweep(session.workspace(), version, batch.id)
        st.rerun()


def _pick(sweep: Sequence[Row], chosen: float) -> None:
    shares = [point["share"] for point in sweep]
    st.session_state["size_choice"] = min(shares, key=lambda share: abs(share - chosen))
    st.segmented_control(
        "Bank size, share of all patches",
        shares,
        format_func=wording.share,
        key="size_choice",
        required=True,
        on_change=lambda: session.choose(CHOICE, float(st.session_state["size_choice"])),
        help="Choose a size here or click a point of a chart; nothing changes until you press the button below.",
    )


def _change(version: InspectorVersion, share: float) -> None:
    """Show the numbers at the chosen size, and the button that puts it into use."""
    numbers = share_numbers(session.workspace(), version, share)
    st.html(bank_size.table_html(version, numbers))
    same = numbers.patches == version.patches
    st.caption(
        "This size is in use."
        if same
        else "The set is scored again with the new bank; the threshold follows by its "
        "own rule in the same step."
    )
    if bank_size.use_button(share, same, key="use_size"):
        _put_into_use(version, share)


def _put_into_use(version: InspectorVersion, share: float) -> None:
    note = f"bank size {wording.share(share)}"
    with (
        progress.bar("Setting the threshold again") as move,
        revision_guard.change(version.inspector_id) as revision,
    ):
        after = reslice(session.workspace(), version, share, note, move, seen=revision)
        session.forget("threshold", "review")
        before_point, after_point = (
            OperatingPoint.from_dict(one.operating_point) for one in (version, after)
        )
        notice.leave(
            after,
            f"The bank is at {wording.share(after.share)} now. The threshold was set again by its rule "
            f"({wording.rule(after_point)}): {wording.score(before_point.reject)} became "
            f"{wording.score(after_point.reject)}.",
        )
    st.rerun()


def _chosen(sweep: Sequence[Row], version: InspectorVersion) -> float:
    """Return the share that is chosen, as the sweep has it; the one in use at first."""
    chosen = session.chosen_amount(CHOICE)
    wanted = version.share if chosen is None else chosen
    return min((float(point["share"]) for point in sweep), key=lambda share: abs(share - wanted))


def _reasons(sweep: Sequence[Row]) -> None:
    """Say once why numbers are missing."""
    reasons = [point.get("reason") for point in sweep]
    reasons += [point["image"].get("auroc_undefined") for point in sweep]
    reasons += [point["pixels"].get("auroc_undefined") for point in sweep]
    for reason in dict.fromkeys(one for one in reasons if one):
        st.caption(f"– {session.sentence(str(reason))}")


def _why_not(job: Job | None) -> None:
    """Say why the last sweep has no result."""
    if job is None or job.state == JobState.DONE:
        return
    if job.state == JobState.CANCELLED:
        st.caption("The last comparison was cancelled.")
    else:
        st.error(
            session.sentence(job.message or "The last comparison ended before it was done. Start it again.")
        )


def _measure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _same(first: float, second: float) -> bool:
    return abs(first - second) <= SAME * second
