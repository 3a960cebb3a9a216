"""Curves, intervals, bootstrap, histogram and drift tests, of plain numbers."""
