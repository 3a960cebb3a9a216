"""Timestamps: the day by the clock on the wall, also when that clock changes."""

import time
from datetime import UTC, datetime

import pytest

from tests.workbench.clocks import set_clock
from workbench.storage.timestamps import last_midnight


@pytest.fixture
def berlin(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("moment", "begun"),
    [
        ((2026, 3, 29, 10), (2026, 3, 28, 23)),  # summer time began at night
        ((2026, 10, 25, 10), (2026, 10, 24, 22)),  # and ended
        ((2026, 7, 1, 23), (2026, 7, 1, 22)),  # tomorrow already, by the wall
    ],
)
def test_a_day_begins_at_midnight_on_the_wall(berlin, monkeypatch, moment, begun):
    set_clock(monkeypatch, datetime(*moment, tzinfo=UTC))
    assert last_midnight() == datetime(*begun, tzinfo=UTC)
