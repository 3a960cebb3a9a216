"""Lives of a workspace: processes are killed at drawn moments and started again, and what is left is looked at."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.survival.kinds import KINDS, running_jobs
from tests.survival.setting import Kind, Ledger
from workbench.storage.workspace import Workspace
from workbench.upkeep.check import check, repair

PROJECT = Path(__file__).resolve().parents[2]
LONGEST_DELAY = 0.1  # seconds after the work has come so far
PATIENCE = 180.0  # seconds for a stage to come so far, or for the app to end


@dataclass(frozen=True)
class Moment:
    """When to strike, and whom: "app", "job" or "both"."""

    kind: Kind
    share: float  # of the kind's work that is behind
    delay: float  # seconds later
    victim: str


@dataclass(frozen=True)
class Outcome:
    """What one blow did."""

    moment: Moment
    told: dict[str, int]  # how many things of each kind a user had been told are saved; all were there
    found: list[str]  # what the check found and put in order
    left: list[str]  # what it still found afterwards


def draw_moments(count: int, seed: int) -> list[Moment]:
    """Draw moments, as many of each kind of work, in the order in which they come in one life."""
    rng = random.Random(seed)
    drawn = []
    for number in range(count):
        kind = KINDS[(seed + number) % len(KINDS)]
        victim = rng.choice(("app", "job", "both")) if kind.runs_jobs else "app"
        drawn.append(Moment(kind, rng.random(), rng.uniform(0, LONGEST_DELAY), victim))
    return sorted(drawn, key=lambda moment: (KINDS.index(moment.kind), moment.share))


class Life:
    """One workspace, from nothing to all its work done, with interruptions."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.root, self.ledger = folder / "workspace", Ledger(folder / "ledger")
        self.output = folder / "app.log"
        self.app: subprocess.Popen[bytes] | None = None

    def live(self, moments: list[Moment]) -> Iterator[Outcome]:
        """Yield what each blow did; afterwards everything is done, once, and in order."""
        try:
            for moment in moments:
                self._start()
                self._wait_for(moment)
                self._strike(moment.victim)
                yield self._look(moment)
            self._start()
            self._end()
        finally:
            self._kill(self._processes("both"))

    def _start(self) -> None:
        if self.app is not None and self.app.poll() is None:
            return
        with self.output.open("ab") as output:
            command = [sys.executable, "-m", "tests.survival.app", str(self.root), str(self.ledger.path)]
            self.app = subprocess.Popen(command, cwd=PROJECT, stdout=output, stderr=subprocess.STDOUT)

    def _wait_for(self, moment: Moment) -> None:
        deadline = time.monotonic() + PATIENCE
        with closing(Workspace(self.root)) as workspace:
            while moment.kind.progress(workspace) < moment.share and self._is_up():
                assert time.monotonic() < deadline, f"{moment.kind.name} did not come so far: {self._said()}"
                time.sleep(0.02)
        time.sleep(moment.delay)

    def _is_up(self) -> bool:
        assert self.app is not None
        code = self.app.poll()
        assert code in (None, 0), self._said()
        return code is None

    def _strike(self, victim: str) -> None:
        self._kill(self._processes(victim))
        if victim != "job" and self.app is not None:
            self.app.wait()

    def _processes(self, victim: str) -> list[psutil.Process]:
        """Return the victims: jobs also as children of the app, as they may not be in the database yet."""
        found: dict[int, psutil.Process] = {}
        with closing(Workspace(self.root)) as workspace, suppress(psutil.NoSuchProcess):
            numbers = [job.pid for job in running_jobs(workspace) if job.pid is not None]
            children = [] if self.app is None else psutil.Process(self.app.pid).children(recursive=True)
            if victim != "app":
                found |= {child.pid: child for child in children}
                for number in numbers:
                    with suppress(psutil.NoSuchProcess):
                        found[number] = psutil.Process(number)
        if victim != "job" and self.app is not None and self.app.poll() is None:
            found[self.app.pid] = psutil.Process(self.app.pid)
        return list(found.values())

    def _kill(self, processes: list[psutil.Process]) -> None:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                os.kill(process.pid, signal.SIGKILL)

    def _look(self, moment: Moment) -> Outcome:
        """See that all that was told is there; if nobody works any more, put the rest in order."""
        with closing(Workspace(self.root)) as workspace:
            for kind in KINDS:
                kind.verify(workspace, self.ledger)
            told = {kind.name: len(self.ledger.told(kind.name)) for kind in KINDS}
            grace = {} if moment.victim != "both" and self._somebody_works(workspace) else {"grace": 0.0}
            findings = check(workspace, **grace)
            repaired = list(repair(workspace, findings))
            left = check(workspace, **grace)
        return Outcome(
            moment,
            told,
            [one.finding.trouble for one in repaired if one.done],
            [f"{finding.place}: {finding.trouble}" for finding in left],
        )

    def _somebody_works(self, workspace: Workspace) -> bool:
        """Whether a file may be on its way to its row: then only what is old counts, as it does for a user."""
        up = self.app is not None and self.app.poll() is None
        return up or bool(running_jobs(workspace))

    def _end(self) -> None:
        assert self.app is not None
        try:
            code = self.app.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the work did not end: {self._said()}") from None
        assert code == 0, self._said()
        with closing(Workspace(self.root)) as workspace:
            list(repair(workspace, check(workspace, grace=0)))
            assert check(workspace, grace=0) == []
            for kind in KINDS:
                kind.verify(workspace, self.ledger)
                kind.complete(workspace)
            assert not running_jobs(workspace)
            assert list((workspace.root / "temporary").iterdir()) == []

    def _said(self) -> str:
        return self.output.read_text(errors="replace", encoding="utf-8")[-2000:]
