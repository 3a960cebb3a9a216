"""Scoring on the pages: one bar for every page that waits for scores, its words, and the deletion of a batch."""
