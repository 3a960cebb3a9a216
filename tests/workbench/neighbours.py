"""A workspace with neighbours: folders beside it of which no byte may change, whatever is done in it."""

import hashlib
from contextlib import suppress

from patchcore.errors import PatchCoreError
from workbench.inspectors.versions import list_inspectors
from workbench.jobs.queue import JobQueue
from workbench.jobs.requests import RESUMABLE, JobState, cancel, list_jobs, resume
from workbench.storage.tables import InspectorVersion
from workbench.upkeep.bin import delete_for_good, delete_inspector, delete_version, list_bin
from workbench.upkeep.check import check, repair
from workbench.upkeep.retention import delete_older

NAMES = ("victim", "v0001", "model.patchcore", "images", "results", "workspace.db", "plate-1")


def settle_neighbours(box):
    """Put files where paths that climb out of `box/place/new` would end; return that folder, not yet made."""
    for folder in (box, box / "place"):
        folder.mkdir(exist_ok=True)
        for name in NAMES:
            path = folder / name
            if "." in name:
                path.write_bytes(name.encode())
            else:
                (path / "v0001").mkdir(parents=True, exist_ok=True)
                (path / "precious.txt").write_text("precious", encoding="utf-8")
                (path / "v0001" / "model.patchcore").write_bytes(b"precious")
                (path / "plate.png").write_bytes(b"precious")
    return box / "place" / "new"


def beside(box, workspace):
    """Every path of a box that is not in the workspace: its kind, mode, and bytes."""
    found = {}
    for path in sorted(box.rglob("*")):
        if path != workspace and workspace not in path.parents:
            content = b"" if path.is_dir() else path.read_bytes()
            target = str(path.readlink()) if path.is_symlink() else ""
            found[str(path)] = (path.lstat().st_mode, target, hashlib.sha256(content).hexdigest())
    return found


def live_in(workspace):
    """Do all that deletes, writes, moves or begins something; what is refused is refused."""
    JobQueue(workspace, command=("false",)).step()
    for job in list_jobs(workspace, *RESUMABLE):
        with suppress(PatchCoreError):
            resume(workspace, job.id)
    for job in list_jobs(workspace, JobState.QUEUED):
        cancel(workspace, job.id)
    with suppress(PatchCoreError):
        list(repair(workspace, check(workspace, grace=0)))
    with suppress(PatchCoreError):
        delete_older(workspace, 1)
    _delete_everything(workspace)
    with suppress(PatchCoreError):
        list(repair(workspace, check(workspace, grace=0)))


def _delete_everything(workspace):
    with workspace.database.read() as session:
        versions = [row.id for row in session.query(InspectorVersion)]
    for version_id in versions:
        with suppress(PatchCoreError):
            delete_version(workspace, version_id)
    for binned in list_bin(workspace):
        with suppress(PatchCoreError):
            delete_for_good(workspace, [binned])
    for inspector in list_inspectors(workspace):
        with suppress(PatchCoreError):
            delete_inspector(workspace, inspector.id)
    for binned in list_bin(workspace):
        with suppress(PatchCoreError):
            delete_for_good(workspace, [binned])
