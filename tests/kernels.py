"""Compiles the program's loops once: without that, each process that tests at once would compile them for itself."""

import os

import numpy as np

os.environ.setdefault("OMP_NUM_THREADS", "1")


def main() -> None:
    """Build and use a small inspector of each method that has compiled loops of its own."""
    from patchcore import PaDiM, PatchCore

    rng = np.random.default_rng(0)
    good = [(f"{number}.png", rng.integers(0, 255, (64, 64, 3), np.uint8)) for number in range(3)]
    PaDiM(image_size=64, dims_used=20).fit(good).score(good[0][1])
    PatchCore(image_size=64).fit(good).score(good[0][1])


if __name__ == "__main__":
    main()
