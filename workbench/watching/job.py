"""The standing job of a folder that the dashboard watches: it judges by the version and thresholds in use.

Its images go into batches with their results, one batch a day, so that Inspect shows them like any others.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from patchcore.errors import Cancelled, ImageError, Outdated
from patchcore.images.file_names import display_name
from patchcore.images.reading import read_image
from patchcore.inspection import thresholds
from patchcore.kernels.threads import use_threads
from workbench.inspections.history import in_force
from workbench.inspections.score_and_store import ScoredImage, keep_scored, score_image
from workbench.jobs.process import RunningJob, say
from workbench.storage.tables import Batch, BatchImage, Inspection, Watch
from workbench.storage.workspace import Workspace
from workbench.watching.folder import FileKey, Watcher
from workbench.watching.history import HistoryJournal, plain_inspection, waits_for_room
from workbench.watching.in_use import columns_of, model_in_use
from workbench.watching.outputs.registry import make_outputs
from workbench.watching.run import Tally, WatchRun
from workbench.watching.standing import WATCHING, WatchOptions, get_watch
from workbench.watching.verdict import JudgedFile, inspection_record, new_record

if TYPE_CHECKING:
    from workbench.inspections.history import InForce

BATCH_IMAGES = 500  # images of one batch; a page shows no more at once
SLICE = 0.1  # seconds between two checks for a cancelled job


def run_watch(job: RunningJob) -> None:
    """Watch a folder until the job is cancelled; `job.arguments` holds the watch's id."""
    watch = get_watch(job.workspace, int(job.arguments["watch_id"]))
    use_threads(WatchOptions.from_dict(watch.options).threads)

    def report(tally: Tally) -> None:
        job.progress(tally.trouble or WATCHING, tally.scored + tally.broken, 0)

    job.progress("starting", 0, 0)
    run = prepare_run(job.workspace, watch, stop=_Cancel(job), report=report)
    report(run.tally)
    try:
        run.run()
    finally:
        run.journal.close()
    raise Cancelled


def prepare_run(
    workspace: Workspace, watch: Watch, *, stop: threading.Event, report: Callable[[Tally], None]
) -> WatchRun:
    """Return the run of a watch, with its model loaded; the caller closes its journal.

    Raises
    ------
    WorkspaceError, SettingsError
        The inspector was deleted, or another process watches the folder.
    """
    options, folder = WatchOptions.from_dict(watch.options), Path(watch.folder)
    judge = WatchJudge(workspace, watch)
    model_in_use(workspace, watch.inspector_id)
    outputs = make_outputs(options.outputs, folder)
    journal = HistoryJournal(workspace, folder, judge)
    watcher = Watcher(
        folder,
        journal.has_verdict,
        settle=options.settle,
        subfolders=options.subfolders,
        exclude=[workspace.root, *outputs.folders_left_out()],
    )
    return WatchRun(watcher, judge, journal, outputs, say=say, stop=stop, report=report)


class _Cancel(threading.Event):
    """Set when the job is cancelled."""

    def __init__(self, job: RunningJob) -> None:
        super().__init__()
        self._job = job

    def is_set(self) -> bool:
        return self._job.cancelled()

    def wait(self, timeout: float | None = None) -> bool:
        until = time.monotonic() + (timeout or 0.0)
        while not self.is_set() and time.monotonic() < until:
            time.sleep(min(SLICE, max(0.0, until - time.monotonic())))
        return self.is_set()


@dataclass(frozen=True, eq=False)
class ScoredFile(JudgedFile):
    """A judged file with the version and thresholds in force, and the stored result."""

    force: InForce | None = None
    result: ScoredImage | None = None


class WatchJudge:
    """Judges files by the version of an inspector in use, and stores each result with its verdict."""

    def __init__(self, workspace: Workspace, watch: Watch) -> None:
        self.workspace, self.watch = workspace, watch

    def __call__(self, key: FileKey, data: bytes) -> ScoredFile:
        """Score a file and store its image, map and overlay, but not its rows."""
        with waits_for_room(self.workspace):
            inspector, version, model = model_in_use(self.workspace, self.watch.inspector_id)
            began, name = time.perf_counter(), display_name(key.path)
            loaded = read_image(data, name=name, value_range=model.settings.value_range)
            stored = self.workspace.store_image(data, name, record=loaded.record.to_dict())
            result = score_image(self.workspace, stored.sha256, version, loaded=loaded)
        seconds = time.perf_counter() - began
        if result.seen is None:
            record = new_record(
                key,
                data,
                inspector.name,
                error=result.columns["error"],
                width=loaded.record.width,
                height=loaded.record.height,
                seconds=round(seconds, 4),
                remarks=result.columns.get("remarks", []),
                **thresholds(result.force.point),
            )
        else:
            record = inspection_record(key, data, inspector.name, result.seen.inspection, seconds)
        result.columns["remarks"] = record.remarks
        return ScoredFile(record, data, force=result.force, result=result)

    def broken(self, key: FileKey, data: bytes, why: ImageError) -> ScoredFile:
        """Return the record of a file that cannot be scored."""
        with waits_for_room(self.workspace):
            inspector, version, _ = model_in_use(self.workspace, self.watch.inspector_id)
            with self.workspace.database.read() as session:
                force = in_force(session, version.id)
            if data:
                self.workspace.store_image(data, display_name(key.path))
        record = new_record(key, data, inspector.name, error=why.reason)
        result = ScoredImage(version, force, False, {"error": why.reason, "remarks": record.remarks})
        return ScoredFile(record, data, force=force, result=result)

    def prepare(self, file: JudgedFile) -> None:
        """Do nothing: pictures were stored when the image was scored."""

    def keep(self, session: Session, file: JudgedFile) -> Inspection:
        """Store image, result and inspection together, in the batch of the day."""
        assert isinstance(file, ScoredFile) and file.result is not None and file.force is not None
        if not file.data:  # a file that could not be opened has no image to show
            return plain_inspection(file.record, **columns_of(file.force))
        batch = self._batch(session)
        last = session.scalar(select(func.max(BatchImage.position)).where(BatchImage.batch_id == batch.id))
        image = BatchImage(
            batch_id=batch.id,
            position=0 if last is None else last + 1,
            sha256=file.record.sha256,
            name=display_name(file.record.file),
        )
        session.add(image)
        session.flush()
        row = keep_scored(session, image, file.result, source="watch")
        if row is None or row.inspection is None:
            file.result.discard(self.workspace)
            raise Outdated(f"The inspector was changed while {file.record.file} was scored.")
        assert row.inspection.verdict == file.record.verdict
        return row.inspection

    def _batch(self, session: Session) -> Batch:
        """Return today's batch that has room; a new one when all are full."""
        today = f"Watched {display_name(Path(self.watch.folder).name)} {datetime.now().astimezone():%Y-%m-%d}"
        mine = select(Batch).where(Batch.watch_id == self.watch.id).order_by(Batch.id.desc())
        of_today = [batch for batch in session.scalars(mine.limit(200)) if batch.name.startswith(today)]
        if of_today:
            images = select(func.count()).where(BatchImage.batch_id == of_today[0].id)
            if (session.scalar(images) or 0) < BATCH_IMAGES:
                return of_today[0]
        number = f", part {len(of_today) + 1}" if of_today else ""
        batch = Batch(inspector_id=self.watch.inspector_id, name=f"{today}{number}", watch_id=self.watch.id)
        session.add(batch)
        session.flush()
        return batch
