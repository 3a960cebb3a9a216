"""What leaves the workspace: results as CSV, overlays as a zip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

from workbench.database import Result
from workbench.inspectors import OperatingPoint
from workbench.workspace import Workspace


def results_csv(workspace: Workspace, results: Sequence[Result], point: OperatingPoint) -> bytes:
    """Return UTF-8 CSV (with a byte-order mark, for spreadsheets): one row an image.

    Columns: file, score, verdict, threshold, worst box, number of regions, largest region, regions, error.
    Text that a spreadsheet would take for a formula is preceded by an apostrophe.
    """
    raise NotImplementedError


def write_overlays(
    workspace: Workspace,
    results: Sequence[Result],
    point: OperatingPoint,
    target: BinaryIO,
    *,
    mode: str = "both",
    opacity: float = 0.6,
) -> None:
    """Write a zip with an overlay PNG for every scored image, image by image, named as the images were."""
    raise NotImplementedError
