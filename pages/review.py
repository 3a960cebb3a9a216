"""Review: decide, one after the other, on the images that the inspector in use leaves to a person."""

import streamlit as st

from workbench.tuning.review_queue import maps_to_judge
from workbench.widgets.review import one_by_one, random_draw, teaching_view
from workbench.widgets.shared import page_guard, progress, sample, session, theme

page_guard.by_app()

EXPLANATION = "Decide on the images that the inspector leaves to a person."

_inspector, version = sample.inspector_or_stop("Review", EXPLANATION)
maps = maps_to_judge(session.workspace(), version)
if progress.wait_for_regions(maps, int(version.operating_point["min_area"])):
    theme.page_title("Review", EXPLANATION)
    st.stop()
waiting = one_by_one.waiting(version)
theme.page_title("Review", one_by_one.left(waiting, random_draw.batch_in_hand(version)))
teaching_view.notice(version)
one_by_one.show(version, waiting)
