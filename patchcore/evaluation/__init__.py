"""Labelled sets, and how well an inspector tells defects from good parts on them."""
