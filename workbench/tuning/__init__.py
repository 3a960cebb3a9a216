"""Setting thresholds, reviewing and teaching: what is known, and what a decision would change."""
