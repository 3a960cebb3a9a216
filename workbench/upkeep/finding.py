"""What the check of a workspace can find: a thing, what is wrong with it, and what mends it."""

from collections.abc import Callable
from dataclasses import dataclass

from workbench.upkeep.quarantine import Bin


class CannotRepair(Exception):
    """What was found cannot be mended by the program; the message says why."""


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be.

    `repair` mends it, and is None where only the user can. It looks again before it touches anything, because the
    dashboard may have gone on working: what is in order by then is left alone.
    """

    place: str  # a file from the workspace's root, or a row
    trouble: str  # what is wrong, a clause
    remedy: str  # what `repair` does, or what the user must do, a clause
    repair: Callable[[Bin], None] | None = None
