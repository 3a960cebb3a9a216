"""Ten poisoned and fifty good files through a watched folder, a batch and the command line.

Run: `python -m tests.survival.poisoned`.

Each poisoned picture kills the process that works on it, three times, until it is set aside. The command prints for
each room how many processes died and what became of the files.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from lab.machine import machine
from patchcore.disk.work_notes import STOPPED, TRIES
from tests.poison import Nursery, poisoned
from tests.workbench.parts import build_small, plate
from tests.workbench.watching.watched import png, put
from workbench.inspections.batches import create_batch, list_results
from workbench.inspectors.versions import get_version
from workbench.storage.tables import Scoring, WatchedFile
from workbench.storage.workspace import Workspace

Reasons = dict[str, str | None]
"""The reason for which each file was set aside, by its name; None for a scored one."""


def watched(nursery: Nursery, place: Path, files: dict[str, bytes]) -> tuple[int, Reasons]:
    for age, (name, data) in enumerate(files.items()):
        put(place / "in", name, data, age=100 - age)
    deaths, _ = nursery.live_on("watch", place / "here", place / "in", most=1000)
    with closing(Workspace(place / "here")) as workspace, workspace.database.read() as session:
        told = [file.told for file in session.scalars(select(WatchedFile))]
    assert max(Counter(one["file"] for one in told).values()) == 1, "a file was judged twice"
    return deaths, {one["file"]: one["error"] for one in told}


def batch(nursery: Nursery, place: Path, files: dict[str, bytes]) -> tuple[int, Reasons]:
    with closing(Workspace(place / "here")) as workspace:
        build_small(workspace)
        version = get_version(workspace, 1)
        images = [workspace.store_image(data, name) for name, data in files.items()]
        batch_id = create_batch(workspace, version.inspector_id, images, "batch")
        with workspace.database.write() as session:  # asked for, and taken by no server yet
            session.add(Scoring(batch_id=batch_id, version_id=version.id, made_by=""))
        deaths, _ = nursery.live_on("scorer", workspace.root, batch_id, version.id, most=1000)
        results = list_results(workspace, batch_id, version.id)
    return deaths, {result.image.name: result.error for result in results}


def command_line(nursery: Nursery, place: Path, files: dict[str, bytes]) -> tuple[int, Reasons]:
    for folder in ("good", "parts"):
        (place / folder).mkdir()
    for number in range(4):
        (place / "good" / f"{number}.png").write_bytes(plate(1000 + number))
    for name, data in files.items():
        (place / "parts" / name).write_bytes(data)
    build = ("build", place / "good", "--output", place / "a.patchcore", "--image-size", 64)
    assert nursery.live_on("command", place / "cache", *build)[0] == 0
    score = ("score", place / "a.patchcore", place / "parts", "--json")
    deaths, said = nursery.live_on("command", place / "cache", *score, most=1000)
    found = json.loads(said[said.index("[\n") : said.rindex("\n]") + 2])
    return deaths, {Path(row["path"]).name: row.get("error") for row in found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--poisoned", type=int, default=10)
    parser.add_argument("--good", type=int, default=50)
    options = parser.parse_args()
    table = Table("", "processes that died", "scored once", "set aside", "seconds")
    rooms: dict[str, Callable[[Nursery, Path, dict[str, bytes]], tuple[int, Reasons]]] = {
        "watched folder": watched,
        "batch": batch,
        "command line": command_line,
    }
    with tempfile.TemporaryDirectory(prefix="poisoned-") as folder, Nursery() as nursery:
        for room, work in rooms.items():
            make = png if room == "watched folder" else plate
            files = {f"kills {number}.png": poisoned(number) for number in range(options.poisoned)}
            files |= {f"{number}.png": make(number) for number in range(options.good)}
            place, began = Path(folder, room.replace(" ", "_")), time.monotonic()
            place.mkdir()
            deaths, reasons = work(nursery, place, files)
            scored = [name for name, reason in reasons.items() if reason is None]
            stopped = [name for name, reason in reasons.items() if (reason or "").startswith(STOPPED)]
            assert len(scored) == options.good and len(stopped) == options.poisoned, reasons
            assert deaths == TRIES * options.poisoned
            seconds = f"{time.monotonic() - began:.0f}"
            table.add_row(room, str(deaths), str(len(scored)), str(len(stopped)), seconds)
    console = Console()
    console.print(machine(), highlight=False)
    console.print(table)


if __name__ == "__main__":
    main()
