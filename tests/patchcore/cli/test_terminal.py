"""Rules as they are written on the command line, and numbers as they are shown."""

import pytest

from patchcore.cli.terminal import number, read_parameters, read_rule
from patchcore.errors import SettingsError
from patchcore.thresholds.operating_point import Choice


def test_rules_and_their_parameters():
    assert read_rule("from_good") == Choice("from_good")
    assert read_rule("from_good:budget=0.05") == Choice("from_good", {"budget": 0.05})
    assert read_rule("cheapest: cost_ratio=10, defect_rate=1e-3").parameters == {
        "cost_ratio": 10.0,
        "defect_rate": 0.001,
    }


@pytest.mark.parametrize("written", ["budget", "budget=", "=1", "budget=few", ""])
def test_malformed_parameters_are_refused(written):
    with pytest.raises(SettingsError, match="name=number"):
        read_parameters([written])


def test_numbers():
    assert number(None) == "-"
    assert number(0.123456) == "0.1235"
