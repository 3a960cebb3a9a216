"""Keeping a workspace in order: check and repair, retention, the bin."""
