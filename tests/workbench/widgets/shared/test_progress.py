import pytest
from streamlit.testing.v1 import AppTest

from workbench.widgets.shared import progress


@pytest.mark.parametrize(("done", "total", "share"), [(0, 0, 0.0), (1, 4, 0.25), (5, 4, 1.0)])
def test_a_share_lies_between_nothing_and_all(done, total, share):
    assert progress.share(done, total) == share


def app():
    import streamlit as st

    from workbench.widgets.shared import progress

    with progress.bar("Storing images") as move:
        move("storing images", 1, 4)
        st.session_state["moved"] = True


def test_a_bar_disappears_with_its_block():
    run = AppTest.from_function(app).run()
    assert not run.exception and run.session_state["moved"]
    assert not run.get("progress")
