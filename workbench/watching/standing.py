"""Watched folders of the dashboard: start a watch, stop it, and read its state. Each watch is a standing job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from patchcore.errors import SettingsError
from patchcore.images.file_names import display_name
from workbench.jobs import requests
from workbench.jobs.requests import STANDING, JobState
from workbench.people.roles import Role, require
from workbench.storage.database import WorkspaceError, required
from workbench.storage.revisions import note_event
from workbench.storage.tables import Batch, BatchImage, Inspector, InspectorVersion, Job, Watch, WatchedFile
from workbench.storage.timestamps import last_midnight, now
from workbench.storage.workspace import Workspace
from workbench.uploads.intake import open_path
from workbench.watching import history
from workbench.watching.folder import require_folder
from workbench.watching.history import folder_name
from workbench.watching.outputs.lines import PROGRAM
from workbench.watching.outputs.registry import complete, make_outputs
from workbench.watching.outputs.registry import options as output_options
from workbench.watching.verdict import VerdictRecord

KIND = "watch"
WATCHING = "watching"  # the job's stage when all is well
OWN_MEGABYTES = (
    420.0  # a watch's process without its inspector; it shares its libraries' code with other processes
)


@dataclass(frozen=True)
class WatchOptions:
    """Options of a watched folder, with the options of its outputs.

    Attributes
    ----------
    subfolders
        Whether to look into folders below.
    settle
        Seconds for which a file must not have changed.
    threads
        Number of computing threads; a watch leaves the rest of the computer to other work.
    outputs
        Values of the outputs' options, by name (`outputs.registry.options`); a missing option has its default.
    """

    subfolders: bool = False
    settle: float = 1.0
    threads: int = 1
    outputs: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the options as the database stores them."""
        own = {name: getattr(self, name) for name in _OWN_OPTIONS}
        return {**own, **self.outputs}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> WatchOptions:
        """Return the options from the output of `to_dict`."""
        own = {name: data[name] for name in _OWN_OPTIONS if name in data}
        return cls(**own, outputs={name: data[name] for name in data if name not in _OWN_OPTIONS})


_OWN_OPTIONS = ("subfolders", "settle", "threads")


@dataclass(frozen=True)
class WatchState:
    """The state of a watch that has not been stopped.

    Attributes
    ----------
    id, inspector_id, inspector_name, folder, options, made_by
        The watch, its inspector, its folder, its options and its author.
    since
        Time of its start.
    job_state, trouble
        State of its job, and why the job waits or failed; empty when all is well.
    today
        Number of files with a verdict of today, by this computer's clock.
    last
        Its latest verdict; None before the first.
    batch_id
        The batch with its latest images.
    set_aside
        The latest files on which the program failed, or was stopped: another try may end otherwise.
    """

    id: int
    inspector_id: str
    inspector_name: str
    folder: str
    options: WatchOptions
    made_by: str
    since: datetime
    job_state: JobState
    trouble: str
    today: int
    last: VerdictRecord | None
    batch_id: int | None
    set_aside: list[VerdictRecord] = field(default_factory=list)


def memory_megabytes(version: InspectorVersion) -> float:
    """Return the memory that watching one more folder takes while it runs, about; `lab.speed.watching` measures it."""
    return OWN_MEGABYTES + version.megabytes


def start_watch(
    workspace: Workspace,
    inspector_id: str,
    folder: str,
    options: WatchOptions = WatchOptions(),
) -> int:
    """Start to score the images that arrive in a folder, and return the watch's id.

    The version and thresholds in use when an image arrives judge it, also after a later change.

    Parameters
    ----------
    folder
        Path as the user typed it. It must lie below a folder that the interface may open (`intake.allowed_roots`), as
        must the folders and files that `options` name.

    Raises
    ------
    NotAllowed
        The user is not an engineer.
    FolderError, NoImagesError
        A folder does not exist, or lies outside of the folders that the interface may open.
    WorkspaceError, SettingsError
        The folder is watched already, the largest number of folders is watched, or files would be moved to their own
        place.
    """
    person = require(Role.ENGINEER, "watch folders")
    place = open_path(folder, exclude=[workspace.root])
    require_folder(place)
    options = _checked(workspace, place, options)
    with workspace.database.write() as session:
        inspector = session.get(Inspector, inspector_id)
        if inspector is None or inspector.current_id is None or inspector.deleted is not None:
            raise WorkspaceError(f"There is no inspector {inspector_id} in use.")
        _require_free(session, place, options)
        job = Job(
            kind=KIND,
            title=f"Watching {display_name(place.name)}",
            arguments={},
            made_by=person.name,
            state=JobState.QUEUED,
        )
        session.add(job)
        session.flush()
        watch = Watch(
            inspector_id=inspector_id,
            folder=folder_name(place),
            options=options.to_dict(),
            made_by=person.name,
            job_id=job.id,
        )
        session.add(watch)
        session.flush()
        job.arguments = {"watch_id": watch.id}
        note_event(session, "start watch", inspector_id, watch=watch.id, folder=watch.folder)
    return watch.id


def stop_watch(workspace: Workspace, watch_id: int) -> None:
    """Stop a watch within two seconds, after its current image. Stopping it again changes nothing.

    Raises
    ------
    NotAllowed
        The user is not an engineer.
    WorkspaceError
        No watch has that id.
    """
    require(Role.ENGINEER, "stop watching folders")
    with workspace.database.write() as session:
        watch = _require(session, watch_id)
        if watch.stopped is None:
            watch.stopped = now()
            note_event(session, "stop watch", watch.inspector_id, watch=watch.id, folder=watch.folder)
        job = session.get(Job, watch.job_id) if watch.job_id is not None else None
        if job is not None and job.state == JobState.RUNNING:
            job.cancel_requested = job.cancel_requested or now()
        elif job is not None and job.state not in (JobState.DONE, JobState.CANCELLED):
            job.state, job.finished = JobState.CANCELLED, now()


def start_again(workspace: Workspace, watch_id: int) -> None:
    """Restart a failed watch, after its cause was mended.

    Raises
    ------
    NotAllowed
        The user is not an engineer.
    WorkspaceError
        No watch has that id.
    """
    require(Role.ENGINEER, "watch folders")
    with workspace.database.read() as session:
        watch = _require(session, watch_id)
    if watch.stopped is None and watch.job_id is not None:
        requests.resume(workspace, watch.job_id)


def try_again(workspace: Workspace, watch_id: int) -> None:
    """Have the files of a watched folder judged again on which the program failed, as after a fix.

    Raises
    ------
    NotAllowed
        The user may not operate.
    WorkspaceError
        No watch has that id.
    """
    require(Role.OPERATE, "have files tried again")
    with workspace.database.write() as session:
        watch = _require(session, watch_id)
        files = history.try_again(workspace, session, watch.folder)
        note_event(session, "try again", watch.inspector_id, watch=watch.id, files=files)


def list_watches(workspace: Workspace, inspector_id: str | None = None) -> list[WatchState]:
    """Return the watches that have not been stopped, of one inspector or of all, oldest first."""
    query = (
        select(Watch, Job, Inspector.name)
        .join(Job, Job.id == Watch.job_id)
        .join(Inspector, Inspector.id == Watch.inspector_id)
        .where(Watch.stopped.is_(None))
        .order_by(Watch.id)
    )
    if inspector_id is not None:
        query = query.where(Watch.inspector_id == inspector_id)
    with workspace.database.read() as session:
        return [_state(session, watch, job, name) for watch, job, name in session.execute(query)]


def get_watch(workspace: Workspace, watch_id: int) -> Watch:
    """Return a watch, stopped or not.

    Raises
    ------
    WorkspaceError
        No watch has that id.
    """
    with workspace.database.read() as session:
        return _require(session, watch_id)


def is_watched(workspace: Workspace, batch: Batch) -> bool:
    """Whether images may still arrive in a batch: the latest batch of a watch that has not been stopped."""
    if batch.watch_id is None:
        return False
    latest = select(func.max(Batch.id)).where(Batch.watch_id == batch.watch_id)
    with workspace.database.read() as session:
        watch = session.get(Watch, batch.watch_id)
        return watch is not None and watch.stopped is None and session.scalar(latest) == batch.id


def count_images(workspace: Workspace, batch_id: int) -> int:
    """Return the number of images in a batch."""
    with workspace.database.read() as session:
        return session.scalar(select(func.count()).where(BatchImage.batch_id == batch_id)) or 0


def _checked(workspace: Workspace, folder: Path, options: WatchOptions) -> WatchOptions:
    """Return the options with folders and files resolved; each lies below a folder that the interface may open."""
    values = complete(options.outputs)
    for option in output_options():
        if option.is_place:
            typed = values[option.name].strip()
            place = open_path(typed, exclude=[workspace.root, PROGRAM]) if typed else ""
            values[option.name] = str(place)
    if folder_name(folder) != str(folder):
        raise SettingsError(
            f"The name of {display_name(str(folder))} is not text that can be stored. Rename the folder first."
        )
    make_outputs(values, folder).require_targets()  # raises SettingsError for a value that cannot be used
    return replace(options, outputs=values)


def _require_free(session: Session, folder: Path, options: WatchOptions) -> None:
    """Refuse a folder that another watch covers, and one more than the largest number of folders."""
    watches = list(session.scalars(select(Watch).where(Watch.stopped.is_(None))))
    for watch in watches:
        other, its = Path(watch.folder), WatchOptions.from_dict(watch.options)
        if (
            other == folder
            or (its.subfolders and folder.is_relative_to(other))
            or (options.subfolders and other.is_relative_to(folder))
        ):
            raise WorkspaceError(
                f"{display_name(str(other))} is watched already (since {watch.created:%Y-%m-%d %H:%M} UTC, by "
                f"{watch.made_by}). Stop that first, or choose another folder."
            )
    if len(watches) >= STANDING[KIND]:
        raise WorkspaceError(
            f"{len(watches)} folders are watched already, as many as may be at once. Stop one of them first, or "
            "watch further folders with python -m workbench watch."
        )


def _state(session: Session, watch: Watch, job: Job, inspector_name: str) -> WatchState:
    mine = WatchedFile.folder == watch.folder
    midnight = last_midnight()
    latest = session.scalar(select(WatchedFile).where(mine).order_by(WatchedFile.id.desc()).limit(1))
    return WatchState(
        id=watch.id,
        inspector_id=watch.inspector_id,
        inspector_name=inspector_name,
        folder=watch.folder,
        options=WatchOptions.from_dict(watch.options),
        made_by=watch.made_by,
        since=watch.created,
        job_state=JobState(job.state),
        trouble=_trouble(job),
        today=session.scalar(
            select(func.count()).select_from(WatchedFile).where(mine, WatchedFile.created >= midnight)
        )
        or 0,
        last=None if latest is None else VerdictRecord.from_dict(latest.told),
        batch_id=session.scalar(select(func.max(Batch.id)).where(Batch.watch_id == watch.id)),
        set_aside=[
            VerdictRecord.from_dict(file.told) for file in history.list_set_aside(session, watch.folder)
        ],
    )


def _trouble(job: Job) -> str:
    if job.state == JobState.FAILED:
        return job.message
    return "" if job.stage in ("", WATCHING) or job.state != JobState.RUNNING else job.stage


def _require(session: Session, watch_id: int) -> Watch:
    return required(session, Watch, watch_id, f"There is no watched folder {watch_id}.")
