"""Inspectors and their versions: building, loading, export and import, thresholds, and timeline."""
