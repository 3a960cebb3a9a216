"""Prints the table of finished rows and draws their growth: `python -m lab.speed.tables FILE [--pictures FOLDER]`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

from lab.speed.rows import HEAD, Row, read

mpl.use("Agg")
from matplotlib import pyplot

BUILDS = {"images": "images", "rows": "rows of the bank", "pixels": "side of the input, px"}
CORESETS = ("patches, 1%", "patches, 10%")


def text(rows: Sequence[Row]) -> str:
    """Write the table."""
    return "\n".join([HEAD, *(row.markdown() for row in rows)])


def draw(rows: Sequence[Row], folder: Path) -> None:
    """Write `growth_build.svg` and `growth_coreset.svg`."""
    figure, axes = pyplot.subplots(1, len(BUILDS), figsize=(12, 3.6), layout="constrained")
    for axis, (grows, label) in zip(axes, BUILDS.items(), strict=True):
        _builds(axis, [row for row in rows if row.grows == grows], label)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=8)
    figure.savefig(folder / "growth_build.svg")
    figure, axis = pyplot.subplots(figsize=(5, 3.6), layout="constrained")
    for grows in CORESETS:
        own, share = [row for row in rows if row.grows == grows], grows.split()[-1]
        _line(axis, own, "coreset", "o-", label=share)
        for peer in ("anomalib", "reference"):
            _line(axis, own, peer, "x--", label=f"{share}, {peer}", alpha=0.6)
    axis.set(xlabel="patches", ylabel="seconds", title="coreset")
    axis.legend(fontsize=8)
    figure.savefig(folder / "growth_coreset.svg")


def _builds(axis: Any, rows: Sequence[Row], label: str) -> None:
    for stage in ("features", "coreset", "calibration"):
        _line(axis, rows, stage, "o-", label=f"{stage}, s")
    _line(axis, rows, "score", "s-", label="one score, s")
    _line(axis, rows, "gibibytes", "^:", label="peak memory, GiB")
    axis.set(xlabel=label, title=f"growing {label.split(',', maxsplit=1)[0]}")
    across = [row.size for row in rows]
    axis.set_xticks(across, [f"{size:,}" for size in across], rotation=30)
    axis.set_xticks([], minor=True)


def _line(axis: Any, rows: Sequence[Row], figure: str, style: str, **how: Any) -> None:
    points = [(row.size, value) for row in rows if (value := getattr(row, figure)) is not None]
    if points:
        axis.loglog(*zip(*points, strict=True), style, **how)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--pictures", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    rows = read(options.file)
    print(text(rows))
    if options.pictures:
        draw(rows, options.pictures)


if __name__ == "__main__":
    main()
