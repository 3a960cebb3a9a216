"""The clock of the day, set as a test wants it, for everything that asks the workbench for the time."""

from datetime import datetime

from workbench.storage import timestamps


def set_clock(monkeypatch, moment):
    """Let the clock stand at a moment."""

    class Stopped(datetime):
        @classmethod
        def now(cls, tz=None):
            return moment.astimezone(tz)

    monkeypatch.setattr(timestamps, "datetime", Stopped)
