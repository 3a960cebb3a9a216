"""Rules that set thresholds, and the operating point that holds them."""
