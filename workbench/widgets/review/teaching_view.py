"""Teaching on a page: the preview of its changes, the images taught last, and the undo."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from patchcore.methods import TEACH
from workbench.inspectors.capabilities import refusal
from workbench.people.roles import Role
from workbench.storage.tables import InspectorVersion, Result
from workbench.tuning.consequences import consequences_of_use
from workbench.tuning.teaching import (
    can_undo,
    keep_teaching,
    named,
    taught_names,
    undo_teaching,
    version_before,
)
from workbench.tuning.teaching_preview import TeachingPreview, preview_teaching
from workbench.widgets.shared import (
    access,
    progress,
    revision_guard,
    session,
    theme,
    verdict_changes,
    wording,
)
from workbench.widgets.shared.notice import confirmed_in_force

CHOICE = "teach"  # ids of the results that are to be taught, in the address, so that a reload asks again
PREVIEW = "teach_preview"


def may_teach(version: InspectorVersion) -> bool:
    """Whether the person may teach, and the version's method can be taught."""
    return access.may(Role.ENGINEER) and not refusal(version, TEACH)


def ask(results: Sequence[Result]) -> None:
    """Have the page show what teaching these images would change."""
    session.choose(CHOICE, ",".join(str(result.id) for result in results))
    st.session_state.pop(PREVIEW, None)


def asked() -> list[int]:
    """Return the ids of the results that are to be taught."""
    parts = (session.chosen(CHOICE) or "").split(",")
    return [int(part) for part in parts if part.isascii() and part.isdecimal()]


def forget() -> None:
    """Teach nothing."""
    session.forget(CHOICE)
    st.session_state.pop(PREVIEW, None)


def show(version: InspectorVersion, results: Sequence[Result]) -> None:
    """Draw the preview for the results that were asked for, with the button that keeps it."""
    wanted = set(asked())
    chosen = [result for result in results if result.id in wanted]
    if not chosen:
        return
    with st.container(border=True, key="panel_teach"):
        preview = _preview(version, chosen)
        if preview is None:
            st.button("Close", key="teach_close", on_click=forget)
            return
        st.markdown(f"**Teach {session.sentence(named([one.image.name for one in chosen]))}**")
        st.html(_numbers(preview))
        _hand(preview)
        say = st.error if preview.escapes else st.warning if preview.loses_rejections else st.info
        say(session.sentence(preview.sentence()))
        if preview.changes:
            st.html(verdict_changes.cards_html(preview.changes))
        with st.container(horizontal=True, vertical_alignment="center"):
            if access.button("Teach", Role.ENGINEER, type="primary", key="teach_keep"):
                _keep(preview)
            st.button("Don't teach", key="teach_cancel", on_click=forget)
            st.caption(
                "A new version of the inspector is stored and the label good with it. Both can be undone.",
                width="stretch",
            )


def notice(version: InspectorVersion) -> None:
    """While a version made by teaching is in use, name the images that were taught, and offer the undo."""
    if not can_undo(version):
        return
    names = session.sentence(named(taught_names(version)))
    by = session.sentence(version.made_by)
    with st.container(horizontal=True, vertical_alignment="center", key="teach_notice"):
        st.markdown(
            f"Version {version.number} was taught {names} by {by}, {wording.moment(version.created)}.",
            width="stretch",
        )
        if access.button(
            "Undo teaching",
            Role.ENGINEER,
            key="teach_undo",
            help="Puts the version from before into use again and undoes the label. Nothing is computed again.",
        ):
            here, seen = session.workspace(), revision_guard.revision_of(version.inspector_id)
            with session.plain_errors():
                found = consequences_of_use(here, version_before(here, version))
                confirmed_in_force(found, lambda: _undo(version, seen))


def _preview(version: InspectorVersion, chosen: Sequence[Result]) -> TeachingPreview | None:
    keep = bool(st.session_state.get("teach_keep_hand", True))
    key = (version.id, version.operating_point, sorted(one.id for one in chosen), keep)
    known = st.session_state.get(PREVIEW)
    if known is not None and known[0] == key:
        return known[1]  # type: ignore[no-any-return]  # the session's state is untyped
    words = {"calibration": "Scoring the good images", "scoring": "Scoring what the threshold rests on"}
    preview: TeachingPreview | None = None
    with (
        session.plain_errors(),
        progress.bar(
            "Computing the patches to add", lambda stage: words.get(stage, "Checking earlier verdicts")
        ) as move,
    ):
        preview = preview_teaching(session.workspace(), version, chosen, move, keep_by_hand=keep)
    if preview is None:
        return None
    st.session_state[PREVIEW] = (key, preview)
    return preview


def _numbers(preview: TeachingPreview) -> str:
    before, after = preview.before, preview.numbers.point
    rows = [
        (
            "Patches in the bank",
            wording.count(preview.version.patches),
            wording.count(preview.numbers.patches),
        ),
        ("Threshold", wording.score(before.reject), wording.score(after.reject)),
    ]
    if before.accept < before.reject or after.accept < after.reject:
        rows.append(("Review above", wording.score(before.accept), wording.score(after.accept)))
    rows += [
        (
            f"Score of {one.image.name}",
            wording.score(one.score or 0.0),
            wording.score(preview.scores[one.image.sha256]),
        )
        for one in preview.taught[:3]
        if one.image.sha256 in preview.scores
    ]
    cells = [(escape(name), now, f"<b>{then}</b>") for name, now, then in rows]
    return theme.table_html(cells, ("", "now", "taught"), look="pc-num pc-teach", right=(1, 2), named=True)


def _hand(preview: TeachingPreview) -> None:
    """Let thresholds that were set by hand stay, or be set by the good images."""
    if preview.kept_by_hand is None:
        return
    st.checkbox(
        f"Keep the threshold that was set by hand, {wording.score(preview.before.reject)}",
        value=True,
        key="teach_keep_hand",
        help="A bank that grows raises no score, so it rejects no more good parts than before. Otherwise the good "
        "images set the threshold again.",
    )


def _keep(preview: TeachingPreview) -> None:
    with revision_guard.change(preview.version.inspector_id):  # on what the preview was computed from
        keep_teaching(session.workspace(), preview)
        forget()
        session.forget("image", "threshold", "review")
    st.rerun()


def _undo(version: InspectorVersion, seen: int | None) -> None:
    with revision_guard.change(version.inspector_id):
        undo_teaching(session.workspace(), version, seen=seen)
        session.forget("image", "threshold", "review")
