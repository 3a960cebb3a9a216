"""Decoding in a child process beside decoding in this one: `python -m lab.speed.decoding`.

A photograph of the sample product is saved at several sizes up to 2 megapixels in every format, and decoded both ways
in turn. The command prints the medians, their difference, and the processor time that both processes take more. It
fails where the child costs more than 5 ms.
"""

import argparse
import io
import time

import numpy as np
import psutil
from PIL import Image

from lab import tables
from lab.machine import machine
from lab.speed.inputs import pictures
from lab.speed.timing import Work, in_turn, timed
from patchcore.images.decoding.decoders import decode
from patchcore.images.decoding.pool import Pool
from patchcore.images.formats import sniff_format
from patchcore.images.raw_image import Limits

SIDES = (224, 700, 1414)  # 0.05, 0.5 and 2.0 megapixels
FORMATS: dict[str, dict[str, object]] = {
    "PNG": {},
    "JPEG": {"quality": 90},
    "BMP": {},
    "TIFF": {},
    "WebP": {"quality": 90},
    "PPM": {},
}
MOST = 0.005  # seconds that the child may cost
COLUMNS = ("picture", "file, MB", "here, ms", "child, ms", "more, ms", "processor time more, ms")


def processor_time(process: psutil.Process) -> float:
    """Return the seconds of processor time of a process so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def counted(work: Work, processes: list[psutil.Process], spent: list[float]) -> Work:
    """Turn a work into one that also notes the processor time of these processes."""

    def run() -> float:
        before = sum(map(processor_time, processes))
        seconds = work()
        spent.append(sum(map(processor_time, processes)) - before)
        return seconds

    return run


def compared(pool: Pool, child: psutil.Process, side: int, kind: str, rounds: int) -> float:
    """Print a row for a photograph in one format; return the seconds that the child costs."""
    buffer = io.BytesIO()
    (picture,) = pictures(1, side)
    Image.fromarray((picture * 255).astype(np.uint8)).save(buffer, kind, **FORMATS[kind])
    data, limits = buffer.getvalue(), Limits()
    container = sniff_format(data)
    assert container is not None
    spent: dict[str, list[float]] = {"here": [], "child": []}
    both = [psutil.Process(), child]
    works = {
        "here": counted(timed(lambda: decode(container, data, "part", limits)), both, spent["here"]),
        "child": counted(timed(lambda: pool.decode(container, data, "part", limits)), both, spent["child"]),
    }
    for work in works.values():
        work()  # a decoder that is imported late is imported here
    for seconds in spent.values():
        seconds.clear()
    taken = in_turn(works, rounds, warm_up=False)
    more = taken["child"].median - taken["here"].median
    processors = (sum(spent["child"]) - sum(spent["here"])) / len(spent["here"])
    numbers = (taken["here"].median, taken["child"].median, more, processors)
    name = f"{kind}, {side} × {side}"
    cells = (name, f"{len(data) / 1e6:.2f}", *(f"{1000 * number:.1f}" for number in numbers))
    print(tables.line(cells), flush=True)
    return more


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    pool = Pool(most=1)
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16)).save(buffer, "PNG")
    began = time.perf_counter()
    pool.decode("PNG", buffer.getvalue(), "part", Limits())
    start = time.perf_counter() - began
    print(f"{machine()}\n\nThe first picture waits {1000 * start:.0f} ms for the child to start.\n")
    print(tables.head(*COLUMNS), flush=True)
    (child,) = (psutil.Process(one) for one in pool.pids)
    most = max(compared(pool, child, side, kind, options.rounds) for side in SIDES for kind in FORMATS)
    pool.close()
    print(f"\nAt most {1000 * most:.1f} ms more; the bound is {1000 * MOST:.0f} ms.")
    if most > MOST:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
