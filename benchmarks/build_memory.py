"""Memory and time of building on many large images: `python -m benchmarks.build_memory [--images 1000] [--side 1024]`.

Renders textured pictures to a temporary folder, builds on them in this process, and prints the largest resident
memory the process had, by stage.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
from PIL import Image
from scipy import ndimage

from benchmarks.machine import machine
from patchcore import PatchCore


def render(folder: Path, count: int, side: int) -> list[Path]:
    """Write `count` JPEGs of a softly varying texture, each different."""
    generator = np.random.default_rng(0)
    base = ndimage.gaussian_filter(generator.standard_normal((side, side)), 3)
    base = 128 + 40 * base / base.std()
    paths = []
    for number in range(count):
        shifted = np.roll(base, generator.integers(side, size=2), axis=(0, 1))
        noisy = shifted + generator.normal(0, 4, (side, side))
        path = folder / f"{number:05d}.jpg"
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).convert("RGB").save(path, quality=85)
        paths.append(path)
    return paths


class Watch:
    """Notes when each stage began and the largest resident memory seen in it."""

    def __init__(self) -> None:
        self.process = psutil.Process()
        self.stages: dict[str, tuple[float, float, int]] = {}

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Be the progress callback."""
        now, resident = time.perf_counter(), self.process.memory_info().rss
        begun, _, peak = self.stages.get(stage, (now, now, 0))
        self.stages[stage] = (begun, now, max(peak, resident))

    def rows(self) -> Iterator[str]:
        """Lines of the table."""
        for stage, (begun, ended, peak) in self.stages.items():
            yield f"| {stage} | {ended - begun:.1f} | {peak / 2**20:.0f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--coreset", type=float, default=0.10)
    arguments = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        paths = render(Path(folder), arguments.images, arguments.side)
        watch = Watch()
        before = watch.process.memory_info().rss
        start = time.perf_counter()
        model = PatchCore(coreset=arguments.coreset).fit(paths, progress=watch)
        seconds = time.perf_counter() - start
    print(
        f"{arguments.images} images of {arguments.side} x {arguments.side}, default backbone, coreset "
        f"{arguments.coreset:.0%}: {len(model.bank_)} rows of {model.bank_.total_patches} patches in {seconds:.0f} s"
    )
    print(
        f"\n| stage | seconds | largest resident MiB |\n| --- | --- | --- |\n| before | | {before / 2**20:.0f} |"
    )
    print("\n".join(watch.rows()))
    print(f"\nlargest resident memory of the process: {peak_resident() / 2**20:.0f} MiB")


def peak_resident() -> int:
    """Largest resident memory of this process since its start, bytes."""
    # Linux, whose getrusage also counts what the process was before it became this program
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) * 1024
    try:
        import resource
    except ImportError:  # Windows
        return int(psutil.Process().memory_info().peak_wset)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
