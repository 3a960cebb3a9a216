"""Drafts: what a person has handed in and chosen for a build that has not begun; it outlasts the browser's session.

::

    drafts/<person>/<draft>.json           the choices, of which this module reads nothing
    drafts/<person>/<draft>.images.json    the images: names, files, records, thumbnails, files left out
    drafts/<person>/<files>/               uploaded files; several drafts may name one such folder

A person sees their own drafts alone. A draft goes when its inspector is built, when the person discards it, and
`KEPT` after its last change. Drafts are no part of a backup: they are unfinished, and their files are elsewhere too.
"""

import base64
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

from patchcore.disk.in_use import delete_file, rename
from patchcore.images.reading import ImageRecord
from workbench.people.roles import Role, require
from workbench.storage.clock import find_doubt, no_earlier_than
from workbench.storage.database import WorkspaceError
from workbench.storage.places import make_folder
from workbench.storage.timestamps import now
from workbench.storage.workspace import Workspace
from workbench.uploads.image_set import LeftOut, Upload
from workbench.uploads.preflight import CheckedImage, Preflight

KEPT = timedelta(days=7)  # since the last change
AT_MOST = 10  # drafts of a person; the oldest go first
GRACE_SECONDS = 600.0  # in which files may be waiting for the draft that names them
PLACE, CHOICES, IMAGES = "drafts", ".json", ".images.json"
_saving = Lock()


@dataclass(frozen=True)
class StoredDraft:
    """A draft as it lies on disk.

    Attributes
    ----------
    key
        Names the draft among those of its person.
    saved
        When it was changed last.
    revision
        Counts the changes, so that a session knows whether another one was here since.
    images
        The number of good images, each content once.
    choices
        JSON of the page Build.
    kept_from
        Its age counts from here: never before the workspace's mark of the time, though the clock may have been.
    """

    key: str
    saved: datetime
    revision: int
    images: int
    choices: dict[str, Any]
    kept_from: datetime


@dataclass(frozen=True)
class StoredImages:
    """The images of a draft that are still there, and the names of those whose files are gone."""

    found: Preflight
    gone: list[str] = field(default_factory=list)


def new_key() -> str:
    """Return a name that no other draft has."""
    return secrets.token_hex(8)


def list_drafts(workspace: Workspace) -> list[StoredDraft]:
    """Return the drafts of the person acting, the newest first; a file that cannot be read counts as none."""
    mine = _mine(workspace)
    found = (_read(path) for path in mine.glob(f"*{CHOICES}") if not path.name.endswith(IMAGES))
    return sorted(
        (one for one in found if one is not None), key=lambda one: (one.kept_from, one.saved), reverse=True
    )


def find_draft(workspace: Workspace, key: str) -> StoredDraft | None:
    """Return a draft of the person acting; None where there is none of this name."""
    path = _file(workspace, key, CHOICES)
    return None if path is None else _read(path)


def load_images(workspace: Workspace, key: str) -> StoredImages | None:
    """Return the images of a draft of the person acting; None where it has none, or they cannot be read."""
    path = _file(workspace, key, IMAGES)
    try:
        if path is None:
            return None
        stored = json.loads(path.read_text(encoding="utf-8"))
        images = [_image(workspace, one) for one in stored["images"]]
        value_range = stored["value_range"]
        there: list[CheckedImage] = []
        gone: list[CheckedImage] = []
        for image in images:
            is_there = isinstance(image.upload.data, Path) and image.upload.data.is_file()
            (there if is_there else gone).append(image)
        found = Preflight(
            there,
            [LeftOut(*one) for one in stored["broken"]],
            [LeftOut(*one) for one in stored["left_out"]],
            None if value_range is None else (float(value_range[0]), float(value_range[1])),
        )
    except (OSError, ValueError, TypeError, KeyError, IndexError, WorkspaceError):
        return None
    return StoredImages(found, [image.name for image in gone])


def save_draft(
    workspace: Workspace,
    key: str,
    choices: Mapping[str, Any],
    found: Preflight | None,
    *,
    revision: int,
    images_changed: bool,
) -> StoredDraft:
    """Write a draft; where another session has changed it since `revision`, write a draft of another key beside it.

    Parameters
    ----------
    choices
        JSON, handed back as it is.
    found
        The images checked; None before there are any.
    revision
        The draft's revision as this session knows it; 0 for a new draft.
    images_changed
        Whether `found` differs from what was written last.
    """
    require(Role.ENGINEER, "keep drafts of inspectors")
    with _saving:
        stored = find_draft(workspace, key)
        if stored is not None and stored.revision != revision:
            key, stored = new_key(), None
        images, before = 0 if found is None else len(found.distinct), _named_by(workspace, key)
        kept_from = _kept_from(workspace)
        count = 1 if stored is None else revision + 1
        draft = StoredDraft(key, now(), count, images, dict(choices), kept_from)
        mine = _mine(workspace)
        if stored is None or images_changed:
            _write(workspace, mine / f"{key}{IMAGES}", _images(workspace, found))
        plain: dict[str, Any] = {"saved": draft.saved.isoformat(), "kept_from": kept_from.isoformat()}
        plain |= {"revision": count, "images": images, "choices": draft.choices}
        _write(workspace, mine / f"{key}{CHOICES}", plain)
    for old in list_drafts(workspace)[AT_MOST:]:
        discard_draft(workspace, old.key)
    if images_changed:
        _delete_unnamed(workspace, mine, before)
    return draft


def take_files(workspace: Workspace, found: Preflight, spool: Path) -> Preflight:
    """Move a folder of uploads among the drafts of the person acting; return the images with their new places.

    Parameters
    ----------
    spool
        A folder from `Workspace.spool_folder`. Files outside it, such as those of a folder on this computer, stay
        where they are.
    """
    require(Role.ENGINEER, "keep drafts of inspectors")
    spool = workspace.below(spool, "temporary")
    if not any(spool.iterdir()):
        return found
    mine = _mine(workspace)
    make_folder(mine)
    place = workspace.below(mine / new_key(), PLACE)
    rename(spool, place)
    usable = [replace(image, upload=_moved(image.upload, spool, place)) for image in found.usable]
    return replace(found, usable=usable)


def discard_draft(workspace: Workspace, key: str) -> None:
    """Delete a draft of the person acting, with the uploads that no other draft names."""
    require(Role.ENGINEER, "discard drafts of inspectors")
    folders = _named_by(workspace, key)
    for suffix in (CHOICES, IMAGES):
        path = _file(workspace, key, suffix)
        if path is not None:
            delete_file(path)
    _delete_unnamed(workspace, _mine(workspace), folders)


def sweep_drafts(workspace: Workspace) -> None:
    """Delete the drafts of all persons that are older than `KEPT`, and uploads that no draft names.

    Nothing is deleted while the clock may be wrong.
    """
    with workspace.database.read() as session:
        if find_doubt(session) is not None:
            return
    for folder in plain_folders(workspace.root / PLACE):
        for path in folder.glob(f"*{CHOICES}"):
            if not path.name.endswith(IMAGES) and _is_over(path):
                images = path.with_name(path.name.removesuffix(CHOICES) + IMAGES)
                for one in (path, images):
                    workspace.delete(one, PLACE)
        for path in _unnamed(folder, GRACE_SECONDS):
            workspace.delete(path, PLACE)


def unnamed_files(workspace: Workspace, grace: float = GRACE_SECONDS) -> list[Path]:
    """Return the folders of uploads that no draft names, of all persons."""
    return [path for folder in plain_folders(workspace.root / PLACE) for path in _unnamed(folder, grace)]


def plain_folders(place: Path) -> list[Path]:
    """Return the folders in a folder in the order of their names; none where it is missing or a link."""
    if place.is_symlink() or not place.is_dir():
        return []
    return [path for path in sorted(place.iterdir()) if path.is_dir() and not path.is_symlink()]


def _is_over(path: Path) -> bool:
    draft = _read(path)
    if draft is not None:
        return now() - draft.kept_from > KEPT
    try:  # damaged, so nobody can open it
        return time.time() - path.stat().st_mtime > KEPT.total_seconds()
    except FileNotFoundError:
        return False


def _kept_from(workspace: Workspace) -> datetime:
    """Return the time from which the age of a draft counts that is saved now: no draft of the person is younger."""
    with workspace.database.read() as session:
        here = no_earlier_than(session)
    others = [one.kept_from for one in list_drafts(workspace)]
    return max([here, *(moment for moment in others if moment <= here + KEPT)])


def _named_by(workspace: Workspace, key: str) -> set[str]:
    """Return the folders of uploads that a draft of the person acting names."""
    path = _file(workspace, key, IMAGES)
    return set() if path is None else _folders_in(path)


def _folders_in(path: Path) -> set[str]:
    try:
        return set(json.loads(path.read_text(encoding="utf-8"))["folders"])
    except (OSError, ValueError, TypeError, KeyError):
        return set()


def _delete_unnamed(workspace: Workspace, folder: Path, names: set[str]) -> None:
    """Delete those of some folders of uploads that no draft names any more."""
    for path in _unnamed(folder, 0):
        if path.name in names:
            workspace.delete(path, PLACE)


def _unnamed(folder: Path, grace: float) -> list[Path]:
    """Return what lies in a person's folder of drafts and belongs to none, and is older than `grace` seconds."""
    if not folder.is_dir():
        return []
    named: set[str] = set()
    for path in folder.glob(f"*{IMAGES}"):
        if not path.with_name(path.name.removesuffix(IMAGES) + CHOICES).exists():
            continue
        try:
            named |= set(json.loads(path.read_text(encoding="utf-8"))["folders"])
        except (OSError, ValueError, TypeError, KeyError):
            return []  # a damaged draft may name any of them; they go with it
    found = []
    for path in sorted(folder.iterdir()):
        of_draft = path.name.endswith(CHOICES)
        try:
            old = time.time() - path.stat().st_mtime >= grace
        except FileNotFoundError:
            continue
        if old and not of_draft and path.name not in named:
            found.append(path)
    return found


def _mine(workspace: Workspace) -> Path:
    """Return the folder of the person acting; it may not be there yet."""
    person = require(Role.ENGINEER, "see drafts of inspectors")
    return workspace.below(f"{PLACE}/{person.folder}", PLACE)


def _file(workspace: Workspace, key: str, suffix: str) -> Path | None:
    """Return the file of a draft; None where it is not there or the key is no key."""
    if not (key.isascii() and key.isalnum()):
        return None
    path = workspace.below(_mine(workspace) / f"{key}{suffix}", PLACE)
    return path if path.is_file() else None


def _read(path: Path) -> StoredDraft | None:
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        return StoredDraft(
            path.name.removesuffix(CHOICES),
            datetime.fromisoformat(plain["saved"]),
            int(plain["revision"]),
            int(plain["images"]),
            dict(plain["choices"]),
            datetime.fromisoformat(plain.get("kept_from") or plain["saved"]),
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _write(workspace: Workspace, target: Path, plain: Mapping[str, Any]) -> None:
    require(Role.ENGINEER, "keep drafts of inspectors")
    with workspace.new_file(target) as path:
        path.write_text(json.dumps(plain), encoding="utf-8")


def _images(workspace: Workspace, found: Preflight | None) -> dict[str, Any]:
    found = Preflight() if found is None else found
    place = workspace.root / PLACE
    images, folders = [], set()
    for image in found.usable:
        path = image.upload.data
        if not isinstance(path, Path):
            raise WorkspaceError(
                f"{image.name} is in memory alone, so a draft cannot hold it. Bring it in again."
            )
        own = path.is_relative_to(place)
        if own:
            folders.add(path.relative_to(place).parts[1])
        images.append(
            {
                "name": image.name,
                "file": path.relative_to(place).as_posix() if own else str(path),
                "own": own,
                "record": image.record.to_dict(),
                "thumbnail": base64.b64encode(image.thumbnail_jpeg).decode(),
                "contrast": image.contrast,
                "sketch": base64.b64encode(image.sketch).decode(),
            }
        )
    return {
        "folders": sorted(folders),
        "images": images,
        "broken": [[one.name, one.reason, one.kind] for one in found.broken],
        "left_out": [[one.name, one.reason, one.kind] for one in found.left_out],
        "value_range": found.value_range,
    }


def _image(workspace: Workspace, plain: Mapping[str, Any]) -> CheckedImage:
    file = str(plain["file"])
    path = workspace.below(workspace.root / PLACE / file, PLACE) if plain["own"] else Path(file)
    record = ImageRecord.from_dict(plain["record"])
    thumbnail, sketch = base64.b64decode(plain["thumbnail"]), base64.b64decode(plain["sketch"])
    return CheckedImage(Upload(str(plain["name"]), path), record, thumbnail, float(plain["contrast"]), sketch)


def _moved(upload: Upload, before: Path, after: Path) -> Upload:
    if not isinstance(upload.data, Path) or not upload.data.is_relative_to(before):
        return upload
    return replace(upload, data=after / upload.data.relative_to(before))
