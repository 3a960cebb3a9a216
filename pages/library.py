"""Library: every inspector with its history, the jobs in the background, and the bin."""

import streamlit as st

from workbench.inspectors.library import shelf
from workbench.upkeep.bin import list_bin
from workbench.widgets.library import bin_view, import_file, inspector_panel, job_list, shelf_list
from workbench.widgets.shared import notice, page_guard, sample, session, theme

page_guard.by_app()

KEY = "shelf"  # the name of the view in the address
shelved = shelf(session.workspace())
inspector = session.inspector_in_use()
binned = len(list_bin(session.workspace()))

with (
    theme.page_head("Library", "Every inspector, all that was done to it, and the way back."),
    st.popover(import_file.popover_label(), width="content", key=import_file.popover_key()),
):
    import_file.show(shelved)
notice.show()

VIEWS = {"inspectors": "Inspectors", "jobs": "Jobs", "bin": f"Bin ({binned})" if binned else "Bin"}
chosen = session.chosen(KEY)
st.session_state["shelf_view"] = chosen if chosen in VIEWS else "inspectors"
view = st.segmented_control(
    "What to look at",
    list(VIEWS),
    format_func=lambda name: VIEWS[name],
    key="shelf_view",
    required=True,
    label_visibility="collapsed",
    on_change=lambda: session.choose(KEY, str(st.session_state["shelf_view"])),
)

with st.container(key=f"view_{view}"), session.plain_errors():
    if view == "jobs":
        job_list.show()
    elif view == "bin":
        bin_view.show()
    elif inspector is None or inspector.current is None:
        sample.nothing_yet("Library")
    else:
        narrow, wide = st.columns([2, 5], gap="medium")
        with narrow:
            shelf_list.show(shelved, inspector)
        with wide:
            inspector_panel.show(inspector)
