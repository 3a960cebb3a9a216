"""Batches of an inspector: which one is open, opening another, and bringing new images in."""

from collections.abc import Callable, Sequence

import streamlit as st

from patchcore.errors import PatchCoreError
from workbench.inspections.batches import create_batch, list_batches
from workbench.inspections.samples import list_samples, sample_batch
from workbench.people.roles import Role
from workbench.storage.tables import Batch, Inspector
from workbench.widgets.shared import access, intake, session, wording

WAYS = (intake.FILES, intake.FOLDER, intake.SERVER, intake.CAMERA)


def open_batch(inspector: Inspector) -> Batch | None:
    """Return the batch in use: the address names it, else the session, else it is the newest."""
    batches = list_batches(session.workspace(), inspector.id)
    chosen = session.chosen_number("batch")
    batch = next((one for one in batches if one.id == chosen), batches[0] if batches else None)
    if batch is not None:
        session.choose("batch", batch.id)
    return batch


def choose(inspector: Inspector, batch: Batch) -> None:
    """Offer the other batches of this inspector."""
    choose_among(list_batches(session.workspace(), inspector.id), batch, "Batch", "batch", _open)


def choose_among(
    batches: Sequence[Batch], batch: Batch, label: str, name: str, opened: Callable[[int], None]
) -> None:
    """Offer some batches where there are several; `opened` is called with the id of the one that is chosen."""
    by_id = {one.id: one for one in batches}
    if len(by_id) < 2:
        return
    key = f"{name}_of_{batch.id}"
    st.selectbox(
        label,
        list(by_id),
        index=list(by_id).index(batch.id),
        format_func=lambda one: f"{by_id[one].name}, {wording.moment(by_id[one].created)}",
        key=key,
        on_change=lambda: opened(int(st.session_state[key])),
        label_visibility="collapsed",
        width=280,
    )


def bring_images(inspector: Inspector) -> None:
    """Take new images in as a batch and open it."""
    if not access.only(Role.OPERATE, "Bringing images in"):
        return
    sample = next((one for one in list_samples() if one.inspector_id == inspector.id), None)
    ways = (*WAYS, intake.SAMPLE) if sample is not None else WAYS
    taken = intake.images_from_user("test", ways, noun="test images")
    if (
        sample is not None
        and intake.chosen_way("test") == intake.SAMPLE
        and st.button("Open the sample's test images")
    ):
        _open(sample_batch(session.workspace(), sample, inspector.id))
        st.rerun()
    if taken is None:
        return
    with st.spinner("Storing the images"):
        batch_id = _store(inspector, taken)
    _leave_note(batch_id, [f"{file.name}: {file.reason}" for file in taken.uploads.left_out])
    if batch_id is not None:
        _open(batch_id)
        intake.start_over("test")
        st.rerun()
    _notes(None)


def show_notes(batch: Batch) -> None:
    """Show what was left out of a batch when it was brought in."""
    _notes(batch.id)


def _store(inspector: Inspector, taken: intake.Taken) -> int | None:
    here = session.workspace()
    try:
        images = [here.store_image(upload.data, upload.name) for upload in taken.uploads]
        return create_batch(here, inspector.id, images, taken.title)
    except PatchCoreError as error:
        st.error(session.sentence(str(error)))
        return None


def _open(batch_id: int) -> None:
    session.forget("image")
    session.choose("batch", batch_id)


def _leave_note(batch_id: int | None, lines: Sequence[str]) -> None:
    if lines:
        st.session_state[f"left_out_{batch_id}"] = list(lines)


def _notes(batch_id: int | None) -> None:
    lines: list[str] = st.session_state.get(f"left_out_{batch_id}", [])
    if lines:
        with st.expander(f"{wording.counted(len(lines), 'file')} left out, each with its reason"):
            st.markdown("\n".join(f"- {session.sentence(line)}" for line in lines[:200]))
