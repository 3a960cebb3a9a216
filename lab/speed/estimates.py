"""Estimates of builds beside what they take: `python -m lab.speed.estimates [FOLDER ...]`, folders of good images.

Each build runs as the page Build runs it: a job in its own process. Without a folder, the good images of the sample
products are built from, by each method.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from lab import tables
from lab.machine import machine
from patchcore.images.geometry import prepare
from patchcore.images.reading import list_images, read_image
from patchcore.methods import METHODS
from workbench.inspections.samples import list_samples
from workbench.inspectors.building import BuildSettings, submit_build
from workbench.inspectors.estimate import BuildEstimate, estimate_build, network_cost, pace
from workbench.inspectors.versions import get_version
from workbench.jobs.queue import JobQueue
from workbench.jobs.requests import UNFINISHED, JobState, get_job
from workbench.storage.workspace import NamedImage, Workspace

READ = 5  # images that are read to measure the time of reading one
LOOK_SECONDS = 0.05
COLUMNS = (
    "build",
    "s, estimated",
    "s, taken",
    "ratio",
    "MB, estimated",
    "MB, taken",
    "file, MB",
    "file taken, MB",
)


@dataclass(frozen=True)
class Taken:
    """What a build took: seconds from its start to its end, the largest memory of its process, and its file."""

    seconds: float
    peak_megabytes: float
    megabytes: float


def estimated(workspace: Workspace, settings: BuildSettings, images: list[Path]) -> BuildEstimate:
    """Estimate a build as the page does; on the page the check of all images tells the time to read one."""
    began = time.perf_counter()
    read = [read_image(path) for path in images[:READ]]
    reading = (time.perf_counter() - began) / len(read)
    model = settings.of_model()
    return estimate_build(
        network_cost(settings.backbone, settings.image_size),
        len(images),
        model,
        reading_seconds=reading,
        megapixels=max(image.pixels[..., 0].size for image in read) / 1e6,
        inspected=float(prepare(read[0].pixels, model.geometry_of_input()).valid.mean()),
        pace=pace(workspace),
    )


def built(workspace: Workspace, queue: JobQueue, settings: BuildSettings, images: list[NamedImage]) -> Taken:
    """Build in a process of its own, as the dashboard does."""
    job_id, peak = submit_build(workspace, settings, images), 0
    while (job := get_job(workspace, job_id)).state in UNFINISHED:
        queue.step()
        for child in psutil.Process().children():
            with suppress(psutil.Error):
                peak = max(peak, child.memory_info().rss)
        time.sleep(LOOK_SECONDS)
    if job.state != JobState.DONE or job.result is None or job.started is None or job.finished is None:
        raise SystemExit(f"{settings.name} was not built: {job.message}")
    version = get_version(workspace, int(job.result["version_id"]))
    return Taken((job.finished - job.started).total_seconds(), peak / 1e6, version.megabytes)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    options = parser.parse_args()
    folders = options.folders or [sample.folder / "train" / "good" for sample in list_samples()]
    print(f"{machine()}\n\n{tables.head(*COLUMNS)}", flush=True)
    with tempfile.TemporaryDirectory(prefix="estimates-") as folder:
        workspace = Workspace(folder)
        queue = JobQueue(workspace)
        for good in folders:
            paths = list_images(good)
            images = [workspace.store_image(path, path.name) for path in paths]
            for method in options.methods:
                settings = BuildSettings(
                    name=f"{good.parts[-3:][0]}, {method}, {len(paths)} images", method=method
                )
                before = estimated(workspace, settings, paths)
                after = built(workspace, queue, settings, images)
                print(_line(settings.name, before, after), flush=True)
        workspace.close()


def _line(name: str, before: BuildEstimate, after: Taken) -> str:
    kept = 0.0 if before.learned is None else before.learned.megabytes
    numbers = (before.seconds, after.seconds, before.seconds / after.seconds)
    memory = (before.peak_megabytes, after.peak_megabytes, kept, after.megabytes)
    return tables.line((name, *(f"{value:.2f}" for value in numbers), *(f"{value:.0f}" for value in memory)))


if __name__ == "__main__":
    main()
