"""The workspace: one folder with everything a user makes; files in it are whole or not there."""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import PIL.Image
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from patchcore.disk.faults import gone
from patchcore.disk.in_use import delete_file, delete_folder, rename
from patchcore.disk.whole_files import flush, whole_file
from patchcore.disk.work_notes import WorkNotes
from workbench.people.roles import Role, require
from workbench.storage.database import Database, WorkspaceError, WorkspaceUnavailable, sqlite_url
from workbench.storage.places import (
    OWNER_ONLY,
    SUFFIX,
    below,
    make_folder,
    make_root,
    portable_path,
    require_id,
    require_sha256,
    require_suffix,
)
from workbench.storage.processes import temporary_name
from workbench.storage.tables import Image

FOLDERS = ("images", "thumbnails", "inspectors", "results", "history", "jobs", "watches", "temporary")
PLACES = (*FOLDERS, "regions", "drafts", "pending", "bin")
"""Folders that receive files; the last three are made when first needed."""
DATABASE_FILE = "workspace.db"
CHUNK = 1 << 20
AT_ONCE = 500  # values in one question; databases have limits
THUMBNAIL_SIDE = 320  # pixels; enough for a card on a screen of twice the common density


@dataclass(frozen=True)
class NamedImage:
    """An image of the workspace under the name the user gave it.

    `truth` is "good", a type of defect, or None without a label. `mask_sha256` is the stored mask of the defect, or
    None.
    """

    sha256: str
    name: str
    truth: str | None = None
    mask_sha256: str | None = None


class Workspace:
    """Everything a user makes, in one folder.

    ::

        images/<aa>/<sha256><suffix>        once each, by content
        thumbnails/<aa>/<sha256>.jpg        can be made again from the images
        inspectors/<id>/v0001/model.patchcore
        results/<version>/<sha256>.png      anomaly maps; -left-out.png: of a good image, as if not in the bank
        results/<version>/<sha256>.tile     image and map, small, for the viewer; can be made again
        history/<yyyy-mm>/<sha256>-....jpg  what an inspection showed: heat and contour as thresholds then were
        regions/<sha256>.json               the region of interest last drawn on an image
        drafts/<person>/                    uploads and choices for builds that have not begun; no part of a backup
        pending/<person>/                   uploads that wait for an answer; no part of a backup
        jobs/<id>/                          job.log, checkpoints of an unfinished job
        watches/<hash>.lock                 who watches which folder
        in_work/                            notes of files in work, and deaths on them; no part of a backup
        temporary/                          files being written
        bin/<moment>/                       files that `check --repair` put aside
        workspace.db

    Folders are open to their owner alone, where the system knows owners. No path leads out of its folder: all reading
    and writing goes through `below`.

    Parameters
    ----------
    root
        The folder; made when absent. Default: ``PATCHCORE_WORKSPACE``, else ``~/.patchcore``.

    Raises
    ------
    WorkspaceError
        When the folder cannot be made or written to.
    """

    def __init__(self, root: str | Path | None = None) -> None:
        self.root = workspace_root(root)
        try:
            make_root(self.root)
            for folder in FOLDERS:
                make_folder(self.root / folder)
        except OSError as error:
            raise WorkspaceError(
                f"The workspace {self.root} cannot be used ({error.strerror}). "
                "Set PATCHCORE_WORKSPACE to a folder that can be written to."
            ) from error

    @cached_property
    def database(self) -> Database:
        """The database, opened and brought to the newest schema at first use.

        ``PATCHCORE_DATABASE_URL`` replaces ``workspace.db``.
        """
        return Database(database_url() or sqlite_url(self.root / DATABASE_FILE))

    def require_there(self) -> None:
        """Refuse to go on where the folder was moved or deleted, or its disk is away, since it was opened.

        Raises
        ------
        WorkspaceUnavailable
            The folder or its database is not there.
        """
        is_new = "database" not in self.__dict__  # its first use makes the file
        own = self.root / (FOLDERS[0] if database_url() or is_new else DATABASE_FILE)
        if not own.exists():
            raise WorkspaceUnavailable(gone(self.root), "no such folder")

    @cached_property
    def notes(self) -> WorkNotes:
        """Notes of the files in work, so that a file that keeps killing its process is set aside."""
        return WorkNotes(self.root / "in_work")

    def close(self) -> None:
        """Close the database and the notes, if they were opened."""
        if "database" in self.__dict__:
            self.database.close()
        if "notes" in self.__dict__:
            self.notes.close()

    # ---- images

    def store_image(
        self,
        source: bytes | Path,
        name: str,
        *,
        record: Mapping[str, Any] | None = None,
        truth: str | None = None,
        mask_sha256: str | None = None,
    ) -> NamedImage:
        """Store an image file once, bytes first and its row after.

        Parameters
        ----------
        source
            The file's bytes, or where it lies (it is copied, in pieces).
        name
            As the user knows it; its suffix becomes the stored file's.
        record
            ``ImageRecord.to_dict()``, when the image has been read already.
        truth, mask_sha256
            Passed through.
        """
        require(Role.OPERATE, "bring images in")
        sha256 = _hash(source)
        known = self._stored_file(sha256)
        if known is None or not known.exists():
            suffix = Path(name).suffix.lower()
            suffix = suffix if SUFFIX.fullmatch(suffix) else ".image"
            with self.new_file(known or self.image_file(sha256, suffix)) as path:
                size = _copy(source, path)
            details = None if record is None else dict(record)
            row = Image(sha256=sha256, suffix=suffix, original_name=name, size_bytes=size, record=details)
            with suppress(IntegrityError), self.database.write() as session:  # stored by now
                session.add(row)
        else:
            known.touch()  # retention counts the age from the last upload
        return NamedImage(sha256, name, truth, mask_sha256)

    def image_path(self, sha256: str) -> Path:
        """Return the stored file.

        Raises
        ------
        WorkspaceError
            When no image has this hash.
        """
        return self.image_paths([sha256])[sha256]

    def image_paths(self, sha256s: Iterable[str]) -> dict[str, Path]:
        """Return the stored files of many images, in order; an absent one raises `WorkspaceError`."""
        wanted = list(dict.fromkeys(sha256s))
        paths: dict[str, Path] = {}
        with self.database.read() as session:
            for start in range(0, len(wanted), AT_ONCE):
                some = Image.sha256.in_(wanted[start : start + AT_ONCE])
                rows = session.execute(select(Image.sha256, Image.suffix).where(some))
                paths |= {sha256: self.image_file(sha256, suffix) for sha256, suffix in rows}
        if missing := [sha256 for sha256 in wanted if sha256 not in paths]:
            raise WorkspaceError(f"The workspace {self.root} has no image {missing[0][:12]}.")
        return {sha256: paths[sha256] for sha256 in wanted}

    def thumbnail(self, sha256: str) -> Path:
        """Return a small JPEG of an image, longest side at most 320 pixels, made at first use and kept."""
        target = self.thumbnail_path(sha256)
        if not target.exists():
            from patchcore.images.geometry import (
                thumbnail,
            )  # late: PyTorch comes with it, two seconds of every start
            from patchcore.images.reading import read_image

            pixels = read_image(self.image_path(sha256)).pixels
            picture = PIL.Image.fromarray(thumbnail(pixels, THUMBNAIL_SIDE))
            with self.new_file(target) as path:
                picture.save(path, format="JPEG", quality=88)
        return target

    def _stored_file(self, sha256: str) -> Path | None:
        with self.database.read() as session:
            row = session.get(Image, sha256)
        return None if row is None else self.image_file(sha256, row.suffix)

    def image_file(self, sha256: str, suffix: str) -> Path:
        """Return the path of an image with this hash and suffix."""
        folder = require_sha256(sha256)[:2]
        return self.below(f"images/{folder}/{sha256}{require_suffix(suffix)}", "images", folder)

    # ---- places

    def below(self, path: str | Path, *own: str) -> Path:
        """Return a path of this workspace that lies strictly below its own folder; see `places.below`.

        Parameters
        ----------
        path
            A text comes from a row: relative to the workspace's root, with forward slashes.
        own
            The names of the enclosing folder, from the root: ``"inspectors", inspector_id``.

        Raises
        ------
        WorkspaceError
            The path leads anywhere else.
        """
        wanted = portable_path(path) if isinstance(path, str) else path
        return below(self.root.joinpath(*own), self.root / wanted)

    def version_folder(self, inspector_id: str, number: int) -> Path:
        """Return the folder of an inspector's version."""
        own = ("inspectors", require_id(inspector_id))
        return self.below("/".join((*own, f"v{number:04d}")), *own)

    def model_path(self, inspector_id: str, path: str) -> Path:
        """Return the file of a version, by `InspectorVersion.path`."""
        return self.below(path, "inspectors", require_id(inspector_id))

    def map_path(self, version_id: int, sha256: str, *, left_out: bool = False) -> Path:
        """Return the path of an image's anomaly map; `left_out`: scored as if the image had not built the bank."""
        name = f"{require_sha256(sha256)}-left-out.png" if left_out else f"{require_sha256(sha256)}.png"
        return self.below(f"results/{version_id}/{name}", "results", str(version_id))

    def tile_path(self, map_path: str) -> Path:
        """Return the path of an image's tile (image and map, encoded for the viewer), beside `Result.map_path`."""
        return self.below(Path(portable_path(map_path).with_suffix(".tile")), "results")

    def thumbnail_path(self, sha256: str) -> Path:
        """Return the path of an image's small JPEG."""
        folder = require_sha256(sha256)[:2]
        return self.below(f"thumbnails/{folder}/{sha256}.jpg", "thumbnails", folder)

    def region_path(self, sha256: str) -> Path:
        """Return the path of the region of interest last drawn on an image."""
        return self.below(f"regions/{require_sha256(sha256)}.json", "regions")

    def job_folder(self, job_id: int) -> Path:
        """Return the folder of a job: its log, and its checkpoints until it is done."""
        return self.below(f"jobs/{job_id}", "jobs")

    def relative(self, path: Path) -> str:
        """Return a path as the database holds it: from the workspace's root, with forward slashes."""
        return path.relative_to(self.root).as_posix()

    # ---- writing

    @contextmanager
    def new_file(self, target: Path) -> Iterator[Path]:
        """Yield a path to write; when the block ends well, the file is flushed to the disk and renamed to `target`.

        When the block fails, nothing of it remains.

        Raises
        ------
        WorkspaceError
            The target lies in none of the folders that files are put into.
        """
        target = self._in_its_place(target)

        def before() -> None:
            make_folder(target.parent)
            self._in_its_place(target)  # a link may have come meanwhile

        with whole_file(target, self._temporary(target), before) as path:
            yield path
        flush(target.parent)

    def delete(self, path: str | Path, *own: str) -> None:
        """Delete a file or a folder, if it is still there; arguments and errors as for `below`."""
        found = self.below(path, *own)
        if found.is_dir():
            delete_folder(found)
        else:
            delete_file(found)

    @contextmanager
    def draft_folder(self) -> Iterator[Path]:
        """Yield an empty folder; afterwards it is deleted, unless `place_folder` has moved it to its place."""
        folder = self._temporary(Path("draft"))
        folder.mkdir(mode=OWNER_ONLY)
        try:
            yield folder
        finally:
            delete_folder(folder)

    def spool_folder(self) -> Path:
        """Make an empty folder for incoming files. The caller deletes it; if the process dies, a check does."""
        folder = self._temporary(Path("spool"))
        folder.mkdir(mode=OWNER_ONLY)
        return folder

    def place_folder(self, folder: Path, target: Path) -> None:
        """Flush a draft with all its files and rename it to `target`.

        An existing folder is replaced: only a crash before its row was written can have left it.
        """
        move_wholly(self.below(folder, "temporary"), self._in_its_place(target))

    def delete_leftovers(self, pid: int) -> None:
        """Delete the temporary files of a process that has ended or is about to end."""
        for path in (self.root / "temporary").glob(f"{int(pid)}-*"):
            with suppress(WorkspaceError):  # a link: nothing of ours
                self.delete(path, "temporary")

    def _in_its_place(self, target: Path) -> Path:
        """Return a target, if it lies strictly below one of the folders that files are put into."""
        parts = target.relative_to(self.root).parts if target.is_relative_to(self.root) else ()
        if not parts or parts[0] not in PLACES:
            raise WorkspaceError(f"{target} lies in no folder of {self.root} that files are put into.")
        return self.below(target, parts[0])

    def _temporary(self, target: Path) -> Path:
        return self.below(Path("temporary", temporary_name(target.name[-40:])), "temporary")


def move_wholly(path: Path, target: Path) -> None:
    """Flush a file or folder to the disk and rename it to `target`, replacing an existing one."""
    for one in (*path.rglob("*"), path):
        flush(one)
    make_folder(target.parent)
    if target.exists():
        delete_folder(target)
    rename(path, target)
    flush(target.parent)


def workspace_root(root: str | Path | None = None) -> Path:
    """Return the folder of a workspace, which need not be there yet; argument and errors as for `Workspace`."""
    chosen = root or os.environ.get("PATCHCORE_WORKSPACE") or Path("~/.patchcore")
    try:
        return Path(chosen).expanduser().resolve()
    except RuntimeError as error:  # a service's user without a home
        raise WorkspaceError(
            f"The workspace {chosen} has no place: this user has no home folder. Set PATCHCORE_WORKSPACE to a "
            "folder that can be written to."
        ) from error


def database_url() -> str | None:
    """Return the URL of a database outside the workspace, if one is set."""
    return os.environ.get("PATCHCORE_DATABASE_URL") or None


def _hash(source: bytes | Path) -> str:
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy(source: bytes | Path, target: Path) -> int:
    """Write the bytes to `target` and return their number."""
    if isinstance(source, bytes):
        return target.write_bytes(source)
    shutil.copyfile(source, target)
    return target.stat().st_size
