"""One inspector on the page Library: its name and buttons, its timeline, and the state that is open."""

from html import escape

import streamlit as st

from workbench.inspections import history_query
from workbench.inspectors.timeline import Entry, find_entry, timeline
from workbench.inspectors.versions import has_good_images, rename
from workbench.people.roles import Role
from workbench.storage.tables import Inspector
from workbench.upkeep.bin import delete_inspector
from workbench.widgets.library import state_panel, timeline_view
from workbench.widgets.shared import access, notice, revision_guard, session, wording

CHOICE = "version"  # name of the state that is looked at, in the address


def show(inspector: Inspector) -> None:
    """Draw an inspector with the state that the address names."""
    entries = timeline(session.workspace(), inspector.id)
    entry = find_entry(entries, session.chosen(CHOICE))
    if entry is None:
        st.info("No version of this inspector is in use. Restore one from the bin.")
        return
    with st.container(border=True, key="panel_inspector"):
        _heading(inspector, entries)
    with st.container(border=True, key="panel_timeline"):
        timeline_view.show(entries, entry, CHOICE)
    with st.container(border=True, key="panel_state"):
        state_panel.show(inspector, entries, entry)


def _heading(inspector: Inspector, entries: list[Entry]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(width="stretch"):
            product = (
                f' <span class="pc-mute">{escape(inspector.product)}</span>' if inspector.product else ""
            )
            st.html(f'<div class="pc-called"><b>{escape(inspector.name)}</b>{product}</div>')
        if st.button("Inspect", type="primary", key="library_inspect"):
            session.open_page("pages/inspect.py", inspector=inspector.id)
        if access.may(Role.ENGINEER):
            with st.popover("Rename", width="content", key="rename_popover"):
                _rename(inspector)
        if access.button("Delete", Role.ENGINEER, key="library_delete"):
            _confirm(inspector, len({entry.version.id for entry in entries}))
    if not has_good_images(entries[0].version):
        st.caption(
            "Imported: its good images are not in this workspace, so images cannot be removed from the bank or taught."
        )


def _rename(inspector: Inspector) -> None:
    with st.form(f"rename_{inspector.id}_{inspector.name}_{inspector.product}", border=False):
        name = st.text_input("Name", inspector.name, max_chars=200)
        product = st.text_input("Product", inspector.product, max_chars=200)
        if st.form_submit_button("Keep"):
            notice.attempt(
                rename,
                inspector.id,
                name,
                product,
                seen=revision_guard.revision_of(inspector.id),
                outcome="The new name is kept.",
            )
            st.rerun()


@st.dialog("Delete this inspector?")
def _confirm(inspector: Inspector, versions: int) -> None:
    st.markdown(
        f"**{session.sentence(inspector.name)}** goes to the bin with {wording.counted(versions, 'version')} and all "
        "that it has inspected. It can be restored from there until the bin is emptied."
    )
    of_it = history_query.Filter(inspector_id=inspector.id)
    if total := history_query.count(session.workspace(), of_it).total:
        (last,) = history_query.read_page(session.workspace(), of_it, size=1).rows
        st.warning(
            f"It is in use: {wording.counted(total, 'image')} judged, the last on {wording.moment(last.created)}. "
            "The pages open another inspector afterwards."
        )
    notice.answers("Put it in the bin", "Keep it", "library_delete", _delete, inspector)


def _delete(inspector: Inspector) -> None:
    deleted = notice.attempt(
        delete_inspector,
        inspector.id,
        seen=inspector.revision,
        outcome=f"{inspector.name} is in the bin. It can be restored from there.",
    )
    if deleted:
        session.forget("inspector", CHOICE)
