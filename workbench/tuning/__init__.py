"""Setting thresholds, reviewing and teaching: the evidence, and the effect of a decision."""
