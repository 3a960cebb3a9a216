"""Scoring in the background: a queue of batches with fair turns, one image at a time, for all sessions."""

import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from patchcore.disk.faults import disk_fault, may_pass
from patchcore.errors import PatchCoreError
from workbench.inspections.batches import score_batch
from workbench.inspections.turns import rows
from workbench.inspections.turns.order import TURN_SECONDS, Place, next_place, ranking, seconds_left
from workbench.inspections.turns.pace import Pace, stored_pace
from workbench.inspections.turns.rows import Work
from workbench.inspectors.versions import get_version, load_model
from workbench.people.roles import Person, Role, acting, current, require
from workbench.storage.database import WorkspaceUnavailable
from workbench.storage.tables import Result, Scoring
from workbench.storage.workspace import Workspace

PAUSE_SECONDS = 1.0  # between two tries while disk or database cannot be used
TRIAL = 3  # images that measure the time of an image, where none is known
RELEASE_SECONDS = 60.0  # for the image in hand
BEAT_SECONDS = (
    2.0  # between two reports that this server is alive, and looks for batches of servers that are not
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ScoringState:
    """The state of a batch in the queue.

    Attributes
    ----------
    word
        Whether nobody has asked for it, it waits or is being scored, a person has stopped it, or it has failed.
    place
        Its place in line while it waits, from 1.
    seconds_left
        Seconds until it is through, while it waits; None as long as the time of an image is unknown.
    trial
        Whether only the time of an image is measured.
    fault
        The reason of a failure; while it waits, the fault of the disk or database that has to pass first.
    """

    word: Literal["idle", "waiting", "stopped", "failed"] = "idle"
    place: int = 0
    seconds_left: float | None = None
    trial: bool = False
    fault: str = ""


@dataclass
class _Entry:
    """A batch that waits, with what its turns need."""

    person: Person
    place: Place
    trial: int | None = None  # images still to be scored in a trial
    results: Iterator[Result] | None = None
    halted: bool = False


@dataclass
class _Queue:
    """What the threads share, changed only under the lock."""

    entries: dict[Work, _Entry] = field(default_factory=dict)
    faults: dict[Work, str] = field(default_factory=dict)
    paces: dict[Work, Pace] = field(default_factory=dict)
    trouble: str = ""  # why nothing can be scored at present
    in_hand: Work | None = None
    turns: int = 0
    arrivals: int = 0


class Scorer:
    """Scores batches in one thread, so that no two sessions run the network at the same time.

    Every result is in the database before the next image is begun, and pages read it there. Batches take turns, see
    `turns.order`. The queue is kept in the database: `resume` continues it after a restart. Of several servers on one
    database, one has taken a batch; the others show how far it is, and continue it if that server dies.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._queue = _Queue()
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._ended = False

    def resume(self) -> "Scorer":
        """Continue the queue that an ended server has left, now and whenever one ends, and return this scorer."""
        for row in rows.list_rows(self.workspace):
            self._adopt(row)
        self._start_threads()
        return self

    def want(self, batch_id: int, version_id: int) -> None:
        """Have a batch scored by a version, in the name of the first person who asks; asking again changes nothing.

        A batch that was stopped or has failed stays as it is until `start`.
        """
        work = (batch_id, version_id)
        with self._changed:
            entry = self._queue.entries.get(work)
            waits = entry is not None and entry.trial is None
            if self._ended or waits or work in self._queue.faults:
                return
        row = rows.find(self.workspace, work)
        if row is not None and row.stopped is not None:
            return
        person = current()
        if rows.keep(self.workspace, work, person.name):
            self._put(work, person)

    def start(self, batch_id: int, version_id: int) -> None:
        """Have a batch scored that is long, was stopped, or has failed: a person has asked for it."""
        person, work = require(Role.OPERATE, "start the scoring of a batch"), (batch_id, version_id)
        with self._changed:
            self._queue.faults.pop(work, None)
            if self._ended:
                return
        if rows.keep(self.workspace, work, person.name):
            self._put(work, person)

    def try_again(self, batch_id: int, version_id: int) -> None:
        """Score the images again on which the program failed or was stopped, as after a fix."""
        require(Role.OPERATE, "have images tried again")
        if rows.drop_set_aside(self.workspace, (batch_id, version_id)):
            self.start(batch_id, version_id)

    def measure(self, batch_id: int, version_id: int) -> None:
        """Score a few images of a batch for the time of an image, unless it waits, was stopped, or has failed."""
        work = (batch_id, version_id)
        with self._changed:
            queue = self._queue
            if self._ended or work in queue.entries or work in queue.faults:
                return
        if rows.find(self.workspace, work) is None:  # else it waits elsewhere, or was stopped
            self._put(work, current(), TRIAL)

    def halt(self, batch_id: int, version_id: int) -> None:
        """Stop a batch after the image in hand; what is scored stays, and `start` continues."""
        person = require(Role.OPERATE, "stop the scoring of a batch")
        work = (batch_id, version_id)
        with self._changed:
            entry = self._queue.entries.pop(work, None)
            if entry is not None:
                entry.halted = True
            self._changed.notify_all()
        if entry is not None or rows.find(self.workspace, work) is not None:  # perhaps another server's
            rows.keep(self.workspace, work, person.name, stopped=True)

    def release(self, batch_id: int) -> None:
        """Let go of a batch that is to be deleted, once the image in hand is stored."""
        with self._changed:
            queue = self._queue
            for work in [work for work in queue.entries if work[0] == batch_id]:
                queue.entries.pop(work).halted = True
            queue.faults = {work: fault for work, fault in queue.faults.items() if work[0] != batch_id}
            self._changed.wait_for(
                lambda: queue.in_hand is None or queue.in_hand[0] != batch_id, RELEASE_SECONDS
            )

    def state(self, batch_id: int, version_id: int) -> ScoringState:
        """Return the state of a batch in the queue."""
        work = (batch_id, version_id)
        with self._changed:
            if work in self._queue.entries:
                return self._waiting()[work]
            if work in self._queue.faults:
                return ScoringState("failed", fault=self._queue.faults[work])
        row = rows.find(self.workspace, work)
        if row is None or (row.stopped is None and not rows.is_elsewhere(row)):
            return ScoringState()
        return ScoringState("waiting" if row.stopped is None else "stopped")

    def list_waiting(self) -> dict[Work, ScoringState]:
        """Return the batches that wait, in line, then those of other servers, whose place is not known here."""
        with self._changed:
            found = {work: state for work, state in self._waiting().items() if not state.trial}
        for row in rows.list_rows(self.workspace):
            if row.stopped is None and rows.is_elsewhere(row):
                found.setdefault((row.batch_id, row.version_id), ScoringState("waiting"))
        return found

    def seconds_for(self, batch_id: int, version_id: int, images: int) -> float | None:
        """Return the seconds that so many images would take from now on, with all that waits before them.

        None as long as the time of an image is unknown.
        """
        work = (batch_id, version_id)
        with self._changed:
            pace = self._queue.paces.get(work)
        each = None if pace is None else pace.seconds
        each = stored_pace(self.workspace, *work) if each is None else each
        if each is None:
            return None
        with self._changed:
            others = [entry.place for other, entry in self._queue.entries.items() if other != work]
            place = Place(self._queue.arrivals, images, each)
            return seconds_left([*others, place])[-1]

    def wait(self, batch_id: int, version_id: int, seconds: float) -> bool:
        """Wait for a new result, at most so long, and return whether the batch is still being worked on."""
        with self._changed:
            if (batch_id, version_id) in self._queue.entries:
                self._changed.wait(seconds)
            if (batch_id, version_id) in self._queue.entries:
                return True
        return self.state(batch_id, version_id).word == "waiting"

    def stop(self) -> None:
        """End the threads after the image in hand; the rows stay for `resume`."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    # ---- the queue

    def _put(self, work: Work, person: Person, trial: int | None = None) -> None:
        remaining = rows.amount(self.workspace, [work]).remaining
        guess = stored_pace(self.workspace, *work)
        with self._changed:
            queue = self._queue
            if work in queue.entries:
                if trial is None:
                    queue.entries[work].trial = None
                    queue.entries[work].place.remaining = remaining
                return
            left = remaining if trial is None else min(trial, remaining)
            place = Place(queue.arrivals, left, guess, last_turn=queue.turns)
            queue.arrivals += 1
            queue.entries[work] = _Entry(person, place, trial)
            self._start_threads()
            self._changed.notify_all()

    def _start_threads(self) -> None:
        with self._changed:
            if self._threads or self._ended:
                return
            self._threads = [
                threading.Thread(target=work, name=name, daemon=True)
                for work, name in ((self._run, "scorer"), (self._keep_alive, "scorer's pulse"))
            ]
            for thread in self._threads:
                thread.start()

    def _adopt(self, row: Scoring) -> None:
        """Take a batch that waits and that no living server has."""
        work = (row.batch_id, row.version_id)
        if row.stopped is None and rows.keep(self.workspace, work, row.made_by):
            self._put(work, Person(row.made_by, Role.VIEW))

    def _keep_alive(self) -> None:
        """Report that this server is alive while it has batches, and take over those of a server that has died."""
        trouble = ""
        while True:
            with self._changed:
                if self._changed.wait_for(lambda: self._ended, BEAT_SECONDS):
                    return
                has_work = any(entry.trial is None for entry in self._queue.entries.values())
            try:
                if has_work:
                    rows.beat(self.workspace)
                for row in rows.list_rows(self.workspace):
                    if not rows.is_ours(row) and not rows.is_elsewhere(row):
                        self._adopt(row)
                trouble = ""
            except (WorkspaceUnavailable, OSError) as fault:
                # A lack of disk, memory or server may pass; a line every two seconds would itself fill the disk.
                if trouble != (trouble := str(fault)):
                    log.error("The scorer could not report that it is alive; it will try again. %s", trouble)

    def _waiting(self) -> dict[Work, ScoringState]:
        """Return the state of everything that waits, in line; the lock is held."""
        works, entries = list(self._queue.entries), list(self._queue.entries.values())
        places = [entry.place for entry in entries]
        left = seconds_left(places)
        return {
            works[one]: ScoringState(
                "waiting",
                rank,
                None if places[one].seconds is None else left[one],
                entries[one].trial is not None,
                self._queue.trouble,
            )
            for rank, one in enumerate(ranking(places), start=1)
        }

    # ---- the thread

    def _run(self) -> None:
        queue = self._queue
        while True:
            with self._changed:
                self._changed.wait_for(lambda: queue.entries or self._ended)
                if self._ended:
                    return
                works = list(queue.entries)
                places = [entry.place for entry in queue.entries.values()]
                work = queue.in_hand = works[next_place(places, queue.turns)]
                entry = queue.entries[work]
            with acting(entry.person):
                is_through, trouble = self._turn(work, entry)
            with self._changed:
                if trouble:
                    if queue.trouble != trouble:
                        queue.trouble = trouble
                        log.error("Scoring waits. %s", trouble)
                    queue.in_hand = None
                    self._changed.notify_all()
                    self._changed.wait_for(lambda: self._ended, PAUSE_SECONDS)
                    continue
                queue.trouble = ""
                queue.in_hand = None
                queue.turns += 1
                entry.place.last_turn = queue.turns
                if (is_through or entry.trial == 0) and queue.entries.get(work) is entry:
                    del queue.entries[work]
                self._changed.notify_all()

    def _turn(self, work: Work, entry: _Entry) -> tuple[bool, str]:
        """Score for a turn; return whether the batch is through or can go no further, and a fault that may pass."""
        try:
            is_through = self._try(work, entry)
            if is_through and not entry.halted and entry.trial is None:
                rows.drop(self.workspace, work)
        except (WorkspaceUnavailable, OSError) as error:
            entry.results = None  # the walk through the batch ended with the error
            return False, self._passing(error) or str(error)
        except Exception:  # the thread works for all batches; a restart asks for this one once more
            log.exception("The row of batch %s by version %s stays.", *work)
            return True, ""
        return is_through, ""

    def _try(self, work: Work, entry: _Entry) -> bool:
        """Score for a turn, and keep the reason of a failure; a fault that may pass is raised."""
        try:
            return self._score(work, entry)
        except PatchCoreError as error:
            if self._passing(error):
                raise
            fault = str(error)
        except Exception as error:  # the thread must outlive a bug; the page says what the log knows
            if self._passing(error):
                raise
            if not rows.titles(self.workspace, [work]):
                return True  # deleted meanwhile
            log.exception("Scoring batch %s by version %s failed.", *work)
            words = disk_fault(error, self.workspace.root) if isinstance(error, OSError) else None
            fault = words or "Scoring stopped at an unexpected fault; the server's log has the details."
        with self._changed:
            if not entry.halted:
                self._queue.faults[work] = fault
        return True

    def _passing(self, error: Exception) -> str:
        """Return the sentence of a fault of disk or database that may pass; "" for another error."""
        if isinstance(error, WorkspaceUnavailable):
            return str(error)
        if isinstance(error, OSError) and may_pass(error, self.workspace.root):
            return disk_fault(error, self.workspace.root) or ""
        return ""

    def _score(self, work: Work, entry: _Entry) -> bool:
        if entry.trial is None and not rows.is_held(self.workspace, work):
            entry.halted = True  # stopped, deleted, put in the bin, or taken over by another server
            return True
        version = get_version(self.workspace, work[1])
        load_model(self.workspace, version)  # apart from the time of an image
        if entry.results is None:
            entry.results = score_batch(self.workspace, work[0], version)
        remaining = rows.amount(self.workspace, [work]).remaining
        pace = self._queue.paces.setdefault(work, Pace())
        until = time.monotonic() + TURN_SECONDS
        while not (entry.halted or self._ended or entry.trial == 0) and time.monotonic() < until:
            began = time.perf_counter()
            if next(entry.results, None) is None:
                return True
            pace.note(time.perf_counter() - began)
            remaining -= 1
            with self._changed:
                if entry.trial is not None:
                    entry.trial -= 1
                entry.place.remaining = remaining if entry.trial is None else entry.trial
                entry.place.seconds = pace.seconds or entry.place.seconds
                self._changed.notify_all()
        return False
