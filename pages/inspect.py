"""Inspect: bring test images, see where each departs from good and how far, and move the threshold."""

import streamlit as st

from workbench.widgets.build import settings_form
from workbench.widgets.inspect import batch_view, batches, watch_panel
from workbench.widgets.review import teaching_view
from workbench.widgets.shared import page_guard, sample, theme, wording
from workbench.widgets.shared.scoring import deletion
from workbench.widgets.show import entry

page_guard.by_app()

inspector, version = sample.inspector_or_stop(
    "Inspect", "See where each part departs from good, and how far."
)
batch = batches.open_batch(inspector)
if batch is None:
    theme.page_title("Inspect", f"Bring images to be inspected by {inspector.name}.")
    with st.container(border=True, key="panel_bring"):
        batches.bring_images(inspector)
    with st.container(border=True, key="panel_watch"):
        st.subheader("Watched folder")
        watch_panel.show(inspector, None)
    st.stop()

network = settings_form.network_title(str(version.settings["backbone"]))
about = f"{batch.name}, {wording.moment(batch.created)}, {network} network{batches.purpose_words(batch)}"
with theme.page_head("Inspect", about):
    batches.choose(inspector, batch)
    with st.popover("Add images", width="content"):
        batches.bring_images(inspector)
        batches.offer_purpose(batch)
    with st.popover("Watched folder", width="content"):
        watch_panel.show(inspector, batch.id)
    entry.button(inspector.id, "inspect", batch.id)
    deletion.button(batch.id, "delete_batch")
deletion.panel(batch)
batches.show_notes(batch)
teaching_view.notice(version)
batch_view.show(batch, version)
