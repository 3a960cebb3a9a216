"""A watched folder for the tests: files that arrive at once or in pieces, and a judge that needs no network."""

import io
import os
import threading

import numpy as np
from PIL import Image

from patchcore.errors import UnreadableImage
from workbench.storage.workspace import Workspace
from workbench.watching.folder import FileKey, Watcher
from workbench.watching.history import HistoryJournal, plain_inspection
from workbench.watching.outputs.delivery import Outputs
from workbench.watching.run import WatchRun
from workbench.watching.verdict import JudgedFile, new_record

SETTLE, INTERVAL, BROKEN_AFTER = 0.1, 0.02, 0.5


def png(grey, side=24):
    buffer = io.BytesIO()
    Image.fromarray(np.full((side, side), grey, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def put(folder, name, data, *, age=0.0):
    """Write a file as a careful camera does, `age` seconds older than now."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    if age:
        os.utime(path, (path.stat().st_atime, path.stat().st_mtime - age))
    return path


def arrived(folder, name, data=b"abc", verdict="reject"):
    """A verdict on a file that is written."""
    status = put(folder, name, data).stat()
    return new_record(FileKey(name, status.st_size, status.st_mtime_ns), data, "plate", verdict=verdict)


def files(place):
    """The files below a folder: their contents by their paths."""
    return {
        path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*") if path.is_file()
    }


class GreyJudge:
    """Judges by the mean grey: bright ones are rejected. Quick, and as strict about files as the real one."""

    def __init__(self):
        self.judged = []

    def __call__(self, key, data):
        try:
            with Image.open(io.BytesIO(data)) as picture:
                grey = float(np.asarray(picture.convert("L")).mean())
        except OSError as fault:
            raise UnreadableImage(key.path, "truncated") from fault
        self.judged.append(key)
        verdict = "reject" if grey > 170 else "review" if grey > 85 else "accept"
        return JudgedFile(
            new_record(key, data, "grey", score=grey, verdict=verdict, accept=85.0, reject=170.0), data
        )

    def broken(self, key, data, why):
        self.judged.append(key)
        return JudgedFile(new_record(key, data, "grey", error=why.reason), data)


class RowKeeper:
    """Keeps rows alone."""

    def prepare(self, judged):
        pass

    def keep(self, session, judged):
        return plain_inspection(judged.record)


class Session:
    """One life of a watching process, in this process."""

    def __init__(self, folder, root, *, outputs=None, report=lambda _: None, **options):
        self.said = []
        self.workspace = Workspace(root)
        self.journal = HistoryJournal(self.workspace, folder, RowKeeper())
        self.judge, self.stop = GreyJudge(), threading.Event()
        chosen = {"settle": SETTLE, "interval": INTERVAL, "broken_after": BROKEN_AFTER, **options}
        self.watcher = Watcher(folder, self.journal.has_verdict, **chosen)
        self.run = WatchRun(
            self.watcher,
            self.judge,
            self.journal,
            outputs or Outputs(),
            say=self.said.append,
            stop=self.stop,
            report=report,
        )

    def once(self):
        tally = self.run.run(once=True)
        self.close()
        return tally

    def close(self):
        self.journal.close()
        self.workspace.close()
