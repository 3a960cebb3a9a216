"""The loop of watching: judge each image that arrives once, store its verdict, then deliver it; until stopped."""

import itertools
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Protocol, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from patchcore.disk.work_notes import READ, SCORE, Step
from patchcore.errors import (
    FatalImage,
    ImageError,
    NotKept,
    Outdated,
    PatchCoreError,
    UnreadableImage,
    program_fault,
)
from patchcore.images.remarks import RemarkTally
from workbench.watching.folder import ArrivedFile, FileKey, Watcher
from workbench.watching.history import HistoryJournal
from workbench.watching.outputs.delivery import Outputs
from workbench.watching.verdict import JudgedFile, VerdictRecord

T = TypeVar("T")
FOLDER, WRITING = "folder", "writing"  # causes of waiting


class Judge(Protocol):
    """Judges files."""

    def __call__(self, key: FileKey, data: bytes) -> JudgedFile:
        """Score a file by its bytes; `ImageError` when they are not a usable image, `NotKept` as in the journal."""

    def broken(self, key: FileKey, data: bytes, why: ImageError) -> JudgedFile:
        """Return the record of a file that cannot be scored."""


@dataclass
class Tally:
    """Counts of a run so far.

    Attributes
    ----------
    scored, broken
        Number of files that were scored, and of files that could not be.
    last
        The latest record of either.
    trouble
        Why the run waits: the folder is away, or a write fails; empty when all is well.
    remarks
        Remarks on the files by their kind; the first of each kind is said at once.
    """

    scored: int = 0
    broken: int = 0
    last: VerdictRecord | None = None
    trouble: str = ""
    remarks: RemarkTally = field(default_factory=RemarkTally)


class WatchRun:
    """Works off a watched folder.

    Parameters
    ----------
    watcher, judge, journal, outputs
        They find files, judge them, store verdicts and deliver verdicts.
    say
        Takes a sentence when trouble begins and when it ends, once each.
    stop
        Set by the caller to end the run after the current image.
    report
        Takes the tally after each change of it.
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
        report: Callable[[Tally], None] = lambda _: None,
    ) -> None:
        self.watcher, self.judge, self.journal, self.outputs = watcher, judge, journal, outputs
        self.say, self.stop, self.report = say, stop, report
        self.tally = Tally()
        self._waits_for = self._nothing = ""
        self._last_done = time.monotonic()

    def run(self, *, once: bool = False) -> Tally:
        """Complete what a crash left, then work until stopped.

        Parameters
        ----------
        once
            Whether to end when the files of the first look have their verdicts. Files that are still being written
            after `settle` and twice `broken_after` seconds are left for the next run.
        """
        for record in self.journal.unfinished():
            if not self._deliver(record, again=True):
                return self.tally
        wanted: set[str] | None = None
        looked = False
        self._last_done = time.monotonic()
        while not self.stop.is_set():
            arrived = self._look()
            if not looked and not self.watcher.away:
                looked = True
                self._note_nothing()
            for sentence in self.watcher.new_mask_folders():
                self.say(sentence)
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

    def _work_off(self, arrived: list[ArrivedFile]) -> None:
        """Process files until it is time for the next look; those that a process may have died on come last."""
        until = time.monotonic() + self.watcher.patience()
        suspects = set(self.journal.notes.suspects().values())
        arrived.sort(key=lambda file: file.key.path in suspects)
        for file in arrived:
            if self.stop.is_set() or time.monotonic() > until:
                return
            self._process(file)
        self.stop.wait(self.watcher.pause())

    def _look(self) -> list[ArrivedFile]:
        if self.journal.is_to_look_again():
            self.watcher.look_again()
        arrived = self._persist(self.watcher.look) or []
        if self.watcher.away:
            self._trouble(
                FOLDER, f"{self.watcher.folder} is away ({self.watcher.away}). Waiting until it is back."
            )
        else:
            self._recovered(FOLDER, f"{self.watcher.folder} is back.")
        return arrived

    def _note_nothing(self) -> None:
        """Say what a folder without images holds at the first look; an image that arrives ends the remark."""
        self._nothing = self.tally.trouble = self.watcher.nothing_to_judge()
        if self._nothing:
            self.say(self._nothing)
            self.report(self.tally)

    def _process(self, arrived: ArrivedFile) -> None:
        """Judge one file, store its verdict and deliver it; or leave the file for later."""
        file = self._judge_file(arrived)
        if file is None:
            self.watcher.retry(arrived.key)
            return
        file = replace(file, record=self.outputs.plan(file.record))
        try:
            stored = self._complete(lambda: self._record(file))
        except Outdated:
            self.watcher.retry(arrived.key)
            return
        if stored:
            self.watcher.done(arrived.key)
            self._count(file.record)
            self._deliver(file.record)

    def _record(self, file: JudgedFile) -> None:
        """Store a verdict; a file that was set aside is not noted as in work, and keeps its deaths."""
        if file.record.error is None:
            with self._in_work(file.record.key, file.data, SCORE):
                self.journal.record(file)
        else:
            self.journal.record(file)

    def _in_work(self, key: FileKey, data: bytes, step: Step) -> AbstractContextManager[None]:
        from patchcore.images.reading import in_work  # late: PyTorch comes with it

        return in_work(sha256(data).hexdigest(), key.path, step, self.journal.notes)

    def _judge_file(self, arrived: ArrivedFile) -> JudgedFile | None:
        """Return a file with its verdict; None when the file must be tried again."""
        key, data = arrived.key, b""
        try:
            content = self.watcher.read(arrived)
            if content is None:
                return None
            data = content
            return self._persist(lambda: self._judge(key, data))
        except ImageError as error:
            unusable: ImageError = error
        except OSError as fault:
            if not self.watcher.is_there():
                return None
            reason = f"the file cannot be opened ({fault.strerror}). Check its permissions."
            unusable = UnreadableImage(key.path, reason)
        except (PatchCoreError, SQLAlchemyError):
            raise
        except Exception as fault:  # a fault of the program on one file must not stop the others
            traceback.print_exc()
            unusable = UnreadableImage(key.path, program_fault(fault))
        if not arrived.last_try and not isinstance(unusable, FatalImage):
            return None
        return self._persist(lambda: self.judge.broken(key, data, unusable))

    def _judge(self, key: FileKey, data: bytes) -> JudgedFile:
        with self._in_work(key, data, READ):
            return self.judge(key, data)

    def _deliver(self, record: VerdictRecord, *, again: bool = False) -> bool:
        """Deliver a verdict to the outputs; False when the run was stopped first."""
        tries = itertools.chain([again], itertools.repeat(True))  # a failed try may have done part of it
        return self._complete(lambda: self.outputs.deliver(record, again=next(tries))) and self._complete(
            lambda: self.journal.finish(record.key)
        )

    def _complete(self, action: Callable[[], None]) -> bool:
        def act() -> bool:
            action()
            return True

        return self._persist(act) is not None

    def _persist(self, action: Callable[[], T]) -> T | None:
        """Repeat an action that a full disk may hinder until it succeeds; None when stopped first."""
        while True:
            try:
                result = action()
            except NotKept as fault:
                self._trouble(WRITING, str(fault))
                if self.stop.wait(max(1.0, self.watcher.interval)):
                    return None
            else:
                self._recovered(WRITING, "It can be written again.")
                return result

    def _count(self, record: VerdictRecord) -> None:
        if record.error is None:
            self.tally.scored += 1
        else:
            self.tally.broken += 1
            self.say(f"{record.file}: {record.error}")
        for sentence in self.tally.remarks.take(record.file, record.remarks):
            self.say(sentence)
        if record.picture_check is not False:
            for doubt in record.doubts:
                self.say(f"{record.file}: {doubt['sentence']}")
        if self._nothing and self.tally.trouble == self._nothing:
            self.tally.trouble = ""
        self.tally.last, self._last_done = record, time.monotonic()
        self.report(self.tally)

    def _trouble(self, waits_for: str, sentence: str) -> None:
        if self._waits_for != waits_for:
            self._waits_for, self.tally.trouble = waits_for, sentence
            self.say(sentence)
            self.report(self.tally)

    def _recovered(self, waited_for: str, sentence: str) -> None:
        if self._waits_for == waited_for:
            self._waits_for = self.tally.trouble = ""
            self.say(sentence)
            self.report(self.tally)
