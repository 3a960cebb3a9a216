"""Batches of an inspector: the open one, the choice of another, and the intake of new images."""

from collections.abc import Callable, Sequence

import streamlit as st

from workbench.inspections.batches import list_batches
from workbench.inspections.labelled_sets import ImportedSet, Reading, import_images
from workbench.inspections.purpose import Purpose, set_purpose
from workbench.inspections.samples import sample_batch, sample_of
from workbench.people.roles import Role
from workbench.storage.tables import EVALUATION, PRODUCTION, Batch, Inspector
from workbench.uploads.image_set import FOR_LABELS
from workbench.widgets.shared import access, notice, session, wording
from workbench.widgets.shared.intake import sources

WAYS = (sources.FILES, sources.FOLDER, sources.SERVER, sources.CAMERA)


def open_batch(inspector: Inspector) -> Batch | None:
    """Return the batch in use: named by the address, else by the session, else the newest."""
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
    """Offer a choice where there are several batches; `opened` takes the id of the chosen batch."""
    by_id = wording.distinct({one.id: f"{one.name}, {wording.moment(one.created)}" for one in batches})
    if len(by_id) < 2:
        return
    key = f"{name}_of_{batch.id}"

    def changed() -> None:
        # A field that is new on the page counts as changed where the browser sends it before the page's run has ended.
        if (wanted := int(st.session_state[key])) != batch.id:
            opened(wanted)

    st.selectbox(
        label,
        list(by_id),
        index=list(by_id).index(batch.id),
        format_func=by_id.__getitem__,
        key=key,
        on_change=changed,
        label_visibility="collapsed",
        width=280,
    )


def bring_images(inspector: Inspector) -> None:
    """Take new images in as a batch and open it."""
    if not access.only(Role.OPERATE, "Bringing images in"):
        return
    sample = sample_of(inspector.id)
    ways = (*WAYS, sources.SAMPLE) if sample is not None else WAYS
    new = sources.images_from_user("test", ways, noun="test images")
    if (
        sample is not None
        and sources.chosen_way("test") == sources.SAMPLE
        and st.button("Open the sample's test images")
    ):
        _open(sample_batch(session.workspace(), sample, inspector.id))
        st.rerun()
    if new is None:
        return
    with st.spinner("Storing the images"):
        brought = _store(inspector, new)
    if brought is not None:
        if inspector.current_id is not None:  # who brings images in wants them scored, however many they are
            session.scorer().want(brought.batch_id, inspector.current_id)
        _open(brought.batch_id)
        sources.start_over("test")
        st.rerun()
    lines = [f"{file.name}: {file.reason}" for file in new.uploads.left_out if file.reason != FOR_LABELS]
    notice.folded(f"{wording.counted(len(lines), 'file')} left out, each with its reason", lines)


def show_notes(batch: Batch) -> None:
    """Show how labels were taken when a batch was brought in, the files left out, and further remarks."""
    reading = Reading.of(batch)
    if reading.labels:
        st.caption(session.sentence(reading.labels))
    remarks = list(reading.problems)
    notice.folded(f"{wording.counted(len(remarks), 'remark')} on the files of this batch", remarks)


def purpose_words(batch: Batch) -> str:
    """Return in words that a batch is no production; empty for production."""
    return ", an evaluation set" if batch.purpose == EVALUATION else ""


def offer_purpose(batch: Batch) -> None:
    """Offer to count the open batch otherwise; images of a watched folder are production."""
    if batch.watch_id is not None:
        return
    to: Purpose = PRODUCTION if batch.purpose == EVALUATION else EVALUATION
    label = "production" if to == PRODUCTION else "an evaluation set"
    access.button(
        f"Count the open batch as {label}",
        Role.ENGINEER,
        key="count_as",
        on_click=_count_as,
        args=(batch.id, to),
        help="The verdicts of an evaluation set are kept, but History, trend and drift count production alone. Images "
        "that come with their labels are an evaluation set at first.",
    )


def _count_as(batch_id: int, purpose: Purpose) -> None:
    with notice.toasted_refusal():
        set_purpose(session.workspace(), batch_id, purpose)


def _store(inspector: Inspector, new: sources.NewImages) -> ImportedSet | None:
    with session.plain_errors():
        return import_images(session.workspace(), inspector.id, new.uploads, new.title)
    return None


def _open(batch_id: int) -> None:
    session.forget("image")
    session.choose("batch", batch_id)
