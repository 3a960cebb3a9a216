"""Speed and memory beside the peers, in one table: `python -m lab.speed`.

    python -m lab.speed --quick                 a few minutes: small sizes, no peers needed
    python -m lab.speed --reference CHECKOUT    beside a checkout of the authors' implementation
    python -m lab.speed --anomalib PYTHON       beside anomalib, in the environment of this Python
    python -m lab.speed --full                  with every pick of the peers' long loops instead of the first 500
    python -m lab.speed --parts device          a GPU beside the processor; left out without a GPU

The command prints the table as Markdown and appends each finished row to a CSV. All run in turn, on the same inputs and
with the same number of threads; times are medians, with the least and the most. Photographs are the sample product's,
varied; the paper's network has seeded weights, which take the same time as trained ones.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import torch

from lab.machine import machine
from lab.speed import building, coreset, device, peers, rows, scoring
from lab.speed.timing import Peaks, peaks

PARTS = ("coreset", "scoring", "building", "device")


def main() -> None:
    options = _options()
    options.folder.mkdir(parents=True, exist_ok=True)
    wanted = {"reference": peers.reference(options.reference), "anomalib": peers.anomalib(options.anomalib)}
    started = {name: peer for name, peer in wanted.items() if peer is not None}
    for name in wanted:
        if name not in started:
            print(f"{name} is left out: --{name} was not given.")
    peak = peaks()
    print(f"{machine()}\n\nMeasured peaks: {peak.flops / 1e9:.0f} GFLOP/s in single precision, ", end="")
    print(f"{peak.bytes / 1e9:.1f} GB/s read.\n\n{rows.HEAD}", flush=True)
    try:
        for row in _measured(options, started, peak):
            rows.append(options.out, row)
            print(row.markdown(), flush=True)
    finally:
        for peer in started.values():
            peer.close()


def _measured(options: argparse.Namespace, started: dict[str, peers.Peer], peak: Peaks) -> Iterator[rows.Row]:
    if "coreset" in options.parts:
        yield from coreset.measure(options.folder, started, peak, options.quick, options.full)
    if "scoring" in options.parts:
        yield from scoring.measure(options.folder, started, peak, options.quick)
    if "building" in options.parts:
        yield from building.measure(options.folder, options.quick)
    if "device" in options.parts:
        yield from device.measure(options.folder, options.quick, options.device)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m lab.speed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--reference", type=Path)
    parser.add_argument("--anomalib", metavar="PYTHON")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--device", default="cuda", help="compared with the processor by the part 'device'")
    parser.add_argument("--folder", type=Path, default=Path("build/speed"), help="inputs, made once")
    parser.add_argument("--out", type=Path, default=Path("build/speed.csv"), help="CSV of finished rows")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    return options


if __name__ == "__main__":
    main()
