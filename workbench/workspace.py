"""The workspace: one folder with everything a user makes; files in it are whole or not there."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
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

from workbench.database import Database, WorkspaceError
from workbench.people import Role, require
from workbench.tables import Image

FOLDERS = ("images", "thumbnails", "inspectors", "results", "history", "jobs", "temporary")
DATABASE_FILE = "workspace.db"
CHUNK = 1 << 20
SUFFIX = re.compile(r"\.[a-z0-9]{1,12}")
AT_ONCE = 500  # values in one question; databases have limits
THUMBNAIL_SIDE = 320  # pixels; enough for a card on a screen of twice the common density


@dataclass(frozen=True)
class NamedImage:
    """An image of the workspace under the name the user gave it.

    `truth` is "good", a defect type, or None when it is not known; `mask_sha256` the stored picture of where the
    defect is, where there is one.
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
        jobs/<id>/                          job.log, checkpoints of an unfinished job
        temporary/                          files being written
        bin/<moment>/                       what `check --repair` put aside
        workspace.db

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
        chosen = root or os.environ.get("PATCHCORE_WORKSPACE") or Path.home() / ".patchcore"
        self.root = Path(chosen).expanduser().resolve()
        try:
            for folder in FOLDERS:
                (self.root / folder).mkdir(parents=True, exist_ok=True)
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
        return Database(database_url() or f"sqlite:///{self.root / DATABASE_FILE}")

    def close(self) -> None:
        """Let go of the database, if it was opened."""
        if "database" in self.__dict__:
            self.database.close()

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
            with suppress(IntegrityError), self.database.write() as session:  # it may be there by now
                session.add(row)
        else:
            known.touch()  # what was brought lately is not deleted for its age
        return NamedImage(sha256, name, truth, mask_sha256)

    def image_path(self, sha256: str) -> Path:
        """Return the stored file.

        Raises
        ------
        WorkspaceError
            When there is none with that hash.
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
            from patchcore.geometry import (
                thumbnail,
            )  # late: PyTorch comes with it, two seconds of every start
            from patchcore.images import read_image

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
        """Return where an image of this hash and suffix belongs."""
        return self.root / "images" / sha256[:2] / f"{sha256}{suffix}"

    # ---- places

    def version_folder(self, inspector_id: str, number: int) -> Path:
        """Return where a version of an inspector lies."""
        return self.root / "inspectors" / inspector_id / f"v{number:04d}"

    def map_path(self, version_id: int, sha256: str, *, left_out: bool = False) -> Path:
        """Return where the anomaly map of an image belongs; `left_out`: scored as if it had not built the bank."""
        name = f"{sha256}-left-out.png" if left_out else f"{sha256}.png"
        return self.root / "results" / str(version_id) / name

    def tile_path(self, map_path: str) -> Path:
        """Return where an image with its map, encoded for the viewer, belongs: beside `Result.map_path`."""
        return (self.root / map_path).with_suffix(".tile")

    def thumbnail_path(self, sha256: str) -> Path:
        """Return where the small JPEG of an image belongs."""
        return self.root / "thumbnails" / sha256[:2] / f"{sha256}.jpg"

    def region_path(self, sha256: str) -> Path:
        """Return where the region of interest last drawn on an image belongs."""
        return self.root / "regions" / f"{sha256}.json"

    def job_folder(self, job_id: int) -> Path:
        """Return the folder of a job: its log, and its checkpoints until it is done."""
        return self.root / "jobs" / str(job_id)

    def relative(self, path: Path) -> str:
        """Return a path as the database holds it: from the workspace's root, with forward slashes."""
        return path.relative_to(self.root).as_posix()

    # ---- writing

    @contextmanager
    def new_file(self, target: Path) -> Iterator[Path]:
        """Yield a path to write; when the block ends well it is flushed to the disk and renamed to `target`.

        When it does not, nothing is left of it.
        """
        path = self._temporary(target)
        try:
            yield path
            _flush(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
            _flush(target.parent)
        finally:
            path.unlink(missing_ok=True)

    @contextmanager
    def draft_folder(self) -> Iterator[Path]:
        """Yield an empty folder that is deleted afterwards, unless `place_folder` has put it somewhere."""
        folder = self._temporary(Path("draft"))
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def spool_folder(self) -> Path:
        """Make an empty folder for files on their way in; who asks deletes it, a check does when the process died."""
        folder = self._temporary(Path("spool"))
        folder.mkdir()
        return folder

    def place_folder(self, folder: Path, target: Path) -> None:
        """Flush all that is in a draft and rename it to `target`.

        A folder that was there is replaced: it can only be what a crash left before its row was written.
        """
        for path in (*folder.rglob("*"), folder):
            _flush(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            shutil.rmtree(target)
        folder.rename(target)
        _flush(target.parent)

    def delete_leftovers(self, pid: int) -> None:
        """Delete what a process that is dead, or about to be, was writing."""
        for path in (self.root / "temporary").glob(f"{pid}-*"):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    def _temporary(self, target: Path) -> Path:
        return self.root / "temporary" / f"{os.getpid()}-{secrets.token_hex(6)}-{target.name[-40:]}"


def database_url() -> str | None:
    """Return where rows are kept instead of in the workspace, if so."""
    return os.environ.get("PATCHCORE_DATABASE_URL") or None


def _hash(source: bytes | Path) -> str:
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy(source: bytes | Path, target: Path) -> int:
    """Write the bytes to `target` and return how many they are."""
    if isinstance(source, bytes):
        return target.write_bytes(source)
    shutil.copyfile(source, target)
    return target.stat().st_size


def _flush(path: Path) -> None:
    """Have the system put a file, or the names in a folder, onto the disk (Windows cannot open folders)."""
    if path.is_dir() and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDWR if path.is_file() and os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
