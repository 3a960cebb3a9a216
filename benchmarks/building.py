"""Building and scoring from files on disk: `python -m benchmarks.building FOLDER COUNT ...` is one build, measured.

Each build runs in a process of its own, so that its largest resident memory is its own.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch

from benchmarks.build_memory import peak_resident
from benchmarks.inputs import pictures, wide_weights, write_pictures
from benchmarks.measuring import Row, Watch, Work, in_turn, seconds, timed, timed_on
from patchcore import PatchCore, fitting
from patchcore.backbones import DEFAULT
from patchcore.coreset import greedy_k_centre
from patchcore.errors import Cancelled

FORWARDS = 40  # of the network alone, spread over a build
REPEATS = 3  # of the paper's row, whose ratio is asked for: the middle one is told, and the range


class _Beside(Watch):
    """Times the network alone again and again while features are computed: a machine's speed drifts.

    Parameters
    ----------
    forward
        Runs the network on one image and returns its seconds.
    every
        How many images lie between two measurements.
    """

    def __init__(self, forward: Work, every: int) -> None:
        super().__init__()
        self.forward, self.every = forward, every
        self.forwards: list[float] = []
        self.spent = 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Be the progress callback."""
        super().__call__(stage, done, total)
        if stage == "features" and 0 < done < total and done % self.every == 0:
            began = time.perf_counter()
            self.forward()  # what the build has left in the caches is no part of the network alone
            self.forwards.append(self.forward())
            self.spent += time.perf_counter() - began


@dataclass(frozen=True)
class Build:
    """A build that is measured.

    Attributes
    ----------
    folder
        Where inputs are kept.
    count, side
        Photographs, and their side in px.
    backbone, share
        The network, and the share of the patches that is kept.
    device
        'cpu' or 'cuda'.
    allowed
        Seconds after which to stop.
    """

    folder: Path
    count: int
    backbone: str = DEFAULT
    side: int = 224
    share: float = 0.1
    device: str = "cpu"
    allowed: float = math.inf


OPTIONS = {field.name: field.default for field in fields(Build) if field.default is not MISSING}


def one_build(build: Build) -> dict[str, Any]:
    """Build on photographs and tell what each stage took.

    On a GPU, if the seconds allowed are over, how far it came; and how long choosing takes on the processor.
    """
    folder, count, side, backbone = build.folder, build.count, build.side, build.backbone
    paths = write_pictures(folder / f"photographs-{side}", count, side)
    weights = wide_weights(folder) if backbone == "wide_resnet50_2" else None
    model = PatchCore(backbone, weights, image_size=side, coreset=build.share, device=build.device)
    picture = torch.from_numpy(next(pictures(1, side))).permute(2, 0, 1)[None].to(build.device)
    beside = _Beside(timed_on(build.device, lambda: model.backbone_.maps(picture)), max(1, count // FORWARDS))
    beside.forward()  # loads the weights
    resident = peak_resident()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        finished = _fit(model, paths, beside, Path(scratch), build.allowed)
        built, memory = time.perf_counter() - began - beside.spent, peak_resident()
        on_processor = {} if build.device == "cpu" else _chosen_on_the_processor(model, paths, Path(scratch))
    stages = {stage: beside.took(stage) for stage in beside.stages}
    stages["features"] -= beside.spent
    scored = in_turn({"": timed(lambda: model.score(paths[0]))}, 5)[""].median
    return {
        "images": count,
        "side": side,
        "share": build.share,
        "backbone": backbone,
        "rows": len(model.bank_),
        "patches": model.bank_.total_patches,
        "forward": statistics.median(beside.forwards),
        "stages": stages,
        "seconds": built,
        "score": scored,
        "peak": memory,
        "before": resident,
        "projected": model.bank_.total_patches * 4 * min(128, model.bank_.dims),
        **({} if finished else {"reached": beside.reached}),
        **on_processor,
    }


def _fit(model: PatchCore, paths: list[Path], watch: Watch, scratch: Path, allowed: float) -> bool:
    """Build, and tell whether the seconds allowed were enough."""
    began = time.perf_counter()
    try:
        model.fit(
            paths, progress=watch, cancelled=lambda: time.perf_counter() - began > allowed, scratch=scratch
        )
    except Cancelled:
        return False
    return True


def _chosen_on_the_processor(model: PatchCore, paths: list[Path], scratch: Path) -> dict[str, Any]:
    """Build once more from the stored features, points and picks compared on the processor."""
    watch = Watch()
    with patch.object(fitting, "greedy_k_centre", lambda *given: greedy_k_centre(*given[:-1])):
        model.fit(paths, progress=watch, scratch=scratch)
    return {"coreset_on_the_processor": watch.took("coreset")}


def apart(build: Build) -> dict[str, Any]:
    """Run one build in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.building", str(build.folder), str(build.count)]
    for option in OPTIONS:
        command += [f"--{option}", str(getattr(build, option))]
    limit = None if math.isinf(build.allowed) else 2 * build.allowed + 60
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=limit)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measure(folder: Path, quick: bool) -> Iterator[Row]:
    """Builds of more and more images, of more and more rows, and at more and more pixels."""
    counts = (20, 40) if quick else (125, 250, 500, 1000, 2000, 5000)
    for count in counts:
        yield _row("images", apart(Build(folder, count, share=0.01)))
    for share in (0.02,) if quick else (0.01, 0.03, 0.1, 0.3):
        yield _row("rows", apart(Build(folder, counts[0], share=share)))
    for side in (128,) if quick else (128, 224, 320, 448):
        yield _row("pixels", apart(Build(folder, counts[0], side=side)))
    if not quick:
        builds = [apart(Build(folder, 1000, "wide_resnet50_2")) for _ in range(REPEATS)]
        builds.sort(key=besides)
        ratios = [round(besides(build), 3) for build in builds]
        yield _row("paper", builds[REPEATS // 2] | {"without_coreset": ratios})


def besides(found: dict[str, Any]) -> float:
    """Return how many times the network's own time a build took, without the coreset."""
    spent: float = found["seconds"] - found["stages"]["coreset"]
    return spent / (found["forward"] * found["images"])


def _row(grows: str, found: dict[str, Any]) -> Row:
    features, pure = found["stages"]["features"], found["forward"] * found["images"]
    ratios = found.get("without_coreset", [])
    spread = f" ({ratios[0]:.2f} to {ratios[-1]:.2f} in {len(ratios)} builds)" if ratios else ""
    beside = (found["peak"] - found["projected"]) / 2**20
    return Row(
        f"build, {found['backbone']}, {found['images']:,} images of {found['side']} px, {found['share']:.0%}: "
        f"{found['rows']:,} of {found['patches']:,} patches",
        f"{seconds(found['seconds'])}, without the coreset {besides(found):.2f} x the backbone alone{spread}: "
        f"features {seconds(features)} ({features / pure:.2f} x), "
        f"coreset {seconds(found['stages']['coreset'])}, calibration {seconds(found['stages']['calibration'])}; "
        f"peak {found['peak'] / 2**20:.0f} MiB, {beside:.0f} without the projected features; "
        f"then {seconds(found['score'])} a score",
        limit=f"backbone alone: {seconds(pure)}",
        values={"grows": grows, **found},
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("count", type=int)
    for option, default in OPTIONS.items():
        parser.add_argument(f"--{option}", type=type(default), default=default)
    options = parser.parse_args()
    found = one_build(Build(**vars(options)))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
