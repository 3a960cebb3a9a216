"""The values that an option may have."""

import math

import pytest

from patchcore.errors import SettingsError
from workbench.watching.outputs.declaration import Option


def option(kind, **bounds):
    return Option("some", "--some", kind, "Some", "Some.", None, **bounds)


@pytest.mark.parametrize(
    ("one", "value"),
    [
        (option("switch"), True),
        (option("whole", least=1, most=9), 9),
        (option("number", least=0), 0.5),
        (option("number"), -3),
        (option("text"), ""),
        (option("folder"), "line 3/sorted"),
    ],
)
def test_fitting_value_passes(one, value):
    one.check(value)


@pytest.mark.parametrize(
    ("one", "value", "sentence"),
    [
        (option("switch"), 1, "Some: it must be true or false, not 1."),
        (
            option("whole", least=1, most=9),
            10,
            "Some: it must be a whole number of at least 1 and at most 9, not 10.",
        ),
        (option("whole"), 1.5, "Some: it must be a whole number, not 1.5."),
        (option("whole"), True, "Some: it must be a whole number, not True."),
        (option("number", least=0), -1.0, "Some: it must be a number of at least 0, not -1.0."),
        (option("number"), math.nan, "Some: it must be a number, not nan."),
        (option("file"), 7, "Some: it must be text, not 7."),
        (option("folder"), "a\0b", "Some: it must be text, not 'a\\x00b'."),
    ],
)
def test_other_value_is_refused_with_the_allowed_values(one, value, sentence):
    with pytest.raises(SettingsError) as refusal:
        one.check(value)
    assert str(refusal.value) == sentence
