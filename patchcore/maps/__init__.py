"""Anomaly maps: the regions in them, and how they are drawn."""
