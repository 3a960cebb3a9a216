"""The work of the tests' processes, apart from the tests: a process that starts imports this, and no pytest."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from patchcore.disk.work_notes import WorkNotes
from patchcore.errors import SettingsError


def heard(done):
    """Listen to nothing."""


@dataclass(frozen=True)
class Counting:
    """Count up to each part, and leave a file for each process that starts."""

    folder: Path

    def __call__(self):
        (self.folder / f"started-{os.getpid()}").touch()
        return self.run

    def run(self, part, report):
        for item in range(part):
            report(item + 1)
        return part, os.getpid()


@dataclass(frozen=True)
class Dying(Counting):
    """End the process in the midst of part 3, so many times."""

    times: int = 1

    def run(self, part, report):
        report(1)
        if part == 3 and len(list(self.folder.glob("died-*"))) < self.times:
            (self.folder / f"died-{os.getpid()}").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().run(part, report)


@dataclass(frozen=True)
class Poisoned(Counting):
    """Work on a file that ends the process, until the file is refused."""

    def run(self, part, report):
        notes, sha256 = WorkNotes(self.folder / "in_work"), f"{part}" * 64
        if not notes.refusal(sha256):
            with notes.in_work(sha256, "kills.png"):
                os.kill(os.getpid(), signal.SIGKILL)
        return super().run(part, report)


@dataclass(frozen=True)
class Waiting(Counting):
    """Say one item, then never come to an end."""

    def run(self, part, report):
        report(1)
        time.sleep(600)


def ends_at_the_start():
    os._exit(3)


def starts_and_refuses():
    return refuse


def refuse(part, report):
    raise SettingsError(f"part {part} does not fit")


def starts_and_breaks():
    return break_down


def break_down(part, report):
    class Local(Exception):
        pass

    raise Local("a fault of the program")
