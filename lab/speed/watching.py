"""The memory of watched folders: `python -m lab.speed.watching [--folders 2]`.

The folders are watched by the sample's inspector as the dashboard watches them, each by a job in its own process, and
an image is put into each. After its verdict the command prints the memory of each process: resident, its own, and its
own with its part of what processes share.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from contextlib import closing
from pathlib import Path

import psutil

from lab import tables
from lab.machine import machine
from patchcore.images.reading import list_images
from workbench.inspections.samples import list_samples, prepare_sample
from workbench.jobs.queue import JobQueue
from workbench.storage.workspace import Workspace
from workbench.watching.standing import list_watches, memory_megabytes, start_watch, stop_watch

LOOK_SECONDS = 0.5
MINUTES = 10  # allowed for the first verdicts


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folders", type=int, default=2)
    count = parser.parse_args().folders
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory(prefix="watching-") as folder:
        os.environ["PATCHCORE_ROOTS"] = folder
        with closing(Workspace(Path(folder, "workspace"))) as workspace:
            sample = list_samples()[0]
            inspector = prepare_sample(workspace, sample)
            assert inspector.current is not None
            for number in range(count):
                place = Path(folder, f"line-{number}")
                place.mkdir()
                shutil.copy(list_images(sample.folder / "test")[number], place)
                start_watch(workspace, inspector.id, str(place))
            queue = JobQueue(workspace)
            try:
                _wait_for_verdicts(workspace, queue, inspector.id)
                _print_memory(psutil.Process().children())
                print(f"The page says {memory_megabytes(inspector.current):.0f} MB for each.")
            finally:
                for state in list_watches(workspace, inspector.id):
                    stop_watch(workspace, state.id)
                while psutil.Process().children():
                    queue.step()
                    time.sleep(LOOK_SECONDS)


def _wait_for_verdicts(workspace: Workspace, queue: JobQueue, inspector_id: str) -> None:
    until = time.monotonic() + 60 * MINUTES
    while any(state.last is None for state in list_watches(workspace, inspector_id)):
        if time.monotonic() > until:
            raise SystemExit(f"A folder had no verdict after {MINUTES} minutes.")
        queue.step()
        time.sleep(LOOK_SECONDS)


def _print_memory(processes: list[psutil.Process]) -> None:
    print(tables.head("process", "resident, MB", "its own, MB", "with its part of what is shared, MB"))
    for process in processes:
        memory = process.memory_full_info()
        parts = (memory.rss, memory.uss, getattr(memory, "pss", 0))  # pss: Linux alone tells it
        print(tables.line((str(process.pid), *(f"{part / 1e6:.0f}" for part in parts))))


if __name__ == "__main__":
    main()
