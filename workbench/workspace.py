"""The workspace: one folder with everything a user makes, and how files get into it without ever being half there."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from workbench.database import Database, Image, WorkspaceError

FOLDERS = ("images", "thumbnails", "inspectors", "results", "jobs", "temporary")
CHUNK = 1 << 20


@dataclass(frozen=True)
class NamedImage:
    """An image of the workspace under the name the user gave it; `truth` is "good", a defect type, or unknown."""

    sha256: str
    name: str
    truth: str | None = None


class Workspace:
    """Everything a user makes, in one folder.

    ::

        images/<aa>/<sha256><suffix>        once each, by content
        thumbnails/<aa>/<sha256>.jpg        can be made again from the images
        inspectors/<id>/v0001/model.patchcore
        results/<version>/<sha256>.png      anomaly maps
        jobs/<id>/                          job.log, checkpoints of an unfinished job
        temporary/                          files being written
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
        return Database(os.environ.get("PATCHCORE_DATABASE_URL") or f"sqlite:///{self.root / 'workspace.db'}")

    # ---- images

    def store_image(
        self,
        source: bytes | Path,
        name: str,
        *,
        record: Mapping[str, Any] | None = None,
        truth: str | None = None,
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
        truth
            "good" or a defect type, passed through.
        """
        raise NotImplementedError

    def image_path(self, sha256: str) -> Path:
        """Return the stored file.

        Raises
        ------
        WorkspaceError
            When there is none with that hash.
        """
        raise NotImplementedError

    def image_paths(self, sha256s: list[str]) -> dict[str, Path]:
        """Return the stored files of many images with one question to the database."""
        raise NotImplementedError

    def thumbnail(self, sha256: str, side: int = 320) -> Path:
        """Return a small JPEG of an image, longest side `side` pixels, made at first use and kept."""
        raise NotImplementedError

    # ---- places

    def version_folder(self, inspector_id: str, number: int) -> Path:
        """Return where a version of an inspector lies."""
        return self.root / "inspectors" / inspector_id / f"v{number:04d}"

    def map_path(self, version_id: int, sha256: str) -> Path:
        """Return where the anomaly map of an image belongs."""
        return self.root / "results" / str(version_id) / f"{sha256}.png"

    def job_folder(self, job_id: int) -> Path:
        """Return the folder of a job: its log, and its checkpoints until it is done."""
        return self.root / "jobs" / str(job_id)

    def relative(self, path: Path) -> str:
        """Return a path as the database holds it: from the workspace's root, with forward slashes."""
        return path.relative_to(self.root).as_posix()

    # ---- writing

    @contextmanager
    def new_file(self, target: Path) -> Iterator[Path]:
        """Yield a path to write; when the block ends well it is flushed to the disk and renamed to `target`."""
        raise NotImplementedError
        yield target

    @contextmanager
    def new_folder(self, target: Path) -> Iterator[Path]:
        """Yield a folder to fill; when the block ends well everything in it is flushed and it becomes `target`."""
        raise NotImplementedError
        yield target
