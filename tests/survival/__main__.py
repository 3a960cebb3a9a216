"""Kills the dashboard's processes at random moments of their work and prints what was left each time."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from lab.machine import machine
from tests.survival.lives import Life, Outcome, draw_moments

IN_A_LIFE = 5


def row(number: int, life: int, outcome: Outcome) -> list[str]:
    moment = outcome.moment
    return [
        str(number),
        str(life),
        f"{moment.kind.name} at {moment.share:.0%} + {moment.delay * 1e3:.0f} ms",
        moment.victim,
        ", ".join(f"{count} {name}" for name, count in outcome.told.items()),
        "; ".join(outcome.found) or "nothing",
        "; ".join(outcome.left) or "nothing",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moments", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    table = Table(
        "", "life", "killed while", "whom", "told as saved, all there", "check repaired", "check left"
    )
    began, number = time.monotonic(), 0
    with tempfile.TemporaryDirectory(prefix="survival-") as folder:
        for life, first in enumerate(range(0, options.moments, IN_A_LIFE), start=1):
            moments = draw_moments(min(IN_A_LIFE, options.moments - first), options.seed + life)
            for outcome in Life(Path(folder) / str(life)).live(moments):
                number += 1
                table.add_row(*row(number, life, outcome))
    console = Console()
    console.print(machine(), highlight=False)
    console.print(table)
    seconds = time.monotonic() - began
    console.print(
        f"{number} kills in {life} lives of a workspace (seed {options.seed}), {seconds:.0f} s. Each life ended with "
        "every image stored and scored once, every inspector loading, no stored features computed twice, and nothing "
        "left for the check.",
        highlight=False,
    )


if __name__ == "__main__":
    main()
