"""Numbers in the address: what a page never writes there is as if nothing stood there."""

from streamlit.testing.v1 import AppTest

NUMBERS = {
    "7": (7, 7.0),
    "0.25": (None, 0.25),
    "9" * 18: (int("9" * 18), None),
    "9" * 19: (None, None),
    "9" * 49: (None, None),
    "9" * 5_000: (None, None),
    "٣": (None, 3.0),
    "²": (None, None),
    "1e300": (None, None),
    "nan": (None, None),
    "inf": (None, None),
    "-1": (None, None),
    "0x10": (None, None),
    "7\0": (None, None),
    "": (None, None),
}


def app(texts):
    import streamlit as st

    from workbench.widgets.shared import session

    found = {}
    for text in texts:
        st.query_params["n"] = text
        found[text] = session.chosen_number("n"), session.chosen_amount("n")
    st.session_state["found"] = found


def test_a_number_that_no_page_writes_is_no_choice():
    run = AppTest.from_function(app, args=(tuple(NUMBERS),), default_timeout=30).run()
    assert not run.exception and run.session_state["found"] == NUMBERS
