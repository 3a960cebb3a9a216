"""Anomaly maps: their regions, and their painting."""
