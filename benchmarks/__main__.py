"""Speed and memory beside the peers, in one table: `python -m benchmarks`.

    python -m benchmarks --quick                 a minute or two: small sizes, no peers needed
    python -m benchmarks --reference CHECKOUT    beside the authors' implementation, of which a checkout is given
    python -m benchmarks --anomalib PYTHON       beside anomalib, in the environment of the Python given
    python -m benchmarks --full                  with every pick of the peers' long loops instead of the first 500
    python -m benchmarks --parts device          a GPU beside the processor; left out where there is none

Writes the table as Markdown to standard output and --table, and every figure as JSON to --json. All run in turn, on
the same inputs and as many threads; times are medians, with the least and the most. Photographs are the sample
product's, varied; the paper's network has seeded weights, which cost what trained ones do.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from benchmarks import building, coreset, device, peers, scoring
from benchmarks.machine import machine
from benchmarks.measuring import HEAD, Peaks, Row, peaks

PARTS = ("coreset", "scoring", "building", "device")


def main() -> None:
    options = _options()
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    started = {
        name: peer
        for name, peer in (
            ("reference", peers.reference(options.reference)),
            ("anomalib", peers.anomalib(options.anomalib)),
        )
        if peer is not None
    }
    for name in ("reference", "anomalib"):
        if name not in started:
            print(f"{name} is left out: --{name} was not given.")
    peak = peaks()
    measured = f"{peak.flops / 1e9:.0f} GFLOP/s in single precision, {peak.bytes / 1e9:.1f} GB/s read"
    lines = [machine(), "", f"Measured peaks: {measured}.", "", HEAD]
    print("\n".join(lines))
    rows: list[dict[str, Any]] = []
    try:
        for row in _measured(options, folder, started, peak):
            lines.append(row.markdown())
            print(lines[-1])
            sys.stdout.flush()
            options.table.write_text("\n".join(lines) + "\n")
            rows.append(
                {
                    "work": row.work,
                    "here": row.ours,
                    "peers_said": row.peers,
                    "ratio": row.ratio,
                    **row.values,
                }
            )
            found = {"machine": machine(), "peak": vars(peak), "rows": rows}
            options.json.write_text(json.dumps(found, indent=1) + "\n")
    finally:
        for peer in started.values():
            peer.close()


def _measured(
    options: argparse.Namespace, folder: Path, started: dict[str, peers.Peer], peak: Peaks
) -> Iterator[Row]:
    if "coreset" in options.parts:
        yield from coreset.measure(folder, started, peak, options.quick, options.full)
    if "scoring" in options.parts:
        yield from scoring.measure(folder, started, peak, options.quick)
    if "building" in options.parts:
        yield from building.measure(folder, options.quick)
    if "device" in options.parts:
        yield from device.measure(folder, options.quick, options.device)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--reference", type=Path)
    parser.add_argument("--anomalib", metavar="PYTHON")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--device", default="cuda", help="what the part 'device' puts beside the processor")
    parser.add_argument("--folder", type=Path, default=Path("build/benchmarks"), help="inputs, made once")
    parser.add_argument("--json", type=Path, default=Path("build/benchmarks.json"))
    parser.add_argument("--table", type=Path, default=Path("build/benchmarks.md"))
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    return options


if __name__ == "__main__":
    main()
