"""What two processes that compute at the same time cost each other: `python -m benchmarks.neighbours`.

Each scores with the default network, alone and beside a second one, with the waits between threads that the C library
would choose and with those that `patchcore.process` asks for.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from functools import partial

import numpy as np

from benchmarks.machine import machine
from benchmarks.measuring import in_turn, timed
from patchcore import process

SPINS = {"as the library chooses": "300000", "as asked for": str(process.SPINS)}
IMAGES, ROUNDS = 20, 3
SETTLED = 6.0  # seconds until a neighbour has loaded its network


def main() -> None:
    if len(sys.argv) > 1:
        _score(int(sys.argv[1]))
        return
    print(f"{machine()}\n\n| waits between threads | alone | beside another process |\n| --- | --- | --- |")
    alone, beside = (
        in_turn({spins: partial(taken, spins) for spins in SPINS.values()}, ROUNDS, warm_up=False)
        for taken in (_taken, _beside)
    )
    for name, spins in SPINS.items():
        print(f"| {name} ({spins}) | {alone[spins]} | {beside[spins]} |")


def _score(images: int) -> None:
    """Print the median time of one image's features."""
    from patchcore.backbones import DEFAULT, load_backbone
    from patchcore.features import patch_features

    backbone = load_backbone(DEFAULT, device="cpu", engine="torch")
    picture = np.random.default_rng(0).random((224, 224, 3), np.float32)
    work = timed(lambda: patch_features(backbone, picture))
    for _ in range(3):
        work()
    print(statistics.median(work() for _ in range(images)))


def _command(spins: str, images: int) -> tuple[list[str], dict[str, str]]:
    return [sys.executable, "-m", "benchmarks.neighbours", str(images)], os.environ | {
        "GOMP_SPINCOUNT": spins
    }


def _taken(spins: str) -> float:
    command, environment = _command(spins, IMAGES)
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return float(done.stdout)


def _beside(spins: str) -> float:
    command, environment = _command(spins, 10**6)
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as neighbour:
        time.sleep(SETTLED)
        try:
            return _taken(spins)
        finally:
            neighbour.kill()


if __name__ == "__main__":
    main()
