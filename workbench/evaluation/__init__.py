"""Labelled batches measured: metrics, comparison, audit, report and certificate."""
