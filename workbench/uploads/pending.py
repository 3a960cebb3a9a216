"""Pending uploads: files that a person has handed in and that wait for an answer; they outlast the browser's session.

::

    pending/<person>/<key>/pending.json    title, names of the files, and what the page asks about
    pending/<person>/<key>/files/          the files that were uploaded

A person has one pending upload of a key: another one takes its place. It goes when it is taken in or discarded, `KEPT`
after it was handed in, and with its inspector. It is no part of a backup: nobody has accepted it yet.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from patchcore.disk.in_use import rename
from workbench.people.roles import Role, require
from workbench.storage.clock import find_doubt, no_earlier_than
from workbench.storage.database import WorkspaceError
from workbench.storage.places import make_folder
from workbench.storage.timestamps import now
from workbench.storage.workspace import Workspace
from workbench.uploads.drafts import AT_MOST, GRACE_SECONDS, KEPT, plain_folders
from workbench.uploads.image_set import LeftOut, Upload, UploadSet

PLACE, ABOUT, FILES = "pending", "pending.json", "files"
GONE = "its file is gone. Bring it in once more."


@dataclass(frozen=True)
class PendingUpload:
    """Files that wait.

    Attributes
    ----------
    uploads
        The files; one that is gone meanwhile stands among the files left out.
    title
        The name under which they were handed in.
    about
        JSON of the page that asks.
    saved
        When they were handed in.
    """

    uploads: UploadSet
    title: str
    about: Mapping[str, Any]
    saved: datetime


@dataclass
class _Layout:
    """Names of files as they are written: relative to the pending upload's own files, or absolute."""

    spool: Path
    found: dict[str, list[list[Any]]] = field(default_factory=dict)

    def add(self, kind: str, files: Sequence[Upload]) -> None:
        """Note the files of one kind.

        Raises
        ------
        WorkspaceError
            A file is in memory alone.
        """
        for one in files:
            if not isinstance(one.data, Path):
                raise WorkspaceError(
                    f"{one.name} is in memory alone, so it cannot be kept. Bring it in again."
                )
            own = one.data.is_relative_to(self.spool)
            path = one.data.relative_to(self.spool).as_posix() if own else str(one.data)
            self.found.setdefault(kind, []).append([one.name, path, own])


def hold(
    workspace: Workspace, key: str, uploads: UploadSet, title: str, spool: Path, about: Mapping[str, Any]
) -> PendingUpload:
    """Keep files of the person acting until their answer, in place of others of the same key, and return them.

    Parameters
    ----------
    key
        Names them among those of the person: `of_inspector`, or letters and digits.
    spool
        Where uploaded files lie, a folder from `Workspace.spool_folder`; it moves. Files elsewhere stay there.
    about
        JSON of the page that asks.

    Raises
    ------
    WorkspaceError
        A file is in memory alone.
    """
    require(Role.OPERATE, "bring files in")
    spool = workspace.below(spool, "temporary")
    layout = _Layout(spool)
    layout.add("images", uploads.images)
    layout.add("tables", uploads.tables)
    layout.add("annotations", uploads.annotations)
    plain = {
        "saved": now().isoformat(),
        "title": title,
        "about": dict(about),
        "left_out": [[one.name, one.reason, one.kind] for one in uploads.left_out],
        **layout.found,
    }
    folder = _folder(workspace, key)
    workspace.delete(folder, PLACE)
    make_folder(folder)
    rename(spool, workspace.below(folder / FILES, PLACE))
    with workspace.new_file(folder / ABOUT) as path:
        path.write_text(json.dumps(plain), encoding="utf-8")
    with workspace.database.read() as session:
        certain = no_earlier_than(session).timestamp()
    os.utime(
        folder / ABOUT, (certain, certain)
    )  # its age counts from here, also where the clock stood in the past
    for old in _oldest(folder.parent):
        workspace.delete(old, PLACE)
    found = find(workspace, key)
    if found is None:
        raise WorkspaceError(f"{title} could not be kept: the disk is not to be trusted. Bring it in again.")
    return found


def find(workspace: Workspace, key: str) -> PendingUpload | None:
    """Return the files of a key that wait for the person acting; None where none do, or they cannot be read."""
    folder = _folder(workspace, key)
    try:
        plain = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        uploads = UploadSet(left_out=[LeftOut(*one) for one in plain["left_out"]])
        for kind in ("images", "tables", "annotations"):
            for name, path, own in plain.get(kind, []):
                place = workspace.below(folder / FILES / path, PLACE) if own else Path(path)
                if place.is_file():
                    getattr(uploads, kind).append(Upload(str(name), place))
                else:
                    uploads.left_out.append(LeftOut(str(name), GONE))
        saved = datetime.fromisoformat(plain["saved"])
        return PendingUpload(uploads, str(plain["title"]), dict(plain["about"]), saved)
    except (OSError, ValueError, TypeError, KeyError, WorkspaceError):
        return None


def drop(workspace: Workspace, key: str) -> None:
    """Delete the files of a key that wait for the person acting, if there are any."""
    require(Role.OPERATE, "discard files")
    workspace.delete(_folder(workspace, key), PLACE)


def of_inspector(what: str, inspector_id: str) -> str:
    """Return the key of files that wait for an inspector."""
    return f"{what}_{inspector_id}"


def folders_of_inspector(workspace: Workspace, inspector_id: str) -> list[Path]:
    """Return the folders of files that wait for an inspector, of all persons."""
    return [one for one in _all(workspace) if one.name.partition("_")[2] == inspector_id]


def sweep(workspace: Workspace) -> None:
    """Delete the pending uploads of all persons that are older than `KEPT`, and files that belong to none.

    Nothing is deleted while the clock may be wrong.
    """
    with workspace.database.read() as session:
        if find_doubt(session) is not None:
            return
    for folder in [*expired(workspace), *incomplete(workspace)]:
        workspace.delete(folder, PLACE)


def expired(workspace: Workspace) -> list[Path]:
    """Return the folders of pending uploads that are older than `KEPT`."""
    return [one for one in _all(workspace) if _age(one / ABOUT) > KEPT.total_seconds()]


def incomplete(workspace: Workspace, grace: float = GRACE_SECONDS) -> list[Path]:
    """Return the folders without a description, which a crash has left, older than `grace` seconds."""
    return [one for one in _all(workspace) if not (one / ABOUT).is_file() and _age(one) >= grace]


def _all(workspace: Workspace) -> list[Path]:
    return [one for person in plain_folders(workspace.root / PLACE) for one in plain_folders(person)]


def _age(path: Path) -> float:
    """Return the seconds since a file was written; 0 for one that is not there."""
    try:
        return now().timestamp() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _oldest(person: Path) -> list[Path]:
    """Return the folders beyond those that a person may have, the oldest ones."""
    return sorted(plain_folders(person), key=lambda one: _age(one / ABOUT))[AT_MOST:]


def _folder(workspace: Workspace, key: str) -> Path:
    person = require(Role.VIEW, "see files that wait")
    return workspace.below(f"{PLACE}/{person.folder}/{key}", PLACE)
