"""Scoring in the background: a queue of batches with fair turns, one image at a time, for all sessions."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy.exc import SQLAlchemyError

from patchcore.errors import PatchCoreError
from workbench.inspections.batches import score_batch
from workbench.inspections.turns import rows
from workbench.inspections.turns.order import TURN_SECONDS, Place, next_place, ranking, seconds_left
from workbench.inspections.turns.pace import Pace, stored_pace
from workbench.inspections.turns.rows import Work
from workbench.inspectors.versions import get_version, load_model
from workbench.people.roles import Person, Role, acting, current, require
from workbench.storage.tables import Result
from workbench.storage.workspace import Workspace

TRIAL = 3  # images that measure the time of an image, where none is known
RELEASE_SECONDS = 60.0  # for the image in hand

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
        The reason of a failure.
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
    stopped: set[Work] = field(default_factory=set)
    faults: dict[Work, str] = field(default_factory=dict)
    paces: dict[Work, Pace] = field(default_factory=dict)
    in_hand: Work | None = None
    turns: int = 0
    arrivals: int = 0


class Scorer:
    """Scores batches in one thread, so that no two sessions run the network at the same time.

    Every result is in the database before the next image is begun, and pages read it there. Batches take turns, see
    `turns.order`. The queue is kept in the database: `resume` continues it after a restart.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._queue = _Queue()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._ended = False

    def resume(self) -> "Scorer":
        """Continue the queue that an ended server has left, and return this scorer."""
        for row in rows.list_rows(self.workspace):
            work = (row.batch_id, row.version_id)
            if row.stopped is None:
                self._put(work, Person(row.made_by, Role.VIEW))
            else:
                self._queue.stopped.add(work)
        return self

    def want(self, batch_id: int, version_id: int) -> None:
        """Have a batch scored by a version, in the name of the first person who asks; asking again changes nothing.

        A batch that was stopped or has failed stays as it is until `start`.
        """
        work = (batch_id, version_id)
        with self._changed:
            entry = self._queue.entries.get(work)
            waits = entry is not None and entry.trial is None
            if self._ended or waits or work in self._queue.stopped or work in self._queue.faults:
                return
        person = current()
        if rows.keep(self.workspace, work, person.name):
            self._put(work, person)

    def start(self, batch_id: int, version_id: int) -> None:
        """Have a batch scored that is long, was stopped, or has failed: a person has asked for it."""
        require(Role.OPERATE, "start the scoring of a batch")
        with self._changed:
            self._queue.stopped.discard((batch_id, version_id))
            self._queue.faults.pop((batch_id, version_id), None)
        self.want(batch_id, version_id)

    def measure(self, batch_id: int, version_id: int) -> None:
        """Score a few images of a batch for the time of an image, unless it waits, was stopped, or has failed."""
        work = (batch_id, version_id)
        with self._changed:
            queue = self._queue
            if self._ended or work in queue.entries or work in queue.stopped or work in queue.faults:
                return
        self._put(work, current(), TRIAL)

    def halt(self, batch_id: int, version_id: int) -> None:
        """Stop a batch after the image in hand; what is scored stays, and `start` continues."""
        person = require(Role.OPERATE, "stop the scoring of a batch")
        work = (batch_id, version_id)
        with self._changed:
            entry = self._queue.entries.pop(work, None)
            if entry is None:
                return
            entry.halted = True
            self._queue.stopped.add(work)
            self._changed.notify_all()
        rows.keep(self.workspace, work, person.name, stopped=True)

    def release(self, batch_id: int) -> None:
        """Let go of a batch that is to be deleted, once the image in hand is stored."""
        with self._changed:
            queue = self._queue
            for work in [work for work in queue.entries if work[0] == batch_id]:
                queue.entries.pop(work).halted = True
            queue.stopped = {work for work in queue.stopped if work[0] != batch_id}
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
            return ScoringState("stopped" if work in self._queue.stopped else "idle")

    def list_waiting(self) -> dict[Work, ScoringState]:
        """Return the batches that wait, in line."""
        with self._changed:
            return {work: state for work, state in self._waiting().items() if not state.trial}

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
            return (batch_id, version_id) in self._queue.entries

    def stop(self) -> None:
        """End the thread after the image in hand; the rows stay for `resume`."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

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
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="scorer", daemon=True)
                self._thread.start()
            self._changed.notify_all()

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
                is_through = self._turn(work, entry)
            if is_through and not entry.halted and entry.trial is None:
                self._drop_row(work)
            with self._changed:
                queue.in_hand = None
                queue.turns += 1
                entry.place.last_turn = queue.turns
                if (is_through or entry.trial == 0) and queue.entries.get(work) is entry:
                    del queue.entries[work]
                self._changed.notify_all()

    def _drop_row(self, work: Work) -> None:
        """Drop the row of a batch that is through; where nothing can be written, a restart asks for it once more."""
        try:
            rows.drop(self.workspace, work)
        except Exception:  # the thread works for all batches
            log.exception("The row of batch %s by version %s stays.", *work)

    def _turn(self, work: Work, entry: _Entry) -> bool:
        """Score for a turn and return whether the batch is through, or can go no further."""
        try:
            return self._score(work, entry)
        except PatchCoreError as error:
            fault = str(error)
        except Exception:  # the thread must outlive a bug; the page says what the log knows
            log.exception("Scoring batch %s by version %s failed.", *work)
            with suppress(SQLAlchemyError):  # on a full disk or a locked database, which is the fault itself
                if not rows.titles(self.workspace, [work]):
                    return True  # deleted meanwhile
            fault = "Scoring stopped at an unexpected fault; the server's log has the details."
        with self._changed:
            if not entry.halted:
                self._queue.faults[work] = fault
        return True

    def _score(self, work: Work, entry: _Entry) -> bool:
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
