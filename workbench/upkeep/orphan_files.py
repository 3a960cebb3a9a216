"""Files without rows: left in the workspace by a crash, a lost row or a stranger."""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.engine import Connection

from workbench.jobs.requests import JobState
from workbench.storage.processes import is_being_written
from workbench.storage.tables import Image, Job
from workbench.storage.workspace import Workspace
from workbench.upkeep.finding import Finding
from workbench.upkeep.kept_files import KeptFile
from workbench.upkeep.quarantine import Bin
from workbench.uploads import pending
from workbench.uploads.drafts import unnamed_files

ENDED = (JobState.DONE, JobState.CANCELLED)  # states that no longer need checkpoints
THUMBNAIL = re.compile(r"([0-9a-f]{64})\.jpg")


@dataclass(frozen=True)
class Orphans:
    """Looks for files that no row names.

    Parameters
    ----------
    grace
        Seconds that a file may be without a row: files are written first, their rows after.
    """

    workspace: Workspace
    grace: float

    def find(self, kept: Iterable[KeptFile], connection: Connection, listed: list[Path]) -> Iterator[Finding]:
        """Yield the findings among files that were listed before the rows were read."""
        names = {file.path for file in kept}
        images = set(connection.scalars(select(Image.sha256)))
        rows = connection.execute(select(Job.id, Job.state))
        states = {job_id: state for job_id, state in rows}  # noqa: C416  (a result is not a mapping)
        for path in unnamed_files(self.workspace, self.grace):
            yield self._deletion(path, "uploads of a draft that is gone")
        for path in pending.incomplete(self.workspace, self.grace):
            yield self._deletion(path, "an upload that was cut off")
        for path in listed:
            parts = path.relative_to(self.workspace.root).parts
            finding: Finding | None = None
            if parts[0] == "temporary":
                finding = self._temporary(path)
            elif parts[0] == "jobs":
                finding = self._of_a_job(path, states)
            elif self.workspace.relative(path) in names:
                continue
            elif parts[0] == "thumbnails":
                finding = self._thumbnail(path, images)
            elif parts[0] == "results":
                finding = self._of_a_result(path, names)
            elif parts[0] == "history":
                finding = self._of_the_history(path)
            elif parts[0] in ("images", "inspectors"):
                finding = self._of_a_user(path, parts[0])
            if finding is not None:
                yield finding

    def list_files(self) -> list[Path]:
        """Return the listed files; call it before the rows are read. A draft or a job counts as one file."""
        root = self.workspace.root
        whole = [path for name in ("temporary", "jobs") for path in sorted((root / name).iterdir())]
        folders = (root / name for name in ("images", "inspectors", "results", "history", "thumbnails"))
        return whole + [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]

    def _temporary(self, path: Path) -> Finding | None:
        if self._is_young(path) or is_being_written(path):
            return None
        return self._deletion(path, "left by a write that was cut off")

    def _of_a_job(self, path: Path, states: dict[int, str]) -> Finding | None:
        state = states.get(int(path.name)) if path.name.isdecimal() else None
        scratch = path / "scratch"
        if self._is_young(path) or (state in ENDED and not scratch.exists()):
            return None
        if state is None:
            return self._deletion(path, "the folder of a job that is not in the database")
        return self._deletion(scratch, "checkpoints of a job that has ended") if state in ENDED else None

    def _thumbnail(self, path: Path, images: set[str]) -> Finding | None:
        match = THUMBNAIL.fullmatch(path.name)
        if self._is_young(path) or (match is not None and match[1] in images):
            return None
        return self._deletion(path, "a thumbnail of an image that is not in the database", derived=True)

    def _of_a_result(self, path: Path, names: set[str]) -> Finding | None:
        """Maps and tiles come from images and inspectors: scoring makes them again."""
        of_map = self.workspace.relative(path.with_suffix(".png"))
        if self._is_young(path) or (path.suffix == ".tile" and of_map in names):
            return None
        return self._deletion(path, "an anomaly map or tile without a result in the database", derived=True)

    def _of_the_history(self, path: Path) -> Finding | None:
        """An overlay is written before its row, and deleted after it; without a row its meaning is lost."""
        return None if self._is_young(path) else self._deletion(path, "an overlay without its inspection")

    def _of_a_user(self, path: Path, place: str) -> Finding | None:
        if self._is_young(path):
            return None
        trouble = "an image" if place == "images" else "a file of an inspector"
        return self._move(path, f"{trouble} that is not in the database")

    def _is_young(self, path: Path) -> bool:
        """Whether a file was written so lately that its row may follow; a missing file counts as young."""
        try:
            return time.time() - path.stat().st_mtime < self.grace
        except FileNotFoundError:
            return True

    def _deletion(self, path: Path, trouble: str, *, derived: bool = False) -> Finding:
        remedy = "delete it: it can be made again" if derived else "delete it"
        place = path.relative_to(self.workspace.root).parts[0]
        return self._finding(path, trouble, remedy, lambda _bin: self.workspace.delete(path, place))

    def _move(self, path: Path, trouble: str) -> Finding:
        return self._finding(path, trouble, "move it to the bin", lambda to: _put(to, path, trouble))

    def _finding(self, path: Path, trouble: str, remedy: str, repair: Callable[[Bin], None]) -> Finding:
        def unless_young(to: Bin) -> None:
            if not self._is_young(path):
                repair(to)

        return Finding(self.workspace.relative(path), trouble, remedy, unless_young)


def _put(to: Bin, path: Path, why: str) -> None:
    to.put_file(path, why)
