"""Finished rows, kept as CSV: the table's text on a work, and the figures for the pictures of growth."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path

from lab import tables

WORDS = ("work", "here", "peers", "ratio", "limit")
SECONDS = ("features", "coreset", "calibration", "score", "reference", "anomalib")


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes
    ----------
    work, here, peers, ratio, limit
        The table's text: the work, its time here and at the peers, the ratio, and the limit.
    grows, size
        The row's picture of growth, and its place on the axis.
    features, coreset, calibration, score, reference, anomalib
        Seconds of a build's stages, of one score afterwards, and of the peers' coresets.
    gibibytes
        Largest resident memory.
    """

    work: str
    here: str
    peers: str = ""
    ratio: str = ""
    limit: str = ""
    grows: str = ""
    size: int | None = None
    features: float | None = None
    coreset: float | None = None
    calibration: float | None = None
    score: float | None = None
    reference: float | None = None
    anomalib: float | None = None
    gibibytes: float | None = None

    def markdown(self) -> str:
        """Write the line."""
        return tables.line(getattr(self, name) for name in WORDS)


HEAD = tables.head("work", "here", "peers", "peers / here", "limit")


def append(path: Path, row: Row) -> None:
    """Append a row to the file, which is made if absent."""
    tables.append(path, {name: _text(value) for name, value in asdict(row).items()})


def read(path: Path) -> list[Row]:
    """Read the rows of a file."""
    return [Row(**{f.name: _value(f.name, line[f.name]) for f in fields(Row)}) for line in tables.read(path)]  # type: ignore[arg-type]


def _text(value: object) -> str:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def _value(name: str, text: str) -> str | float | None:
    if name in (*WORDS, "grows"):
        return text
    return None if not text else int(text) if name == "size" else float(text)
