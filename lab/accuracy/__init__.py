"""Accuracy of inspectors on every labelled set below a folder."""
