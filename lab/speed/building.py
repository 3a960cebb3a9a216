"""Building and scoring from files on disk: `python -m lab.speed.building JSON` is one build, measured.

Each build runs in a separate process, so that its largest resident memory is its own.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from lab.machine import peak_resident
from lab.speed.inputs import pictures, wide_weights, write_pictures
from lab.speed.rows import Row
from lab.speed.timing import Work, in_turn, seconds, timed, timed_on
from patchcore import PatchCore
from patchcore.backbones import DEFAULT

FORWARDS = 40  # measurements of the network alone, spread over a build
REPEATS = 3  # builds of the paper's row: its ratio is reported as median and range


class Stages:
    """Times a build's stages, and the network alone again and again while features are computed: a machine drifts.

    Parameters
    ----------
    forward
        Runs the network on one image and returns its seconds.
    every
        How many images lie between two measurements.
    """

    def __init__(self, forward: Work, every: int) -> None:
        self.forward, self.every = forward, every
        self.forwards: list[float] = []
        self.spent = 0.0
        self.stages: dict[str, tuple[float, float]] = {}

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Be the progress callback."""
        now = time.perf_counter()
        self.stages[stage] = self.stages.get(stage, (now, now))[0], now
        if stage == "features" and 0 < done < total and done % self.every == 0:
            self.forward()  # the build's contents of the caches must not count for the network alone
            self.forwards.append(self.forward())
            self.spent += time.perf_counter() - now

    def took(self) -> dict[str, float]:
        """Seconds of each stage, without the measurements of the network alone."""
        found = {stage: ended - begun for stage, (begun, ended) in self.stages.items()}
        return found | {"features": found["features"] - self.spent}


@dataclass(frozen=True)
class Build:
    """The parameters of a measured build.

    Attributes
    ----------
    folder
        Folder of the inputs.
    count, side
        Photographs, and their side in px.
    backbone, share
        The network, and the share of the patches that is kept.
    device
        'cpu' or 'cuda'.
    """

    folder: str
    count: int
    backbone: str = DEFAULT
    side: int = 224
    share: float = 0.1
    device: str = "cpu"


def one_build(build: Build) -> dict[str, Any]:
    """Build on photographs and return the time of each stage."""
    folder, count, side, backbone = Path(build.folder), build.count, build.side, build.backbone
    paths = write_pictures(folder / f"photographs-{side}", count, side)
    weights = wide_weights(folder) if backbone == "wide_resnet50_2" else None
    model = PatchCore(backbone, weights, image_size=side, coreset=build.share, device=build.device)
    picture = torch.from_numpy(next(pictures(1, side))).permute(2, 0, 1)[None].to(build.device)
    stages = Stages(timed_on(build.device, lambda: model.backbone_.maps(picture)), max(1, count // FORWARDS))
    stages.forward()  # loads the weights
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        took = timed(lambda: model.fit(paths, progress=stages, scratch=Path(scratch)))() - stages.spent
    memory = peak_resident()
    return {
        "images": count,
        "side": side,
        "share": build.share,
        "backbone": backbone,
        "rows": len(model.bank_),
        "patches": model.bank_.total_patches,
        "forward": statistics.median(stages.forwards),
        "stages": stages.took(),
        "seconds": took,
        "score": in_turn({"": timed(lambda: model.score(paths[0]))}, 5)[""].median,
        "peak": memory,
        "projected": model.bank_.total_patches * 4 * min(128, model.bank_.dims),
    }


def apart(build: Build, allowed: float | None = None) -> dict[str, Any]:
    """Run one build in a separate process, with a limit in seconds."""
    command = [sys.executable, "-m", "lab.speed.building", json.dumps(asdict(build))]
    done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8", timeout=allowed)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measure(folder: Path, quick: bool) -> Iterator[Row]:
    """Measure builds of growing numbers of images, of rows, and of pixels."""
    counts = (20, 40) if quick else (125, 250, 500, 1000, 2000, 5000)
    for count in counts:
        yield _row("images", apart(Build(str(folder), count, share=0.01)))
    for share in (0.02,) if quick else (0.01, 0.03, 0.1, 0.3):
        yield _row("rows", apart(Build(str(folder), counts[0], share=share)))
    for side in (128,) if quick else (128, 224, 320, 448):
        yield _row("pixels", apart(Build(str(folder), counts[0], side=side)))
    if not quick:
        builds = [apart(Build(str(folder), 1000, "wide_resnet50_2")) for _ in range(REPEATS)]
        builds.sort(key=besides)
        yield _row("", builds[REPEATS // 2], [besides(build) for build in builds])


def besides(found: dict[str, Any]) -> float:
    """Return a build's time without the coreset, as a multiple of the network's own time."""
    spent: float = found["seconds"] - found["stages"]["coreset"]
    alone: float = found["forward"] * found["images"]
    return spent / alone


def _row(grows: str, found: dict[str, Any], ratios: list[float] | None = None) -> Row:
    stages, pure = found["stages"], found["forward"] * found["images"]
    spread = f" ({ratios[0]:.2f} to {ratios[-1]:.2f} in {len(ratios)} builds)" if ratios else ""
    beside = (found["peak"] - found["projected"]) / 2**20
    return Row(
        f"build, {found['backbone']}, {found['images']:,} images of {found['side']} px, {found['share']:.0%}: "
        f"{found['rows']:,} of {found['patches']:,} patches",
        f"{seconds(found['seconds'])}, without the coreset {besides(found):.2f} x the backbone alone{spread}: "
        f"features {seconds(stages['features'])} ({stages['features'] / pure:.2f} x), "
        f"coreset {seconds(stages['coreset'])}, calibration {seconds(stages['calibration'])}; "
        f"peak {found['peak'] / 2**20:.0f} MiB, {beside:.0f} without the projected features; "
        f"then {seconds(found['score'])} a score",
        limit=f"backbone alone: {seconds(pure)}",
        grows=grows,
        size=found[{"pixels": "side"}.get(grows, grows)] if grows else None,
        score=found["score"],
        gibibytes=found["peak"] / 2**30,
        **stages,
    )


if __name__ == "__main__":
    print(json.dumps(one_build(Build(**json.loads(sys.argv[1])))))
