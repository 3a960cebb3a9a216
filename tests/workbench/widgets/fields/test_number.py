"""Fields for numbers: what people type is read as they mean it, or refused with a sentence; never as something else."""

import pytest
from streamlit.testing.v1 import AppTest

from workbench.widgets.fields.number import NotANumber, read, show


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0,5", 0.5),
        ("0.5", 0.5),
        (" ,25 ", 0.25),
        ("-1,5", -1.5),
        ("\u22121.5", -1.5),  # a minus sign of typography
        ("1 234,5", 1234.5),
        ("1\u202f234", 1234.0),
        ("0,005", 0.005),
        ("1.234", 1.234),  # fields show points: a point is always a decimal point
        ("2e-3", 0.002),
        ("12,3456", 12.3456),
        ("7.", 7.0),
    ],
)
def test_numbers_are_read_with_a_comma_or_a_point(text, number):
    assert read(text) == number


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("abc", "“abc” is not a number."),
        ("", "is not a number"),
        ("5 mm", "is not a number"),
        ("1,2,3", "is not a number"),
        ("1.234,5", "is not a number"),
        ("1/2", "is not a number"),
        ("nan", "is not a number"),
        ("inf", "is not a number"),
        ("1e999", "too large"),
        ("1,234", r"can be read in two ways\. Write 1234 or 1\.2340\."),
        ("-12,500", r"Write -12500 or -12\.5000\."),
    ],
)
def test_other_texts_are_refused(text, sentence):
    with pytest.raises(NotANumber, match=sentence):
        read(text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("2,5", "not a whole number"), ("1.000", r"two ways\. Write 1000\."), ("0", "1 to 9"), ("10", "1 to 9")],
)
def test_a_whole_number_within_bounds(text, sentence):
    assert read("3", least=1, most=9, digits=0) == 3
    with pytest.raises(NotANumber, match=sentence):
        read(text, least=1, most=9, digits=0)


def test_a_number_comes_back_as_it_is_shown():
    for value in (0.5, 1234.0, 1e-7, 3.25, 4095.0):
        assert read(show(value)) == value
    assert (show(1.25, 4), show(200, 0), show(None)) == ("1.2500", "200", "")


def page():
    import streamlit as st

    from workbench.widgets.fields import number

    st.session_state.setdefault("scale", 0.5)
    number.draw(
        "Scale",
        key="field",
        value=st.session_state.scale,
        on_change=lambda v: st.session_state.update(scale=v),
        least=0,
    )
    found = number.keep("At least", key="lowest", default=None, optional=True)
    st.markdown(f"scale {st.session_state.scale}, lowest {found}")


def test_a_refused_text_leaves_the_number_as_it_was_and_says_so():
    app = AppTest.from_function(page).run()
    app.text_input(key="field").set_value("0,25").run()
    assert app.markdown[0].value == "scale 0.25, lowest None" and not app.caption
    app.text_input[0].set_value("abc").run()
    assert app.markdown[0].value == "scale 0.25, lowest None"
    assert "abc" in app.caption[0].value and "stays" in app.caption[0].value
    assert app.text_input[0].value == "0.25"
    app.text_input[0].set_value("1").run()
    assert app.markdown[0].value == "scale 1.0, lowest None" and not app.caption


def test_a_number_that_may_be_missing_is_emptied_again():
    app = AppTest.from_function(page).run()
    app.text_input[1].set_value("3,5").run()
    assert app.markdown[0].value == "scale 0.5, lowest 3.5"
    app.text_input[1].set_value("").run()
    assert app.markdown[0].value == "scale 0.5, lowest None" and not app.caption
