"""The deletion of a batch: a button, and what goes with the batch before anybody confirms."""

import streamlit as st

from workbench.people.roles import Role, require
from workbench.storage.tables import Batch
from workbench.upkeep.batch_removal import BatchContents, contents, delete_batch
from workbench.widgets.shared import access, notice, session, wording

ASKED = "batch_to_delete"  # in the session


def button(batch_id: int, key: str) -> None:
    """Offer to delete a batch; `panel` asks once more."""
    if access.button("Delete batch", Role.ENGINEER, type="tertiary", key=key):
        st.session_state[ASKED] = batch_id
        st.rerun()


def panel(batch: Batch) -> None:
    """Say what goes with the batch, where its deletion was asked for, and draw both answers."""
    place = st.container()  # there in every run, so that nothing below takes its place in the browser
    if st.session_state.get(ASKED) != batch.id:
        return
    with place, st.container(border=True, key="panel_delete_batch"), session.plain_errors():
        found = contents(session.workspace(), batch.id)
        st.markdown(f"**Delete {session.sentence(batch.name)}?** {sentence(found)}")
        with st.container(horizontal=True):
            st.button(
                "Delete for good", type="primary", key="delete_batch_yes", on_click=_delete, args=(batch,)
            )
            st.button("Keep it", key="delete_batch_no", on_click=_forget)


def sentence(found: BatchContents) -> str:
    """Return in words what goes with a batch and what stays."""
    labels = f", {wording.counted(found.labelled, 'label')}" if found.labelled else ""
    masks = f", {wording.counted(found.masks, 'mask')}" if found.masks else ""
    files = "Their files stay, because something else uses them."
    if found.pictures:
        size = wording.megabytes(found.size_bytes / 1e6)
        files = f"{wording.counted(found.pictures, 'file')} of {size} that nothing else uses will go."
    words = [
        f"This cannot be undone. It deletes {wording.counted(found.images, 'image')}, "
        f"{wording.count(found.scored)} of them scored{labels}{masks}. {files}"
    ]
    if found.verdicts:
        decided = f", {wording.count(found.decided)} of them decided by a person" if found.decided else ""
        words.append(
            f"The history keeps {wording.counted(found.verdicts, 'verdict')}{decided}, with the pictures."
        )
    if found.evidence:
        words.append(
            f"The threshold in force was set from {wording.counted(found.evidence, 'image')} of this batch: it stays, "
            "but it cannot be set again from them."
        )
    return " ".join(words)


def _delete(batch: Batch) -> None:
    _forget()
    with notice.toasted_refusal():
        require(Role.ENGINEER, "delete batches")
        session.scorer().release(batch.id)
        delete_batch(session.workspace(), batch.id)
        session.forget("batch", "set", "image", "shown")
        st.toast(session.sentence(f"{batch.name} is deleted."))


def _forget() -> None:
    st.session_state.pop(ASKED, None)
