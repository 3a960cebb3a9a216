"""How time and memory grow: `python -m benchmarks.growth FILE` plots what `python -m benchmarks` wrote."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot

IMAGES = Path("docs/images")


def plot(rows: list[dict[str, Any]], folder: Path) -> None:
    """Write `growth_build.svg` and `growth_coreset.svg`."""
    builds = [row for row in rows if "grows" in row]
    figure, axes = pyplot.subplots(1, 3, figsize=(12, 3.6), layout="constrained")
    _lines(axes[0], [b for b in builds if b["grows"] == "images"], "images", "images")
    _lines(axes[1], [b for b in builds if b["grows"] == "rows"], "rows", "rows of the bank")
    _lines(axes[2], [b for b in builds if b["grows"] == "pixels"], "side", "side of the input, px")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=8)
    figure.savefig(folder / "growth_build.svg")
    figure, axis = pyplot.subplots(figsize=(5, 3.6), layout="constrained")
    coresets = [row for row in rows if row.get("extra")]
    for share in (0.01, 0.1):
        own = [row for row in coresets if abs(row["picks"] / row["size"] - share) < share / 10]
        axis.loglog([row["size"] for row in own], [row["seconds"] for row in own], "o-", label=f"{share:.0%}")
        for peer in sorted({name for row in own for name in row["peers"]}):
            theirs = [(row["size"], row["peers"][peer]) for row in own if peer in row["peers"]]
            axis.loglog(*zip(*theirs, strict=True), "x--", label=f"{share:.0%}, {peer}", alpha=0.6)
    axis.set(xlabel="patches", ylabel="seconds", title="coreset")
    axis.legend(fontsize=8)
    figure.savefig(folder / "growth_coreset.svg")


def _lines(axis: Any, builds: list[dict[str, Any]], along: str, label: str) -> None:
    across = [build[along] for build in builds]
    for stage in ("features", "coreset", "calibration"):
        axis.loglog(across, [build["stages"][stage] for build in builds], "o-", label=f"{stage}, s")
    axis.loglog(across, [build["score"] for build in builds], "s-", label="one score, s")
    axis.loglog(across, [build["peak"] / 2**30 for build in builds], "^:", label="peak memory, GiB")
    axis.set(xlabel=label, title=f"growing {label.split(',', maxsplit=1)[0]}")
    axis.set_xticks(across, [f"{value:,}" for value in across], rotation=30)
    axis.set_xticks([], minor=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    plot(json.loads(parser.parse_args().file.read_text())["rows"], IMAGES)


if __name__ == "__main__":
    main()
