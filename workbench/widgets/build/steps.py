"""The four steps before a build: name, good images, what the network sees, settings; each closes to one line."""

import time
from collections.abc import Callable
from html import escape

import streamlit as st

from patchcore.errors import SettingsError
from workbench.inspections.samples import list_samples
from workbench.inspectors.building import submit_build
from workbench.inspectors.names import require_name
from workbench.people.roles import Role
from workbench.storage.database import WorkspaceError
from workbench.storage.workspace import NamedImage
from workbench.uploads.drafts import AT_MOST, KEPT, StoredDraft, take_files
from workbench.uploads.good_images import good_uploads
from workbench.uploads.image_set import UploadSet
from workbench.uploads.intake import from_folder
from workbench.uploads.preflight import preflight
from workbench.widgets.build import draft as drafts
from workbench.widgets.build import network_view, preflight_view, settings_form
from workbench.widgets.build.draft import IMAGES, NAME, SETTINGS, VIEW, Draft
from workbench.widgets.fields import number
from workbench.widgets.shared import access, progress, session, wording
from workbench.widgets.shared.intake import sources

WAYS = (sources.FOLDER, sources.FILES, sources.SERVER, sources.SAMPLE)


def show() -> None:
    """Draw the steps of the draft, the open one with its widgets."""
    if not access.only(Role.ENGINEER, "Building inspectors"):
        return
    draft = drafts.current()
    if session.chosen_number("job"):  # the draft of a build that has begun
        st.rerun()
    _kept(draft)
    try:
        _step(draft, NAME, "Name", draft.name, _name)
        images = preflight_view.summary(draft.found) if draft.found else ""
        _step(draft, IMAGES, "Good images", images, _images)
        _step(draft, VIEW, "What the network sees", network_view.summary(draft), _view)
        _step(draft, SETTINGS, "Settings", settings_form.summary(draft), _settings)
    finally:  # a click may end the run, and a button redraws the page
        drafts.keep(draft)


def heading(number: int, title: str, summary: str = "") -> None:
    """Write the line of a step: its number, its title, and the choices made."""
    st.html(
        f'<div class="pc-step"><i>{number}</i><b>{escape(title)}</b>'
        f'<span class="pc-mute pc-clip pc-num">{escape(summary)}</span></div>'
    )


def _kept(draft: Draft) -> None:
    """Say which draft this is, and offer the others."""
    said = st.session_state.pop(drafts.SAID, None)
    if said is not None:
        st.warning(session.sentence(said))
    waiting = drafts.list_waiting()
    others = {one.key: _words(one) for one in waiting if one.key != draft.key}
    if draft.stored is None and not others:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="draft_line"):
        if draft.stored is not None:
            st.markdown(f"**{session.sentence(_words(draft.stored))}**", width="content")
            st.button("Discard the draft", type="tertiary", on_click=drafts.discard, args=(draft,))
            st.button("Begin another", type="tertiary", on_click=drafts.begin_another)
        st.space("stretch")
        if others:
            labels = wording.distinct(others)
            st.selectbox(
                "Other drafts",
                list(labels),
                index=None,
                format_func=labels.__getitem__,
                key=f"drafts_beside_{draft.key}",
                on_change=lambda: drafts.open_stored(str(st.session_state[f"drafts_beside_{draft.key}"])),
                placeholder="Open another draft",
                label_visibility="collapsed",
                width=360,
            )
    st.caption(
        f"A draft is kept for {KEPT.days} days after its last change, at most {AT_MOST} for each person. It is yours "
        "alone and goes when its inspector is built."
    )


def _words(stored: StoredDraft) -> str:
    """Return a draft as a line: Draft of today 18:40: M6 washer, 150 images."""
    parts = [str(stored.choices.get("name", "")), wording.counted(stored.images, "image")]
    return f"Draft of {wording.moment(stored.saved)}: {', '.join(part for part in parts if part)}"


def _step(draft: Draft, number: int, title: str, summary: str, body: Callable[[Draft], None]) -> None:
    with st.container(border=True, key=f"panel_step_{number}"):
        done, is_open = number < draft.step, number == draft.step
        with st.container(horizontal=True, vertical_alignment="center"):
            with st.container(width="stretch"):
                heading(number, title, summary if done else "")
            if done and st.button("Change", key=f"change_{number}", type="tertiary"):
                _go_on(draft, number)
        if is_open:
            body(draft)


def _go_on(draft: Draft, step: int) -> None:
    draft.step = step
    st.rerun()


def _name(draft: Draft) -> None:
    with st.form("name_form", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            "Name of the inspector",
            draft.name,
            max_chars=80,
            placeholder="M6 washer, line 3",
            help="What you and others will find it by: the product, and where it is photographed.",
            width=420,
        )
        if st.form_submit_button("Continue", type="primary"):
            try:
                with session.workspace().database.read() as rows:
                    require_name(rows, name)
            except WorkspaceError as error:
                st.error(session.sentence(str(error)))
            else:
                draft.name = name.strip()
                _go_on(draft, IMAGES)


def _images(draft: Draft) -> None:
    st.caption("Photographs of good parts only, 30 or more, taken as the parts will be inspected.")
    new = sources.images_from_user("good", WAYS, noun="good parts")
    if new is not None:
        _take(draft, new)
        if draft.found is not None:
            st.rerun()  # the line of the draft above counts them
    if sources.chosen_way("good") == sources.SAMPLE:
        _sample(draft)
    if draft.found is None:
        return
    for remark in draft.remarks:
        st.info(session.sentence(remark))
    preflight_view.show(draft.found)
    network_view.show_detail(draft)
    _value_range(draft)
    count = len(draft.images)
    if st.button(f"Use these {count:,} images", type="primary", disabled=count == 0):
        _go_on(draft, VIEW)


def _take(draft: Draft, new: sources.NewImages) -> None:
    """Check the images that their folders' names call good; a set of defects alone is refused."""
    draft.found, draft.remarks = None, []
    with session.plain_errors():
        uploads, draft.remarks = good_uploads(new.uploads, new.title)
        _check(draft, uploads, new.title)
        if draft.found is not None:
            draft.found = take_files(session.workspace(), draft.found, new.spool.path)


def _sample(draft: Draft) -> None:
    samples = {sample.title: sample for sample in list_samples()}
    if not samples:
        st.info("The sample products are not on this computer; python -m sample_data renders them.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        title = st.selectbox("Sample product", list(samples), width=320)
        if st.button("Use its good images"):
            folder, draft.remarks = samples[title].folder / "train" / "good", []
            _check(draft, from_folder(folder), title)


def _check(draft: Draft, uploads: UploadSet, title: str) -> None:
    """Look at the images, with a bar; nothing is stored yet."""
    start = time.perf_counter()
    with progress.bar("Checking images") as move:
        found = preflight(uploads, draft.value_range, progress=move)
    draft.reading_seconds = (time.perf_counter() - start) / max(1, len(uploads))
    draft.take(found, title)


def _value_range(draft: Draft) -> None:
    if not draft.needs_range() or draft.found is None:
        return
    with st.form("range_form", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        black, white = draft.value_range or (0.0, 4095.0)
        words = (
            "Value that means {} in 16-bit and float images. One range for all images, never one for each."
        )
        low = st.text_input("Black", number.show(black), help=words.format("black"), width=160)
        high = st.text_input("White", number.show(white), help=words.format("white"), width=160)
        pressed = st.form_submit_button("Read with this range")
    if pressed:
        with session.plain_errors():
            draft.value_range = _range(low, high)
            files = [image.upload for image in draft.found.usable]
            _check(draft, UploadSet(images=files, left_out=draft.found.left_out), draft.title)
            st.rerun()


def _range(black: str, white: str) -> tuple[float, float]:
    """Return the values that were typed for black and white."""
    low, high = number.read(black), number.read(white)
    if high <= low:
        raise SettingsError("The value of white must be larger than the value of black.")
    return low, high


def _view(draft: Draft) -> None:
    network_view.show(draft)
    empty = network_view.is_empty(draft)
    if empty:
        st.error(
            "The drawing leaves nothing to inspect. Undo a step, or clear it to inspect the whole image."
        )
    if st.button("Continue", type="primary", disabled=empty):
        _go_on(draft, SETTINGS)


def _settings(draft: Draft) -> None:
    ready = settings_form.show(draft)
    if st.button("Build", type="primary", disabled=not ready):
        _build(draft)


def _build(draft: Draft) -> None:
    """Store the images, queue the build and follow it."""
    here = session.workspace()
    with session.plain_errors():
        settings = draft.settings()
        stored: list[NamedImage] = []
        with progress.bar("Storing images") as move:
            for done, image in enumerate(draft.images, start=1):
                stored.append(
                    here.store_image(
                        image.upload.data, image.name, record=image.record.to_dict(), truth="good"
                    )
                )
                move("storing images", done, len(draft.images))
        draft.job = submit_build(here, settings, stored)
        session.choose("job", draft.job)
        st.rerun()
