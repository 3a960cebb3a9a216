"""Findings of the check of a workspace: a thing, its fault, and its repair."""

from collections.abc import Callable
from dataclasses import dataclass

from workbench.upkeep.quarantine import Bin


class CannotRepair(Exception):
    """The program cannot repair a finding; the message says why."""


@dataclass(frozen=True)
class Finding:
    """One fault in a workspace.

    `repair` mends it, and is None where only the user can. It checks once more before it touches anything, because the
    dashboard may be running: a fault that has gone by then is left alone.
    """

    place: str  # a file from the workspace's root, or a row
    trouble: str  # the fault, a clause
    remedy: str  # the action of `repair` or of the user, a clause
    repair: Callable[[Bin], None] | None = None
