"""Finished rows, kept as CSV: a line for each variant, set and seed."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from lab import tables


@dataclass(frozen=True)
class Variant:
    """Network and settings of a measurement.

    Attributes
    ----------
    backbone, image_size, geometry, coreset
        As for :class:`patchcore.PatchCore`.
    layers
        The network's layers; empty for its own.
    """

    backbone: str
    image_size: int = 224
    geometry: str = "fit"
    coreset: float = 0.10
    layers: tuple[str, ...] = ()

    def settings(self) -> dict[str, Any]:
        """Return the arguments of the detector."""
        return {**{f.name: getattr(self, f.name) for f in fields(self)}, "layers": self.layers or None}

    def __str__(self) -> str:
        """Return the variant in a few words, without default values."""
        parts = [self.backbone, f"{self.image_size} px"]
        parts += [self.geometry] if self.geometry != "fit" else []
        parts += [f"{self.coreset:.0%}"] if self.coreset != 0.10 else []
        parts += ["+".join(self.layers)] if self.layers else []
        return ", ".join(parts)


@dataclass(frozen=True)
class Row:
    """The results of one measurement; NaN, or None for a count, if not defined.

    Attributes
    ----------
    name, seed
        The set, and the seed of the build.
    good, defects
        Test images of each kind.
    image_auroc, low, high, average_precision
        Measures of the images; the 95 % interval is the evaluation's bootstrap.
    pixel_auroc, aupro
        Measures of the maps; AUPRO up to a false-positive rate of 0.30.
    false_rejects, escapes, review
        Images at the thresholds that a build sets by default.
    milliseconds
        From file to score, the median of some images, each timed in its quickest of three.
    megabytes
        Size of the bank.
    """

    variant: Variant
    name: str
    seed: int
    good: int
    defects: int
    image_auroc: float
    low: float
    high: float
    average_precision: float
    pixel_auroc: float
    aupro: float
    false_rejects: int | None
    escapes: int | None
    review: int | None
    milliseconds: float
    megabytes: float

    @property
    def key(self) -> tuple[Variant, str, int]:
        """Identifies the row."""
        return self.variant, self.name, self.seed


MEASURED = tuple(f.name for f in fields(Row) if f.name != "variant")
COUNTS = ("seed", "good", "defects", "false_rejects", "escapes", "review")


def append(path: Path, row: Row) -> None:
    """Append a row to the file, which is made if absent."""
    variant = asdict(row.variant) | {"layers": "+".join(row.variant.layers)}
    tables.append(path, variant | {name: _text(getattr(row, name)) for name in MEASURED})


def read(path: Path) -> list[Row]:
    """Read the rows of a file; an absent file has no rows."""
    return [_row(line) for line in tables.read(path)]


def _row(line: dict[str, str]) -> Row:
    variant = Variant(
        line["backbone"],
        int(line["image_size"]),
        line["geometry"],
        float(line["coreset"]),
        tuple(line["layers"].split("+")) if line["layers"] else (),
    )
    return Row(variant, **{name: _value(name, line[name]) for name in MEASURED})


def _value(name: str, text: str) -> Any:
    if name == "name":
        return text
    if name in COUNTS:
        return int(text) if text else None
    return float(text) if text else math.nan


def _text(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return f"{value:.4f}" if isinstance(value, float) else str(value)
