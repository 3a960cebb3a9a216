"""Home: the purpose of the program, the inspectors, and one button that opens the sample product ready to use."""

import streamlit as st

from workbench.inspectors.versions import list_inspectors
from workbench.widgets.library import inspector_cards
from workbench.widgets.shared import page_guard, sample, session, theme

page_guard.by_app()

inspectors = list_inspectors(session.workspace())

theme.page_title("Find what departs from good")
st.markdown(
    "Show the program photographs of good parts and it learns what good looks like; no defect is needed. "
    "Then it shows where, and how far, every new part departs from that, and you decide where to draw the line."
)

if inspectors:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader("Inspectors", width="stretch")
        if st.button("Build an inspector", type="primary"):
            session.open_page("pages/build.py")
        sample.open_button()
    sample.progress()
    inspector_cards.show(inspectors)
else:
    with st.container(border=True, key="panel_invite"):
        words, pictures = st.columns([2, 3], gap="large", vertical_alignment="center")
        with words:
            sample.invitation()
            with st.container(horizontal=True):
                sample.open_button(primary=True)
                if st.button("Build your own"):
                    session.open_page("pages/build.py")
            sample.progress()
        with pictures:
            sample.pictures()

st.space("small")
st.subheader("What to do next" if inspectors else "How it goes")
st.html(
    '<ol class="pc-ways">'
    '<li><b>1 Build</b><span class="pc-mute">Drop a folder of good parts, 30 or more. The files are checked '
    "before anything is computed, and a few minutes later there is an inspector.</span></li>"
    '<li><b>2 Inspect</b><span class="pc-mute">Drop test images. Each gets a score, a verdict and a map of where '
    "it departs from good, with the nearest good part beside it.</span></li>"
    '<li><b>3 Decide</b><span class="pc-mute">Move the threshold and watch the verdicts. It starts from the '
    "good images alone; a defect to calibrate on is not needed.</span></li></ol>"
)
