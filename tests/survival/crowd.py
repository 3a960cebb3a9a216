"""python -m tests.survival.crowd [--minutes 10]: twenty people at one dashboard while disk, database and jobs fail.

Each visitor is a session over the server's own line: it brings new images, counts batches otherwise, and looks at all
pages. A folder is watched, and inspectors are built one after another. In the end, everything that a page had told as
saved must be there, and nothing twice; the server's memory must be flat. A table says what was counted.
"""

import argparse
import hashlib
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psutil
from rich.console import Console
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from lab.machine import machine
from patchcore.errors import PatchCoreError
from tests.browser import conftest
from tests.browser.conftest import AppServer, ServerPool
from tests.browser.line import session
from tests.survival.faults import Faults, room
from tests.survival.setting import GOOD, INSPECTOR, SETTINGS, picture, stored
from tests.survival.visitor import PATIENCE, Told, Visitor
from workbench.inspections.batches import count_unscored
from workbench.inspectors.building import build, submit_build
from workbench.inspectors.versions import list_inspectors, list_versions, load_model
from workbench.jobs import requests
from workbench.jobs.requests import RESUMABLE, JobState
from workbench.storage.tables import Batch, BatchImage, Inspection, Result, Watch
from workbench.storage.workspace import Workspace
from workbench.upkeep.check import check, repair
from workbench.watching.standing import WatchOptions, start_again, start_watch

SETTLING = 300.0  # seconds after the last fault, within which all work is done
WIDTH = 140  # characters of what is printed
EVERY = 4.0  # seconds between two files of the watched folder
FLAT_SHARE, FLAT_MEGABYTES = 1.10, 60  # by which the last third of the time may hold more than the second
FAILS = (OSError, SQLAlchemyError, PatchCoreError)
Value = TypeVar("Value")


def patiently(act: Callable[[], Value], patience: float = 240.0) -> Value:
    """Try again what a full disk or a locked database hinders."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return act()
        except FAILS:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


@dataclass
class Line:
    """The line's side: files that arrive in a watched folder, and builds one after another."""

    workspace: Workspace
    folder: Path
    delivered: list[str] = field(default_factory=list)
    built: dict[int, str] = field(default_factory=dict)  # the inspector of each job that was submitted
    resumed: int = 0

    def work(self, leave: threading.Event) -> None:
        """Deliver and build until `leave` is set."""
        while not leave.wait(EVERY):
            self.deliver()
            self.look_after_builds(more=True)
            self.look_after_watch()

    def deliver(self) -> None:
        """Put one more file into the watched folder, whole or not at all."""
        number = 5_000 + len(self.delivered)
        part = self.folder / f"{number}.png.part"
        try:
            part.write_bytes(picture(number))
            part.replace(self.folder / f"{number}.png")
        except OSError:
            part.unlink(missing_ok=True)
            return
        self.delivered.append(f"{number}.png")

    def look_after_builds(self, *, more: bool) -> bool:
        """Resume what was interrupted or failed, as a person would; submit the next build; whether all are done."""
        with suppress(*FAILS):
            jobs = [requests.get_job(self.workspace, job) for job in self.built]
            for job in jobs:
                if job.state in RESUMABLE:
                    requests.resume(self.workspace, job.id)
                    self.resumed += 1
            if all(job.state == JobState.DONE for job in jobs):
                if more:
                    name = f"built-{len(self.built)}"
                    self.built[submit_build(self.workspace, SETTINGS, stored(0, GOOD), inspector_id=name)] = (
                        name
                    )
                return True
        return False

    def look_after_watch(self) -> None:
        """Start a watch again that has failed, as a person would."""
        with suppress(*FAILS):
            with self.workspace.database.read() as session:
                watches = list(session.scalars(select(Watch)))
            for watch in watches:
                if watch.job_id and requests.get_job(self.workspace, watch.job_id).state == JobState.FAILED:
                    start_again(self.workspace, watch.id)
                    self.resumed += 1


class Memory(threading.Thread):
    """Measures the server's memory, in megabytes."""

    def __init__(self, process: int, leave: threading.Event) -> None:
        super().__init__(daemon=True)
        self._process, self._leave = psutil.Process(process), leave
        self.measured: list[float] = []

    def run(self) -> None:
        """Measure every two seconds."""
        while not self._leave.wait(2):
            with suppress(psutil.NoSuchProcess):
                self.measured.append(self._process.memory_info().rss / 2**20)

    @property
    def thirds(self) -> list[float]:
        """The mean of each third of the time."""
        size = max(1, len(self.measured) // 3)
        return [sum(part) / len(part) for n in range(3) if (part := self.measured[n * size : (n + 1) * size])]

    @property
    def is_flat(self) -> bool:
        """Whether the last third of the time holds hardly more than the second."""
        thirds = self.thirds
        return len(thirds) < 3 or thirds[2] < max(thirds[1] * FLAT_SHARE, thirds[1] + FLAT_MEGABYTES)


def settle(server: AppServer, line: Line, visitors: list[Visitor], version: int) -> float:
    """Wait until everything is done, pressing Try again where a page offers it; return the seconds."""
    began = time.monotonic()
    batches = [batch for visitor in visitors for batch in visitor.told.batches]
    while time.monotonic() - began < SETTLING:
        line.look_after_watch()
        is_built = line.look_after_builds(more=False)
        unscored = [
            one for one in batches if patiently(lambda one=one: count_unscored(line.workspace, one, version))
        ]
        arrived = patiently(lambda: watched_names(line.workspace))
        if is_built and not unscored and set(line.delivered) <= set(arrived):
            break
        for batch in unscored[:3]:
            with suppress(OSError, TimeoutError, AssertionError, StopIteration), session(server.url) as one:
                one.open(f"inspect?inspector={INSPECTOR}&batch={batch}")
                for label in one.enabled:
                    if label.startswith(("Try again", "Continue", "Score")):
                        one.press(label)
                        break
        time.sleep(1)
    return time.monotonic() - began


def watched_names(workspace: Workspace) -> list[str]:
    """Return the names of the watched files that are in the history, one for each verdict."""
    with workspace.database.read() as session:
        return list(session.scalars(select(Inspection.name).where(Inspection.source == "watch")))


def lost_and_twice(workspace: Workspace, line: Line, visitors: list[Visitor], version: int) -> list[str]:
    """Return a sentence for all that is lost or there twice."""
    told = [visitor.told for visitor in visitors]
    return [
        *_of_batches(workspace, told),
        *_of_images(
            workspace, {name: sha256 for one in told for name, sha256 in one.brought.items()}, version
        ),
        *_of_watched(workspace, line),
        *_of_builds(workspace, line),
    ]


def _of_batches(workspace: Workspace, told: list[Told]) -> Iterator[str]:
    """Compare the batches and purposes that pages have told with those that are stored."""
    there: dict[int, dict[str, str]] = {}
    with workspace.database.read() as session:
        for batch, name, sha256 in session.execute(
            select(BatchImage.batch_id, BatchImage.name, BatchImage.sha256)
        ):
            there.setdefault(batch, {})[name] = sha256
        purposes = {batch.id: batch.purpose for batch in session.scalars(select(Batch))}
    for one in told:
        for batch, files in one.batches.items():
            if there.get(batch) != files:
                yield f"batch {batch} was told as saved and holds {there.get(batch)}"
        for batch, purpose in one.purposes.items():
            if purposes.get(batch) != purpose:
                yield f"batch {batch} was told as {purpose} and is {purposes.get(batch)}"


def _of_images(workspace: Workspace, brought: dict[str, str], version: int) -> Iterator[str]:
    """Look for images that are there twice, or without one result and one line of the history."""
    with workspace.database.read() as session:
        rows = [row for row in session.scalars(select(BatchImage)) if row.name in brought]
        results = Counter(session.scalars(select(Result.batch_image_id).where(Result.version_id == version)))
        history = Counter(
            session.scalars(select(Inspection.batch_image_id).where(Inspection.source == "page"))
        )
        yield from session.scalars(select(Result.error).where(Result.error.is_not(None)))
    for name, count in Counter(row.name for row in rows).items():
        if count > 1:
            yield f"{name} was brought once and is there {count} times"
    for row in rows:
        if (results[row.id], history[row.id]) != (1, 1):
            yield f"{row.name} has {results[row.id]} results and {history[row.id]} lines in the history"
        if hashlib.sha256(workspace.image_path(row.sha256).read_bytes()).hexdigest() != brought[row.name]:
            yield f"the file of {row.name} is another one"


def _of_watched(workspace: Workspace, line: Line) -> Iterator[str]:
    watched = Counter(watched_names(workspace))
    for name in line.delivered:
        if watched[name] != 1:
            yield f"{name} was watched and has {watched[name]} verdicts"


def _of_builds(workspace: Workspace, line: Line) -> Iterator[str]:
    inspectors = [inspector.id for inspector in list_inspectors(workspace)]
    for job, name in line.built.items():
        versions = list_versions(workspace, name) if name in inspectors else []
        if len(versions) != 1:
            yield f"the build of job {job} left {len(versions)} versions"
        for one in versions:
            load_model(workspace, one)


def prepare(root: Path, folder: Path) -> tuple[Workspace, int]:
    """Build an inspector, and watch a folder with it."""
    workspace = Workspace(root)
    images = [workspace.store_image(picture(number), f"{number}.png") for number in range(GOOD)]
    version = build(workspace, SETTINGS, images, inspector_id=INSPECTOR)
    folder.mkdir()
    os.environ["PATCHCORE_ROOTS"] = str(folder.parent)
    start_watch(workspace, INSPECTOR, str(folder), WatchOptions(settle=0.2))
    return workspace, version.id


def live(place: Path, logs: Path, people: int, minutes: float, seed: int) -> tuple[Table, list[str], bool]:
    """Let them work for so long; return the table, what is lost or there twice, and whether the memory is flat."""
    (place / "temporary").mkdir()
    os.environ["TMPDIR"] = tempfile.tempdir = str(place / "temporary")
    workspace, version = prepare(place / "workspace", place / "watched")
    conftest.START_SECONDS = 600  # beside other work
    servers, faults = ServerPool(logs), Faults(place, workspace.root)
    with closing(workspace):
        try:
            server = servers("app.py", workspace=workspace.root, PATCHCORE_DATABASE_URL="")
            leave, over = threading.Event(), threading.Event()
            line = Line(workspace, place / "watched")
            memory = Memory(server.process.pid, leave)
            visitors = [Visitor(number, server.url, leave, seed) for number in range(people)]
            others = [
                threading.Thread(target=faults.bring, args=(over,)),
                threading.Thread(target=line.work, args=(leave,)),
            ]
            for thread in (*visitors, memory, *others):
                thread.start()
            time.sleep(60 * minutes)
            over.set()
            others[0].join()
            leave.set()
            for thread in (*visitors, others[1]):
                thread.join(PATIENCE)
            seconds = settle(server, line, visitors, version)
            found = lost_and_twice(workspace, line, visitors, version)
            list(repair(workspace, check(workspace, grace=0)))
            found += [
                f"the check leaves {finding.place}: {finding.trouble}"
                for finding in check(workspace, grace=0)
            ]
            table = figures(faults, line, visitors, memory, seconds, server)
            if not any(visitor.told.batches for visitor in visitors):
                found.append("no visitor was told that anything is saved: nothing was tried")
        finally:
            servers.stop()
            faults.kill_jobs()  # they outlive their server
    return table, found, memory.is_flat


def figures(
    faults: Faults, line: Line, visitors: list[Visitor], memory: Memory, seconds: float, server: AppServer
) -> Table:
    """Return the table of all that was counted."""
    table = Table("", "", show_header=False)
    told = [visitor.told for visitor in visitors]
    bare = sum((one.bare for one in told), Counter[str]())
    sentences = sum((one.sentences for one in told), Counter[str]())
    rows: list[tuple[str, Any]] = [
        ("runs of pages", f"{sum(one.runs for one in told):,} by {len(told)} people"),
        ("faults", ", ".join(f"{count} × {name}" for name, count in faults.counts.items())),
        ("images handed in", f"{sum(len(one.brought) for one in told):,}"),
        ("of these told as saved", f"{sum(len(files) for one in told for files in one.batches.values()):,}"),
        ("purposes told as changed", f"{sum(len(one.purposes) for one in told):,}"),
        ("files of the watched folder", f"{len(line.delivered):,}"),
        ("builds", f"{len(line.built):,}; {line.resumed:,} times resumed or started again"),
        ("runs that ended in a bare exception", f"{bare.total():,}: {dict(bare.most_common(6))}"),
        ("sentences in red", f"{sentences.total():,}: {dict(sentences.most_common(8))}"),
        ("lines that ended", f"{sum(one.ends for one in told):,}"),
        ("tracebacks in the server's log", f"{server.log().count('Traceback (most recent call last)'):,}"),
        ("memory by thirds of the time", ", ".join(f"{part:,.0f} MB" for part in memory.thirds)),
        ("until everything was done", f"{seconds:.0f} s after the last fault"),
    ]
    for name, value in rows:
        table.add_row(name, str(value))
    return table


def main() -> int:
    """Let people and faults loose on a dashboard; 1 when something is lost, there twice, or memory grows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    console = Console(width=WIDTH)
    with tempfile.TemporaryDirectory(prefix="crowd-") as logs, room(Path(logs) / "room") as place:
        table, found, is_flat = live(place, Path(logs), options.people, options.minutes, options.seed)
    console.print(machine(), highlight=False)
    console.print(table, highlight=False, markup=False)
    for sentence in found[:50]:
        console.print(f"! {sentence}", highlight=False, markup=False)
    console.print(
        f"{options.minutes:g} minutes (seed {options.seed}): {len(found):,} lost or twice, memory "
        f"{'flat' if is_flat else 'grows'}."
    )
    return int(bool(found) or not is_flat)


if __name__ == "__main__":
    sys.exit(main())
