"""Turns: the order in which batches are scored, the pace of scoring, and the rows of the queue."""
