"""Watching: every image that arrives is judged once, its verdict is kept, then told; until somebody says stop."""

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from patchcore.errors import ImageError, NotKept, Outdated, UnreadableImage
from workbench.watching.folder import Arrived, FileKey, Watcher
from workbench.watching.history import HistoryJournal
from workbench.watching.outputs.delivery import Outputs
from workbench.watching.verdict import Given, Judged

T = TypeVar("T")
FOLDER, WRITING = "folder", "writing"  # what a run may wait for


class Judge(Protocol):
    """Gives verdicts."""

    def __call__(self, key: FileKey, data: bytes) -> Judged:
        """Score a file by its bytes; `ImageError` when it is no image that can be scored; `NotKept` as the journal."""

    def broken(self, key: FileKey, data: bytes, why: ImageError) -> Judged:
        """Say of a file that it cannot be scored."""


@dataclass
class Tally:
    """What a run has done so far.

    Attributes
    ----------
    scored, broken
        Files with a verdict, and files that could not be scored.
    last
        The latest of both.
    trouble
        What the run waits for: the folder is away, or something cannot be written; empty when all is well.
    """

    scored: int = 0
    broken: int = 0
    last: Given | None = None
    trouble: str = ""


class WatchRun:
    """Works off a watched folder.

    Parameters
    ----------
    watcher, judge, journal, outputs
        What looks, judges, keeps and tells.
    say
        Told in a sentence when something goes wrong and when it is well again, once each.
    stop
        Set from outside to end after the image in hand.
    told
        Called when the tally has changed.
    """

    def __init__(
        self,
        watcher: Watcher,
        judge: Judge,
        journal: HistoryJournal,
        outputs: Outputs,
        *,
        say: Callable[[str], None],
        stop: threading.Event,
        told: Callable[[Tally], None] = lambda _: None,
    ) -> None:
        self.watcher, self.judge, self.journal, self.outputs = watcher, judge, journal, outputs
        self.say, self.stop, self.told = say, stop, told
        self.tally = Tally()
        self._waits_for = ""
        self._last_done = time.monotonic()

    def run(self, *, once: bool = False) -> Tally:
        """Complete what a crash left, then work until stopped.

        Parameters
        ----------
        once
            Whether to end when what is there at the first look has been done with. What is still being written
            after twice the time from which on a file is called broken is left for the next run.
        """
        for given in self.journal.unfinished():
            if not self._tell(given, again=True):
                return self.tally
        wanted: set[str] | None = None
        self._last_done = time.monotonic()
        while not self.stop.is_set():
            arrived = self._look()
            if once and not self._waits_for:
                wanted = self.watcher.waiting() if wanted is None else wanted & self.watcher.waiting()
                if not wanted or (not arrived and self._gives_up(wanted)):
                    break
            self._work_off(arrived)
        return self.tally

    def _gives_up(self, wanted: set[str]) -> bool:
        patience = self.watcher.settle + 2 * self.watcher.broken_after
        if time.monotonic() - self._last_done < patience:
            return False
        self.say(f"Still being written, and left for the next time: {', '.join(sorted(wanted)[:5])}.")
        return True

    def _work_off(self, arrived: list[Arrived]) -> None:
        """Take one after the other until it is time for the next look."""
        until = time.monotonic() + self.watcher.patience()
        for one in arrived:
            if self.stop.is_set() or time.monotonic() > until:
                return
            self._take(one)
        self.stop.wait(self.watcher.pause())

    def _look(self) -> list[Arrived]:
        arrived = self._persist(self.watcher.look) or []
        if self.watcher.away:
            self._trouble(
                FOLDER, f"{self.watcher.folder} is away ({self.watcher.away}). Waiting until it is back."
            )
        else:
            self._well(FOLDER, f"{self.watcher.folder} is back.")
        return arrived

    def _take(self, arrived: Arrived) -> None:
        """Judge one file, keep the verdict, tell it; or leave it for later."""
        judged = self._judged(arrived)
        if judged is None:
            self.watcher.retry(arrived.key)
            return
        judged = replace(judged, given=self.outputs.plan(judged.given))
        try:
            kept = self._did(lambda: self.journal.record(judged))
        except Outdated:
            self.watcher.retry(arrived.key)
            return
        if kept:
            self.watcher.done(arrived.key)
            self._count(judged.given)
            self._tell(judged.given)

    def _judged(self, arrived: Arrived) -> Judged | None:
        """Return the verdict on a file; None when it is to be tried again."""
        key, data = arrived.key, b""
        try:
            found = self.watcher.read(arrived)
            if found is None:
                return None
            data = found
            return self._persist(lambda: self.judge(key, data))
        except ImageError as error:
            unusable: ImageError = error
        except OSError as fault:
            if not self.watcher.is_there():
                return None
            reason = f"the file cannot be opened ({fault.strerror}). Check its permissions."
            unusable = UnreadableImage(key.path, reason)
        if not arrived.last_try:
            return None
        return self._persist(lambda: self.judge.broken(key, data, unusable))

    def _tell(self, given: Given, *, again: bool = False) -> bool:
        """Do what is to be done with a verdict; false when the run was stopped before it could be."""
        tries = itertools.chain([again], itertools.repeat(True))  # after a failure some of it may be done
        return self._did(lambda: self.outputs.give(given, again=next(tries))) and self._did(
            lambda: self.journal.finish(given.key)
        )

    def _did(self, action: Callable[[], None]) -> bool:
        def act() -> bool:
            action()
            return True

        return self._persist(act) is not None

    def _persist(self, action: Callable[[], T]) -> T | None:
        """Do something that a full disk may hinder, as often as it takes; None when stopped before it could be."""
        while True:
            try:
                done = action()
            except NotKept as fault:
                self._trouble(WRITING, str(fault))
                if self.stop.wait(max(1.0, self.watcher.interval)):
                    return None
            else:
                self._well(WRITING, "It can be written again.")
                return done

    def _count(self, given: Given) -> None:
        if given.error is None:
            self.tally.scored += 1
        else:
            self.tally.broken += 1
            self.say(f"{given.file}: {given.error}")
        self.tally.last, self._last_done = given, time.monotonic()
        self.told(self.tally)

    def _trouble(self, waits_for: str, sentence: str) -> None:
        if self._waits_for != waits_for:
            self._waits_for, self.tally.trouble = waits_for, sentence
            self.say(sentence)
            self.told(self.tally)

    def _well(self, waited_for: str, sentence: str) -> None:
        if self._waits_for == waited_for:
            self._waits_for = self.tally.trouble = ""
            self.say(sentence)
            self.told(self.tally)
