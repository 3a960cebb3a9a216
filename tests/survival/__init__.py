"""Killing the dashboard's processes at random moments, and looking at what is left: `python -m tests.survival`."""
