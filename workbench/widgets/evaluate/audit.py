"""The view Good images: the images least like the others first, buttons to keep or remove them, and the undo."""

from collections.abc import Sequence

import streamlit as st

from patchcore.methods import REMOVE
from patchcore.thresholds.operating_point import OperatingPoint
from workbench.evaluation.audit import AuditedImage, audit
from workbench.evaluation.kept_images import keep, kept_images, suggest_again
from workbench.inspections.batches import good_batch, value_range_of
from workbench.inspectors.capabilities import refusal
from workbench.inspectors.versions import (
    NOT_HERE,
    get_version,
    good_images,
    has_good_images,
    list_versions,
    make_current,
)
from workbench.people.roles import Role
from workbench.storage.tables import Batch, Inspector, InspectorVersion
from workbench.tuning.consequences import consequences_of_use
from workbench.widgets.build import good_removal
from workbench.widgets.evaluate import audit_card, images
from workbench.widgets.shared import access, notice, revision_guard, session, wording
from workbench.widgets.shared.scoring import bar

ACROSS = 4
AT_FIRST = 8
STANDS_OUT = 1.5  # times the median, beside:
# Robust standard deviations (Iglewicz and Hoaglin, "How to Detect and Handle Outliers", 1993).
DEVIATIONS = 3.5
LEAST = 2  # good images that must remain
MAPS = bar.Purpose("Making the maps of the good images", "Make the maps of", "The cards show heat then.")
EXPLANATION = (
    "Each good image is compared with what was learned from the others. A bad photograph among the good ones hides "
    "the defects that look like it; it shows here by a high score."
)


def show(inspector: Inspector, version: InspectorVersion, batch: Batch | None = None) -> None:
    """Draw the good images ranked by their scores, and the buttons for the selected ones."""
    notice.show_of(version)
    if not has_good_images(version):
        st.info(NOT_HERE)
        return
    _undo(inspector, version)
    bar.everything_scored([good_batch(session.workspace(), version)], version, "scoring_good", MAPS)
    ranked = audit(session.workspace(), version)
    kept = kept_images(version)
    suggested = [one for one in ranked if one.sha256 not in kept]
    st.markdown(session.sentence(verdict(suggested, len(kept))), help=EXPLANATION)
    if not suggested:
        _again(version, kept)
        return
    count = int(st.session_state.get("audit_count", AT_FIRST))
    chosen = _cards(version, suggested[:count])
    with st.container(horizontal=True, vertical_alignment="center", key="audit_tools"):
        _actions(version, chosen, len(ranked))
        st.space("stretch")
        _again(version, kept)
        if count < len(suggested):
            more = min(AT_FIRST, len(suggested) - count)
            st.button(
                f"Show {more} more", on_click=st.session_state.update, kwargs={"audit_count": count + more}
            )
    results = [one.result for one in ranked if one.result is not None]
    images.show_opened(results, version, OperatingPoint.from_dict(version.operating_point))


def verdict(suggested: Sequence[AuditedImage], kept: int) -> str:
    """Return in a sentence whether one image stands out."""
    if not suggested:
        return f"All {wording.counted(kept, 'good image')} were looked at and kept."
    first = suggested[0]
    if stands_out(first):
        return f"{first.name} scores {first.times_median:.1f} times the median of the good images: look at it first."
    return f"No good image stands out: the highest scores {first.times_median:.1f} times the median."


def stands_out(one: AuditedImage) -> bool:
    """Whether a good image is so unlike the others that it should be looked at."""
    unusual = one.deviations is None or one.deviations > DEVIATIONS
    return one.times_median > STANDS_OUT and unusual


def _cards(version: InspectorVersion, shown: Sequence[AuditedImage]) -> list[AuditedImage]:
    """Draw the images and return those selected."""
    black_white, chosen = value_range_of(version), []
    for start in range(0, len(shown), ACROSS):
        for column, one in zip(st.columns(ACROSS, gap="small"), shown[start : start + ACROSS], strict=False):
            with column, st.container(border=True, key=f"panel_audit_{one.sha256[:16]}", gap="xsmall"):
                st.html(audit_card.html(one, black_white))
                if st.checkbox(session.sentence(one.name), key=f"audit_{version.bank_id}_{one.sha256[:16]}"):
                    chosen.append(one)
                st.button(
                    "Look closely",
                    key=f"look_{version.id}_{one.sha256[:16]}",
                    type="tertiary",
                    disabled=one.result_id is None,
                    on_click=session.choose,
                    args=(images.CHOICE, one.result_id or 0),
                )
    return chosen


def _actions(version: InspectorVersion, chosen: Sequence[AuditedImage], total: int) -> None:
    hashes = [one.sha256 for one in chosen]
    noun = wording.counted(len(chosen), "image") if chosen else "the selected"
    too_many, lack = total - len(chosen) < LEAST, refusal(version, REMOVE)
    if not lack and access.button(
        f"Remove {noun} from the bank",
        Role.ENGINEER,
        type="primary",
        disabled=not chosen or too_many,
        key="audit_remove",
        help="Their patches leave the bank, the other good images are scored without them, and the threshold is set "
        "again by its own rule. The version in use now stays, and you can go back to it.",
    ):
        good_removal.remove(version, hashes)
    if access.button(
        f"Keep {noun}",
        Role.ENGINEER,
        disabled=not chosen,
        key="audit_keep",
        help="They stay among the good images and are not suggested again.",
    ):
        with revision_guard.attempt():
            keep(session.workspace(), version, hashes)
        st.rerun()
    if lack:
        st.caption(lack)
    elif chosen and too_many:
        st.caption("At least two good images must remain in the bank.")


def _undo(inspector: Inspector, version: InspectorVersion) -> None:
    """Offer the version from before images were removed."""
    earlier = _before_removal(version)
    if earlier is None:
        return
    names: list[str] = version.numbers.get("removed", [])
    with st.container(horizontal=True, vertical_alignment="center", key="audit_undo"):
        words = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        st.markdown(f"Removed from the bank: {session.sentence(words)}", width="stretch")
        if access.button(
            "Undo the removal",
            Role.ENGINEER,
            help="Puts the version from before into use again; nothing is computed again.",
        ):
            seen = revision_guard.revision_of(inspector.id)
            found = consequences_of_use(session.workspace(), earlier)
            notice.confirmed_in_force(found, lambda: _use_again(earlier, seen))


def _use_again(earlier: InspectorVersion, seen: int | None) -> None:
    with revision_guard.change(earlier.inspector_id):
        make_current(session.workspace(), earlier.inspector_id, earlier.id, seen=seen)
        session.forget("threshold", "review", images.CHOICE)


def _before_removal(version: InspectorVersion) -> InspectorVersion | None:
    """Return the newest earlier version whose bank holds this bank's images and the removed ones."""
    names = set(version.numbers.get("removed", []))
    if not names:
        return None
    here = session.workspace()
    number = get_version(here, version.bank_id).number
    remaining = {image.sha256 for image in good_images(here, version)}
    for earlier in list_versions(here, version.inspector_id):
        had = {image.sha256: image.name for image in good_images(here, earlier)}
        gone = {name for sha256, name in had.items() if sha256 not in remaining}
        if earlier.number < number and remaining < had.keys() and gone == names:
            return earlier
    return None


def _again(version: InspectorVersion, kept: set[str]) -> None:
    if kept:
        access.button(
            f"Suggest the {wording.count(len(kept))} kept again",
            Role.ENGINEER,
            on_click=lambda: _suggest_again(version),
            key="audit_again",
        )


def _suggest_again(version: InspectorVersion) -> None:
    with revision_guard.attempt():
        suggest_again(session.workspace(), version)
