"""Peak memory and time of the pixel metrics on many large maps: `python -m benchmarks.metrics_memory`.

Maps are made one at a time, as they come from scoring: smooth noise with raised blobs under the masks, every score
different, so that the counts cannot profit from repeats. Memory is the peak resident size of this process.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from patchcore.metrics import PixelMetrics

KINDS = ("good", "dent", "crack", "stain", "scratch")


def scenes(count: int, size: int, seed: int = 0) -> Iterator[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:size, :size].astype(np.float32) / size
    for number in range(count):
        coarse = rng.gamma(9.0, 0.25, (size // 8, size // 8)).astype(np.float32)
        scores = ndimage.zoom(coarse, 8, order=1)
        scores += rng.random(scores.shape, np.float32) * np.float32(0.05)
        (x, y), radius = rng.uniform(0.1, 0.9, 2), rng.uniform(0.02, 0.08)
        mask = (columns - x) ** 2 + (rows - y) ** 2 < radius**2
        if number % len(KINDS):  # the first kind is good
            scores[mask] += np.float32(rng.uniform(0.5, 3))
        yield scores, mask


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--maps", type=int, default=500)
    parser.add_argument("--size", type=int, default=1024)
    options = parser.parse_args()
    metrics, spent = PixelMetrics(), 0.0
    for number, (scores, mask) in enumerate(scenes(options.maps, options.size)):
        kind = KINDS[number % len(KINDS)]
        start = time.perf_counter()
        metrics.add(scores, None if kind == "good" else mask, defect_type=kind)
        spent += time.perf_counter() - start
    start = time.perf_counter()
    found = metrics.result()
    metrics.by_type()
    ended = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{options.maps} maps of {options.size} x {options.size}, {len(KINDS) - 1} defect types")
    print(f"peak memory {peak:.2f} GB, {spent / options.maps * 1e3:.0f} ms a map, results in {ended:.1f} s")
    print(f"pixel AUROC {found.auroc:.6f} (grouping changes it by at most {found.bin_error:.1e})")
    print(f"average precision {found.average_precision:.6f}, AUPRO {found.aupro:.6f}")


if __name__ == "__main__":
    main()
