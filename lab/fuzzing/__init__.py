"""Fuzzing of everything that reads a stranger's input, by hand: `python -m lab.fuzzing --minutes 60`."""
