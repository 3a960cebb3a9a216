"""The labelled set that is evaluated: choosing one, bringing one in, and the first step when there is none."""

from collections.abc import Sequence

import streamlit as st

from patchcore.errors import PatchCoreError
from patchcore.labels.words import NothingGood
from workbench.inspections.batches import list_batches
from workbench.inspections.labelled_sets import Reading, import_labelled
from workbench.inspections.labels import label_counts, labelled_sets
from workbench.inspections.samples import sample_batch, sample_of
from workbench.people.roles import Role
from workbench.storage.tables import Batch, Inspector
from workbench.uploads import pending
from workbench.uploads.drafts import KEPT
from workbench.uploads.image_set import UploadSet
from workbench.uploads.pending import PendingUpload
from workbench.widgets.inspect import batches
from workbench.widgets.shared import access, notice, sample, session, wording
from workbench.widgets.shared.intake import sources

WAYS = (sources.FOLDER, sources.FILES, sources.SERVER)
LAYOUT = (
    "A folder or zip in MVTec's layout (`test/good`, `test/scratch`, … and, if there are any, masks in "
    "`ground_truth/scratch/…_mask.png`), or images with a CSV `file,label[,mask]` beside them. Good parts may be "
    "called good, ok, normal, gut, i.O., pass or 0, in any case. Masks are white on black; outlines come from labelme, "
    "COCO or CVAT files."
)
WAITING = "labelled"  # of pending uploads: sets whose labels for good parts the user is asked about
UNLABELLED = "reading_without_labels"  # of images that came without a label, and so are no labelled set


def in_use(inspector: Inspector) -> Batch | None:
    """Return the labelled set in use: named by the address, else the batch open on Inspect, else the newest."""
    sets = {one.id: one for one in labelled_sets(session.workspace(), inspector.id)}
    for name in ("set", "batch"):
        chosen = session.chosen_number(name)
        if chosen in sets:
            return sets[chosen]
    return next(iter(sets.values()), None)


def counts_words(batch: Batch) -> str:
    """Return in words how many images of a set are good, defective and unlabelled."""
    counts = label_counts(session.workspace(), batch.id)
    words = f"{wording.count(counts.good)} good, {wording.counted(counts.defect, 'defect')}"
    if counts.unlabelled:
        words += f", {wording.count(counts.unlabelled)} without a label (not counted)"
    return words


def choose(inspector: Inspector, batch: Batch) -> None:
    """Offer the other labelled sets of this inspector."""
    sets = labelled_sets(session.workspace(), inspector.id)
    batches.choose_among(sets, batch, "Labelled set", "set", _open)


def bring(inspector: Inspector) -> None:
    """Take a labelled set in and open it; each problem of its files gets a sentence."""
    if not access.only(Role.OPERATE, "Bringing images in"):
        return
    st.caption(LAYOUT)
    new = sources.images_from_user("labelled", WAYS, noun="labelled images")
    _sample_button(inspector)
    if new is None:
        _show(st.session_state.get(f"{UNLABELLED}_{inspector.id}", Reading()))
        return
    try:
        _take(inspector, new.uploads, new.title, None)
    except NothingGood as error:
        with session.plain_errors():
            _hold(inspector, new, error.labels)
            sources.start_over("labelled")
            st.rerun()
    except PatchCoreError as error:
        st.error(session.sentence(str(error)))


def popover_key() -> str:
    """Return the key of the popover to bring a set in: another one after each set, so that it closes."""
    return f"bring_labelled_{sources.round_of('labelled')}"


def ask_waiting(inspector: Inspector) -> None:
    """Ask which labels mean good, where a set that was brought in waits for the answer."""
    waiting = pending.find(session.workspace(), _key(inspector)) if access.may(Role.OPERATE) else None
    if waiting is not None:
        with st.container(border=True, key="panel_waiting_set"):
            _ask(inspector, waiting)


def _hold(inspector: Inspector, new: sources.NewImages, labels: Sequence[str]) -> None:
    """Keep a set until the user has said which of its labels mean good."""
    key, about = _key(inspector), {"labels": list(labels)}
    pending.hold(session.workspace(), key, new.uploads, new.title, new.spool.path, about)


def _key(inspector: Inspector) -> str:
    return pending.of_inspector(WAITING, inspector.id)


def _take(inspector: Inspector, uploads: UploadSet, title: str, good_labels: list[str] | None) -> None:
    """Take a set in and open it; errors as for `import_labelled`."""
    with st.spinner("Storing the images"):
        brought = import_labelled(session.workspace(), inspector.id, uploads, title, good_labels)
    pending.drop(session.workspace(), _key(inspector))
    sources.start_over("labelled")
    labelled = label_counts(session.workspace(), brought.batch_id).labelled
    if not labelled:
        st.session_state[f"{UNLABELLED}_{inspector.id}"] = brought.reading
        st.warning("None of these images came with a label, so there is nothing to measure against.")
        _show(brought.reading)
        return
    st.session_state.pop(f"{UNLABELLED}_{inspector.id}", None)
    _open(brought.batch_id)
    st.rerun()


def _ask(inspector: Inspector, waiting: PendingUpload) -> None:
    """Ask which labels mean good where no known word does."""
    labels = [str(label) for label in waiting.about["labels"]]
    st.warning(
        session.sentence(
            f"No label of {waiting.title} means a good part by its name. Labels found: "
            f"{', '.join(labels)}. Choose the ones that mean good; with none chosen, all count as defects."
        )
    )
    with st.form("good_labels_form", border=False):
        chosen = st.multiselect("Labels of good parts", labels, key="good_labels")
        with st.container(horizontal=True, vertical_alignment="center"):
            is_answered = st.form_submit_button("Use these labels", type="primary")
            is_discarded = st.form_submit_button("Discard this set")
            count = wording.counted(len(waiting.uploads), "image")
            st.caption(
                f"{count}, brought in {wording.moment(waiting.saved)}; kept for {KEPT.days} days.",
                width="stretch",
            )
    with session.plain_errors():
        if is_answered:
            _take(inspector, waiting.uploads, waiting.title, chosen)
        elif is_discarded:
            pending.drop(session.workspace(), _key(inspector))
            st.rerun()


def show_reading(batch: Batch) -> None:
    """Show how the labels of a set were taken when it was brought in, and the problems found."""
    _show(Reading.of(batch))


def _show(reading: Reading) -> None:
    if reading.labels:
        st.caption(session.sentence(reading.labels))
    lines = list(reading.problems)
    notice.folded(f"{wording.counted(len(lines), 'remark')} on the files of this set", lines)


def nothing_yet(inspector: Inspector) -> None:
    """Say what to do first when no image of this inspector has a label."""
    with st.container(border=True, key="panel_no_set"):
        st.markdown(
            "**To evaluate, the program needs images whose truth is known:** good parts it has not learned from "
            "and, where you have any, defects. A handful is a beginning; intervals say how far to trust it."
        )
        ask_waiting(inspector)
        bring(inspector)
        if list_batches(session.workspace(), inspector.id):
            st.markdown("Or label images that are here already, by a click each.")
            if st.button("Label images"):
                session.open_page("pages/tune.py", inspector=inspector.id)
        elif sample_of(inspector.id) is None:
            st.markdown("Or look at the sample product, whose test images are labelled and marked.")
            sample.open_button()
            sample.progress()


def _sample_button(inspector: Inspector) -> None:
    """Offer the sample's own labelled images, unless they are among the sets already."""
    own = sample_of(inspector.id)
    if own is not None and st.button("Open the sample's labelled images", key="open_sample_set"):
        _open(sample_batch(session.workspace(), own, inspector.id))
        st.rerun()


def _open(batch_id: int) -> None:
    session.forget("shown")
    session.choose("set", batch_id)
