"""Inspectors and their versions: building, loading, sharing, and what happened to each."""
