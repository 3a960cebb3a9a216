"""Evaluating: what the page Evaluate stands on, under one roof."""

from __future__ import annotations

from workbench.auditing import Audited, audit
from workbench.comparing import Comparison, Disagreement, compare
from workbench.measuring import StoredScore, evaluation_of, labelled_scores
from workbench.reporting import report_of
from workbench.sweeping import latest_sweep, start_sweep

__all__ = [
    "Audited",
    "Comparison",
    "Disagreement",
    "StoredScore",
    "audit",
    "compare",
    "evaluation_of",
    "labelled_scores",
    "latest_sweep",
    "report_of",
    "start_sweep",
]
