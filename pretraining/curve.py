"""Owns the picture of the learning curve: ``python -m pretraining.curve LOG.json PICTURE.png``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from matplotlib.figure import Figure


def draw(log: Path, picture: Path) -> None:
    """Draw losses and held-out image AUROC against the training step.

    Parameters
    ----------
    log : Path
        The ``log.json`` of a run.
    picture : Path
        PNG to write.
    """
    entries = json.loads(log.read_text())["log"]
    steps = [entry["step"] for entry in entries]
    figure = Figure((9, 3.2), layout="constrained")
    losses, areas = figure.subplots(1, 2)
    for name in ("naming", "ranking"):
        losses.plot(steps, [entry[name] for entry in entries], label=name)
    for name in entries[0]["held_out"]:
        areas.plot(steps, [entry["held_out"][name] for entry in entries], lw=0.8, alpha=0.6, label=name)
    areas.plot(steps, [entry["held_out_mean"] for entry in entries], "k", lw=2, label="mean")
    for axes, title in ((losses, "loss"), (areas, "image AUROC, held-out products")):
        axes.set(title=title, xlabel="step")
        axes.legend(fontsize=7, frameon=False)
        axes.grid(alpha=0.3)
    figure.savefig(picture, dpi=110)


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]))
