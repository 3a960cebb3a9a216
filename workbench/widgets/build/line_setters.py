"""The good images that set the threshold of a new inspector, each with the place that decides, and what is seen."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from patchcore.errors import PatchCoreError
from patchcore.images.geometry import Geometry
from patchcore.images.visible_detail import VisibleDetail
from patchcore.methods import REMOVE
from patchcore.thresholds.operating_point import OperatingPoint
from patchcore.thresholds.rules import is_good_only
from workbench.evaluation.audit import AuditedImage, audit, threshold_without
from workbench.inspectors.capabilities import refusal
from workbench.inspectors.versions import has_good_images, load_model
from workbench.people.roles import Role
from workbench.storage.tables import InspectorVersion
from workbench.widgets.build import good_removal
from workbench.widgets.shared import access, notice, session, wording
from workbench.widgets.shared.pictures import frame_style, name_html, thumbnail_tag

SETTERS = 2
LEAST = 2  # good images that must remain
AUDIT = "Good images"  # the view of Evaluate that shows all of them


def show(version: InspectorVersion) -> None:
    """Draw the good images of the highest scores, the buttons to look closer or leave them out, and what is seen."""
    notice.show_of(version)
    if detail := visible_detail(version):
        st.caption(session.sentence(detail))
    point = OperatingPoint.from_dict(version.operating_point)
    ranked = audit(session.workspace(), version)
    setters = ranked[:SETTERS]
    if not has_good_images(version) or point.stale or not is_good_only(point.rule) or not setters:
        return
    both = "This good image sets" if len(setters) == 1 else "These two good images set"
    st.markdown(f"**{both} the line. Look at {'it' if len(setters) == 1 else 'them'}.**")
    st.caption(
        "The threshold follows the good images that are least like the others. A bad photograph or a defect among them "
        "lets such defects pass."
    )
    for column, one in zip(st.columns(4, gap="small"), setters, strict=False):
        with column, st.container(border=True, key=f"panel_setter_{one.sha256[:16]}", gap="xsmall"):
            st.html(_card(version, one))
            _leave_out(version, [one], len(ranked), f"leave_out_{one.sha256[:16]}", "Leave it out")
    with st.container(horizontal=True, vertical_alignment="center", key="setters_tools"):
        if st.button("Look closer at all good images", key="look_at_good"):
            open_audit(version)
        if len(setters) > 1:
            _leave_out(version, setters, len(ranked), "leave_out_setters", "Leave both out")
        st.caption(session.sentence(effect(version, setters)), width="stretch")
    if lack := refusal(version, REMOVE):
        st.caption(lack)


def effect(version: InspectorVersion, without: Sequence[AuditedImage]) -> str:
    """Return in a sentence how the threshold would change without some good images."""
    reject = OperatingPoint.from_dict(version.operating_point).reject
    after = threshold_without(version, {one.sha256 for one in without})
    if after is None:
        return "Without them too few good images remain for the rule of the threshold."
    who = "this one" if len(without) == 1 else "these two" if len(without) == 2 else f"these {len(without)}"
    if after == reject:
        return f"Without {who} the threshold stays at {wording.score(reject)}."
    return f"Without {who} the threshold falls from {wording.score(reject)} to about {wording.score(after)}."


def visible_detail(version: InspectorVersion) -> str:
    """Return in a sentence the smallest defect that an inspector sees; empty where its file cannot be read."""
    try:
        model = load_model(session.workspace(), version)
    except PatchCoreError:
        return ""
    record = model.image_records_[0]
    size, geometry = int(version.settings["image_size"]), version.settings["geometry"]
    step = size / model.grid_[0]
    return VisibleDetail.of((record.width, record.height), Geometry(geometry, size), step).sentence


def open_audit(version: InspectorVersion) -> None:
    """Go to all good images, ranked."""
    session.open_page("pages/evaluate.py", inspector=version.inspector_id, view=AUDIT)


def _leave_out(
    version: InspectorVersion, images: Sequence[AuditedImage], total: int, key: str, label: str
) -> None:
    if refusal(version, REMOVE):
        return
    if access.button(
        label,
        Role.ENGINEER,
        key=key,
        disabled=total - len(images) < LEAST,
        help=f"{effect(version, images)} The other good images are scored again, and the version in use now stays: the "
        "removal can be undone among the good images on Evaluate.",
    ):
        good_removal.remove(version, [one.sha256 for one in images])


def _card(version: InspectorVersion, one: AuditedImage) -> str:
    here = session.workspace()
    picture = thumbnail_tag(here, one.sha256, one.name)
    place = _worst_place(str(here.root), version.bank_id, version.share, one.sha256, version)
    mark = "" if place is None else f'<i style="{frame_style(*place)}" title="the place that decides"></i>'
    times = f"{one.times_median:.1f} × the median good image"
    return (
        f'<div class="pc-audit pc-num"><figure style="grid-column: 1 / -1">{picture}{mark}</figure>'
        f'<p><b>{wording.score(one.score)}</b> <span class="pc-mute">{times}</span>'
        f"{name_html(one.name)}</p></div>"
    )


@st.cache_data(show_spinner="Looking for the place that decides", max_entries=64)
def _worst_place(
    root: str, bank: int, share: float, sha256: str, _version: InspectorVersion
) -> tuple[tuple[int, int, int, int], int, int] | None:
    """Return the worst patch's box in a good image, and the image's width and height; None where it cannot be read."""
    here = session.workspace()
    try:
        path: Path = here.image_path(sha256)
        result = load_model(here, _version).score(path, leave_out=True)
    except PatchCoreError:
        return None
    x0, y0, x1, y1 = result.worst_box
    return (x0, y0, x1, y1), result.record.width, result.record.height
