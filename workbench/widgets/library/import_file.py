"""Importing an inspector on the page Library: the file, its place, and the reason for a refusal."""

from collections.abc import Sequence

import streamlit as st

from patchcore.errors import PatchCoreError
from workbench.inspectors.importing import import_inspector
from workbench.inspectors.library import Shelved
from workbench.inspectors.versions import find_inspector
from workbench.people.roles import Role
from workbench.widgets.shared import access, notice, revision_guard, session, wording

NEW = ""
EXPLANATION = (
    "A `.patchcore` file that was exported from a library or built by the command line. All of it is checked, and its "
    "self-test repeated, before anything is kept. The good images are not in such a file."
)


def popover_key() -> str:
    """Return the key of the popover: another one after each import, so that it closes over what it has brought."""
    return f"import_popover_{st.session_state.get('imports', 0)}"


def show(shelved: Sequence[Shelved]) -> None:
    """Draw the choice of a file, and import it when the button is pressed."""
    st.caption(EXPLANATION)
    if not access.only(Role.ENGINEER, "Importing an inspector"):
        return
    file = st.file_uploader("Inspector file", type=None, key=f"import_{st.session_state.get('imports', 0)}")
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
    if file is not None and st.button("Import this file", type="primary", key="import_now"):
        try:
            with st.spinner("Checking every part of it"):
                version = import_inspector(
                    session.workspace(),
                    file.getvalue(),
                    file=file.name,
                    into=into or None,
                    seen=revision_guard.revision_of(into or None),
                )
        except PatchCoreError as error:
            st.error(session.sentence(f"{file.name} was refused, and nothing of it kept. {error}"))
            return
        st.session_state["imports"] = st.session_state.get("imports", 0) + 1
        session.use_inspector(version.inspector_id)
        session.forget("version")
        inspector = find_inspector(session.workspace(), version.inspector_id)
        called = "" if inspector is None else f" of {inspector.name}"
        notice.done(f"{file.name} is imported, as version {version.number}{called}.")
        st.rerun()
