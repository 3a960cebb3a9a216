"""The page Build."""
