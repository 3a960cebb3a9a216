"""Owns the sample products: code that renders them, and the rendered photographs beside it."""
