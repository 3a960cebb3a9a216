"""One page for all parts of the viewer, so that the browser tests load it once: a box holds the wanted part, as JSON.

``{"part": "gallery", "number": 3, "count": 60}`` draws `gallery.draw` with these parameters; a new number starts the
part from nothing, as a new page would. The address may hold the same text as its value ``wanted``.
"""

import json

import streamlit as st

from tests.browser.apps import detail, gallery, opened, painting, roi, slow, tune
from workbench.viewer import kept_files

PARTS = {
    one.__name__.rpartition(".")[2]: one.draw for one in (detail, gallery, opened, painting, roi, slow, tune)
}

with kept_files():
    st.set_page_config(layout="wide", page_title="Viewers")
    wanted = json.loads(st.text_input("Wanted", st.query_params.get("wanted", "{}"), key="wanted"))
    if wanted:
        draw, number = PARTS[wanted.pop("part")], wanted.pop("number")
        with st.container(key=f"part_{number}"):
            state = st.session_state.setdefault(f"state_{number}", {})
            draw(state, f"viewer_{number}", **wanted)
