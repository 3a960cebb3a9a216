"""Importing an inspector on the page Library: the file, its place, and the reason for a refusal."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from patchcore.errors import PatchCoreError
from workbench.inspectors.importing import import_inspector
from workbench.inspectors.library import Shelved
from workbench.inspectors.versions import find_inspector
from workbench.people.roles import Role
from workbench.storage.database import WorkspaceError
from workbench.uploads import pending
from workbench.uploads.image_set import Upload, UploadSet
from workbench.uploads.pending import PendingUpload
from workbench.widgets.shared import access, notice, revision_guard, session, wording

NEW = ""
KEY = "inspectorfile"  # of pending uploads: the file that was chosen, until it is imported or discarded
EXPLANATION = (
    "A `.patchcore` file that was exported from a library or built by the command line. All of it is checked, and its "
    "self-test repeated, before anything is kept. The good images are not in such a file."
)


def popover_key() -> str:
    """Return the key of the popover: another one after each import, so that it closes over what it has brought."""
    return f"import_popover_{st.session_state.get('imports', 0)}"


def popover_label() -> str:
    """Return the label of the popover; it says that a file waits, as after a reload of the page."""
    waits = access.may(Role.ENGINEER) and pending.find(session.workspace(), KEY) is not None
    return "Import (1 file waits)" if waits else "Import"


def show(shelved: Sequence[Shelved]) -> None:
    """Draw the choice of a file, and import it when the button is pressed."""
    st.caption(EXPLANATION)
    if not access.only(Role.ENGINEER, "Importing an inspector"):
        return
    waiting = _chosen()
    for one in shelved:
        revision_guard.note(one.inspector)
    names = wording.distinct(
        {one.inspector.id: one.inspector.name for one in shelved},
        {one.inspector.id: wording.moment(one.inspector.created) for one in shelved},
    )
    into = NEW
    if names:
        into = st.selectbox(
            "It becomes",
            [NEW, *names],
            format_func=lambda one: (
                f"the next version of {names[one]}" if one in names else "a new inspector"
            ),
            key="import_into",
        )
    if waiting is None:
        return
    with st.container(horizontal=True):
        is_wanted = st.button("Import this file", type="primary", key="import_now")
        st.button("Discard the file", key="import_discard", on_click=_discard)
    if is_wanted:
        try:
            with st.spinner("Checking every part of it"):
                version = import_inspector(
                    session.workspace(),
                    _file_of(waiting),
                    file=waiting.title,
                    into=into or None,
                    seen=revision_guard.revision_of(into or None),
                )
        except PatchCoreError as error:
            st.error(
                session.sentence(
                    f"{waiting.title} was refused, and nothing of it came into the library. {error}"
                )
            )
            return
        _discard()
        session.use_inspector(version.inspector_id)
        session.forget("version")
        inspector = find_inspector(session.workspace(), version.inspector_id)
        called = "" if inspector is None else f" of {inspector.name}"
        notice.done(f"{waiting.title} is imported, as version {version.number}{called}.")
        st.rerun()


def _chosen() -> PendingUpload | None:
    """Return the file that was chosen, also before a reload of the page."""
    here, count = session.workspace(), st.session_state.get("imports", 0)
    file = st.file_uploader("Inspector file", type=None, key=f"import_{count}")
    waiting = pending.find(here, KEY)
    if file is None:
        if st.session_state.pop("import_taken", None) is not None:  # taken out of the field again
            pending.drop(here, KEY)
            return None
        if waiting is not None:
            size = wording.megabytes(_file_of(waiting).stat().st_size / 1e6)
            words = (
                f"{waiting.title}, {size}, chosen {wording.moment(waiting.saved)}. It is not imported yet."
            )
            st.markdown(session.sentence(words))
        return waiting
    if st.session_state.get("import_taken") != file.file_id or waiting is None:
        spool = here.spool_folder()
        copy = spool / "file"
        with copy.open("wb") as target:
            file.seek(0)
            shutil.copyfileobj(file, target, 1 << 20)
        waiting = pending.hold(here, KEY, UploadSet([Upload(file.name, copy)]), file.name, spool, {})
        st.session_state["import_taken"] = file.file_id
    return waiting


def _file_of(waiting: PendingUpload) -> Path:
    """Return the file itself.

    Raises
    ------
    WorkspaceError
        The file is gone.
    """
    for one in waiting.uploads:
        if isinstance(one.data, Path):
            return one.data
    raise WorkspaceError(f"The file {waiting.title} is gone. Choose it once more.")


def _discard() -> None:
    """Forget the file that was chosen, and empty the field."""
    pending.drop(session.workspace(), KEY)
    st.session_state["imports"] = st.session_state.get("imports", 0) + 1
    st.session_state.pop("import_taken", None)
