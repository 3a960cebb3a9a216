"""Rows on disk, as CSV, and lines of a Markdown table."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path


def append(path: Path, values: Mapping[str, object]) -> None:
    """Append a row to a CSV file, which is made if absent, with the row's names as its head."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, tuple(values), lineterminator="\n")
        if fresh:
            writer.writeheader()
        writer.writerow(values)


def read(path: Path) -> list[dict[str, str]]:
    """Read the rows of a CSV file; an absent file has no rows."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def line(cells: Iterable[str]) -> str:
    """Write one line."""
    return f"| {' | '.join(cells)} |"


def head(*names: str) -> str:
    """Write the two lines above the rows."""
    return f"{line(names)}\n{line(['---'] * len(names))}"
