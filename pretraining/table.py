"""Owns the model card's table as text: ``python -m pretraining.table docs/backbone_table.json`` prints it."""

from __future__ import annotations

import json
import statistics
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

Rows = dict[str, dict[str, Any]]  # "backbone/set/seed" -> what pretraining.protocol measured


def _mean(found: list[dict[str, Any]], part: str, name: str) -> float:
    return statistics.mean(row[part][name] for row in found)


def cell(found: list[dict[str, Any]], seeds: int) -> str:
    """Return image AUROC, its range where it is not nil, pixel AUROC and AUPRO, and how many seeds if some lack."""
    if not found:
        return "not measured"
    areas = [row["image"]["auroc"] for row in found]
    low, high = f"{min(areas):.3f}", f"{max(areas):.3f}"
    text = f"{statistics.mean(areas):.3f}" + (f" [{low}, {high}]" if low != high else "")
    text += f" ({_mean(found, 'pixel', 'auroc'):.3f} / {_mean(found, 'pixel', 'aupro'):.3f})"
    return text if len(found) == seeds else f"{text}, seeds: {len(found)}"


def markdown(rows: Rows) -> str:
    """Return one line for each backbone, best first, and its mean image AUROC over all sets."""
    found: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for key, row in rows.items():
        backbone, label, _ = key.split("/")
        found[backbone][label].append(row)
    sets = sorted({label for of_one in found.values() for label in of_one})
    seeds = max(len(of_set) for of_one in found.values() for of_set in of_one.values())

    def mean(backbone: str) -> float:
        of_one = found[backbone]
        return statistics.mean(
            _mean(of_one[label], "image", "auroc") if of_one[label] else 0 for label in sets
        )

    lines = [f"| backbone | {' | '.join(sets)} | mean |", "| --- " * (len(sets) + 2) + "|"]
    for backbone in sorted(found, key=mean, reverse=True):
        cells = [cell(found[backbone][label], seeds) for label in sets]
        whole = all(found[backbone][label] for label in sets)
        lines.append(f"| `{backbone}` | {' | '.join(cells)} | {f'{mean(backbone):.3f}' if whole else '–'} |")
    return "\n".join(lines)


def kinds(rows: Rows) -> str:
    """Return image AUROC of each kind of defect, mean of the seeds, one line for each backbone and set."""
    found: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for key, row in rows.items():
        backbone, label, _ = key.split("/")
        for kind, image in row["types"].items():
            found[label, backbone][kind].append(image["auroc"])
    return "\n".join(
        f"{label}, {backbone}: " + ", ".join(f"{kind} {statistics.mean(v):.2f}" for kind, v in of_one.items())
        for (label, backbone), of_one in sorted(found.items())
    )


if __name__ == "__main__":
    measured = json.loads(Path(sys.argv[1]).read_text())
    sys.stdout.write(f"{markdown(measured)}\n\n{kinds(measured)}\n")
