"""Choices in the address: numbers that no page writes, and choices that one write must not lose."""

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


def part_of_a_page():
    """A run in which a callback makes one choice and nothing reads the others."""
    import streamlit as st

    from workbench.widgets.shared import session

    if st.session_state.get("drawn") is None:
        st.session_state["drawn"] = True
        for name in ("trial", "image", "batch"):
            session.chosen(name)
        session.choose("trial", "by hand")
        session.choose("image", 8)
        session.choose("image", 9)
        session.choose("batch", 1)
        session.forget("batch")
    else:
        session.choose("look", 43)


def test_a_choice_takes_no_other_one_out_of_the_address_that_the_browser_has_not_heard_of():
    run = AppTest.from_function(part_of_a_page, default_timeout=30).run()
    assert address_of(run) == {"trial": "by hand", "image": "9"}
    del run.query_params["trial"]  # as the browser has it that sent the run before it heard of the first
    run.query_params["image"] = "8"
    run.query_params["batch"] = "1"
    run.run()
    assert address_of(run) == {"trial": "by hand", "image": "9", "look": "43"}


def address_of(run):
    return {name: held if isinstance(held, str) else held[0] for name, held in dict(run.query_params).items()}
