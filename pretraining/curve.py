"""Owns the picture of the learning curves: ``python -m pretraining.curve LOG.json [...] PICTURE.png``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from matplotlib.figure import Figure

LOSSES = {"naming": "naming", "ranking": "ranking", "loss": "ranking"}  # as the logs call them


def draw(logs: list[Path], picture: Path) -> None:
    """Draw losses and held-out image AUROC against the training step, a row for each run.

    Parameters
    ----------
    logs : list of Path
        The ``log.json`` of each run.
    picture : Path
        PNG to write.
    """
    figure = Figure((9, 3.2 * len(logs)), layout="constrained")
    for log, (losses, areas) in zip(logs, figure.subplots(len(logs), 2, squeeze=False), strict=True):
        entries = json.loads(log.read_text())["log"]
        steps = [entry["step"] for entry in entries]
        for name, title in LOSSES.items():
            if name in entries[0]:
                losses.plot(steps, [entry[name] for entry in entries], label=title)
        judged = [entry for entry in entries if "held_out" in entry]
        looks = [entry["step"] for entry in judged]
        for name in judged[0]["held_out"]:
            areas.plot(looks, [entry["held_out"][name] for entry in judged], lw=0.8, alpha=0.6, label=name)
        areas.plot(looks, [entry["held_out_mean"] for entry in judged], "k", lw=2, label="mean")
        run = log.stem.removeprefix("backbone_").removesuffix("_log")
        for axes, title in ((losses, "loss"), (areas, "image AUROC, held-out products")):
            axes.set(title=f"{run}: {title}", xlabel="step")
            axes.legend(fontsize=7, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
            axes.grid(alpha=0.3)
    figure.savefig(picture, dpi=110)


if __name__ == "__main__":
    draw([Path(log) for log in sys.argv[1:-1]], Path(sys.argv[-1]))
