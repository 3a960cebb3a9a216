"""Finished rows, kept as CSV: a line for each variant, set and seed."""

import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from lab import tables
from patchcore.methods import DEFAULT_METHOD, METHODS


@dataclass(frozen=True)
class Variant:
    """Network, method and settings of a measurement.

    Attributes
    ----------
    backbone, image_size, geometry, coreset
        As for :class:`patchcore.PatchCore`; the share plays no part for methods without a coreset.
    layers
        The network's layers; empty for its own.
    method
        Name in the registry of `patchcore.methods`.
    """

    backbone: str
    image_size: int = 224
    geometry: str = "fit"
    coreset: float = 0.10
    layers: tuple[str, ...] = ()
    method: str = DEFAULT_METHOD

    def settings(self) -> dict[str, Any]:
        """Return the arguments of the detector."""
        settings = {f.name: getattr(self, f.name) for f in fields(self)} | {"layers": self.layers or None}
        if "coreset" not in METHODS[self.method].settings:
            del settings["coreset"]
        return settings

    def __str__(self) -> str:
        """Say it in a few words, the usual left out."""
        parts = [METHODS[self.method].label] if self.method != DEFAULT_METHOD else []
        parts += [self.backbone, f"{self.image_size} px"]
        parts += [self.geometry] if self.geometry != "fit" else []
        parts += [f"{self.coreset:.0%}"] if self.coreset != 0.10 else []
        parts += ["+".join(self.layers)] if self.layers else []
        return ", ".join(parts)


@dataclass(frozen=True)
class Row:
    """The figures of one build; NaN, or None for a count, where a figure is undefined.

    Attributes
    ----------
    name, seed
        The set, and the seed of the build.
    good, defects
        Test images of each kind.
    image_auroc, low, high, average_precision
        Of the images; the 95 % interval is the evaluation's bootstrap.
    pixel_auroc, aupro
        Of the maps; AUPRO up to a false-positive rate of 0.30.
    false_rejects, escapes, review
        Images at the thresholds that a build sets by default.
    seconds
        Of learning and calibrating, once the features of the good images are there.
    milliseconds
        From file to score, the median of some images, each timed in its quickest of three.
    megabytes
        Size of the learned part of the model, in memory.
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
    seconds: float
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
        line["method"],
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
