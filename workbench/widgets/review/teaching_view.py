"""Teaching on a page: what it would change, shown before it is done; what was taught last, and the way back."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from patchcore.errors import PatchCoreError
from workbench.people.roles import Role, current
from workbench.storage.tables import GOOD, InspectorVersion, Result
from workbench.tuning.teaching import can_undo, keep_teaching, named, taught_names, undo_teaching
from workbench.tuning.teaching_preview import TeachingPreview, VerdictChange, preview_teaching
from workbench.widgets.shared import access, revision_guard, session, wording
from workbench.widgets.shared.pictures import thumbnail_tag

ASKED = "teach_results"  # ids of the results that are to be taught, in this session
PREVIEW = "teach_preview"
SHOWN = 24  # changed images with a picture
VERDICT_HTML = {
    "accept": '<span class="pc-accept">✓ accept</span>',
    "review": '<span class="pc-review">? review</span>',
    "reject": '<span class="pc-reject">✕ reject</span>',
    None: '<span class="pc-mute">no verdict</span>',
}


def may_teach() -> bool:
    """Whether whoever is looking may teach."""
    return current().role >= Role.ENGINEER


def ask(results: Sequence[Result]) -> None:
    """Have the page show what teaching these images would change."""
    st.session_state[ASKED] = [result.id for result in results]
    st.session_state.pop(PREVIEW, None)


def asked() -> list[int]:
    """Return the ids of the results that are to be taught."""
    return list(st.session_state.get(ASKED, ()))


def forget() -> None:
    """Teach nothing."""
    st.session_state.pop(ASKED, None)
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
        (st.warning if preview.escapes else st.info)(session.sentence(preview.sentence()))
        if preview.changes:
            st.html(_changes(preview.changes))
        with st.container(horizontal=True, vertical_alignment="center"):
            if access.button("Teach", Role.ENGINEER, type="primary", key="teach_keep"):
                _keep(preview)
            st.button("Don't teach", key="teach_cancel", on_click=forget)
            st.caption(
                "A new version of the inspector is stored and the label good with it. Both can be taken back.",
                width="stretch",
            )


def notice(version: InspectorVersion) -> None:
    """Say, while a version that teaching made is in use, what was taught, and offer the way back."""
    if not can_undo(version):
        return
    names = session.sentence(named(taught_names(version)))
    by = session.sentence(version.made_by)
    with st.container(horizontal=True, vertical_alignment="center", key="teach_notice"):
        st.markdown(
            f"Version {version.number} was taught {names} by {by}, {wording.moment(version.created)}.",
            width="stretch",
        )
        access.button(
            "Undo teaching",
            Role.ENGINEER,
            key="teach_undo",
            on_click=_undo,
            args=(version,),
            help="Puts the version from before into use again and takes back the label. Nothing is computed anew.",
        )


def _preview(version: InspectorVersion, chosen: Sequence[Result]) -> TeachingPreview | None:
    keep = bool(st.session_state.get("teach_keep_hand", True))
    key = (version.id, version.operating_point, sorted(one.id for one in chosen), keep)
    known = st.session_state.get(PREVIEW)
    if known is not None and known[0] == key:
        return known[1]  # type: ignore[no-any-return]  # the session's state is untyped
    bar = st.progress(0.0, text="Computing the patches to add")

    def progress(stage: str, done: int, total: int) -> None:
        words = {"calibration": "Scoring the good images", "scoring": "Scoring what the threshold rests on"}
        text = words.get(stage, "Checking earlier verdicts")
        bar.progress(min(1.0, done / total) if total else 0.0, text=f"{text}, {done:,}/{total:,}")

    try:
        preview = preview_teaching(session.workspace(), version, chosen, progress, keep_by_hand=keep)
    except PatchCoreError as error:
        st.error(session.sentence(str(error)))
        return None
    finally:
        bar.empty()
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
    cells = "".join(
        f'<tr><th>{escape(name)}</th><td class="r">{now}</td><td class="r"><b>{then}</b></td></tr>'
        for name, now, then in rows
    )
    head = '<tr><th></th><th class="r">now</th><th class="r">taught</th></tr>'
    return f'<table class="pc-table pc-num pc-teach">{head}{cells}</table>'


def _hand(preview: TeachingPreview) -> None:
    """Let thresholds that were set by hand stay, or be set by the good images."""
    if preview.kept_by_hand is None:
        return
    st.checkbox(
        f"Keep the threshold that was set by hand, {wording.score(preview.before.reject)}",
        value=True,
        key="teach_keep_hand",
        help="A bank that grows raises no score, so it rejects no more good parts than before. Otherwise the good "
        "images set the threshold anew.",
    )


def _changes(changes: Sequence[VerdictChange]) -> str:
    cards = "".join(_card(change) for change in changes[:SHOWN])
    more = len(changes) - SHOWN
    rest = f'<p class="pc-mute">and {wording.counted(more, "more image")}</p>' if more > 0 else ""
    return f'<ul class="pc-changes pc-num">{cards}</ul>{rest}'


def _card(change: VerdictChange) -> str:
    image = change.result.image
    picture = thumbnail_tag(session.workspace(), image.sha256, image.name)
    truth = "good" if image.truth == GOOD else (image.truth or "").replace("_", " ")
    label = f'<span class="pc-mute">labelled {escape(truth)}</span>' if truth else ""
    if change.is_escape:
        label = f'<b class="pc-reject">! labelled {escape(truth)}</b>'
    return (
        f'<li>{picture}<div><b class="pc-clip">{escape(image.name)}</b>'
        f"<span>{VERDICT_HTML[change.before]} → {VERDICT_HTML[change.after]}</span>"
        f'<span class="pc-mute">{wording.score(change.result.score or 0.0)} → {wording.score(change.score)}</span>'
        f"{label}</div></li>"
    )


def _keep(preview: TeachingPreview) -> None:
    with revision_guard.change(preview.version.inspector_id):  # on what the preview was computed from
        keep_teaching(session.workspace(), preview)
        forget()
        for name in ("image", "threshold", "review"):
            session.forget(name)
    st.rerun()


def _undo(version: InspectorVersion) -> None:
    with revision_guard.change(version.inspector_id) as revision:
        undo_teaching(session.workspace(), version, seen=revision)
        for name in ("image", "threshold", "review"):
            session.forget(name)
