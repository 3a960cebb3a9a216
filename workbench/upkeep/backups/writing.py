"""Backup: everything a user made, in one zip file, taken while the dashboard runs.

::

    tables/<name>.jsonl     the rows, from one snapshot of the database
    files/<path>            the files that those rows name, regions drawn on images, logs of jobs
    backup.json             the list of all entries with their hashes, written last

Rows first, then files: a file is on disk before the row that names it, and is never changed afterwards. Files that
can be made again (thumbnails, tiles for the viewer, checkpoints of jobs) stay out. So do drafts of inspectors and
uploads that wait for an answer (`workbench.uploads.drafts`, `pending`): nobody has accepted them yet. The rows are the
same from SQLite and from PostgreSQL, and a backup of either can be restored into either.
"""

import hashlib
import json
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from patchcore.disk.whole_files import whole_file
from workbench.storage.database import WorkspaceError, schemas
from workbench.storage.timestamps import now
from workbench.storage.workspace import CHUNK, Workspace
from workbench.upkeep.backups.portable_rows import dump_rows, tables_in_order
from workbench.upkeep.kept_files import KeptFile, kept_files, loose_files

FORMAT = "patchcore-backup"
VERSION = 1
CONTENTS = "backup.json"
TABLES, FILES = "tables/", "files/"
SUFFIX = ".zip"
EARLIEST = (1980, 1, 1, 0, 0, 0)  # a zip entry must have a time; rows hold the true ones


@dataclass
class BackedUp:
    """The contents of a backup, and the files missing from it."""

    path: Path
    rows: int = 0
    files: int = 0
    size_bytes: int = 0
    lost: list[str] = field(default_factory=list)  # sentences: each missing or damaged file with its owner


def back_up(workspace: Workspace, target: Path, *, replace: bool = False) -> BackedUp:
    """Write everything a user made to one file, as a whole or not at all.

    Raises
    ------
    WorkspaceError
        When the target's name does not end in .zip, the target exists and must not be replaced, or cannot be written.
    """
    if target.suffix.lower() != SUFFIX:
        raise WorkspaceError(
            f"A backup is a zip file: give it a name such as {target.with_suffix(SUFFIX).name}."
        )
    if target.exists() and not replace:
        raise WorkspaceError(f"{target} exists already. Choose another name, or add --replace.")
    try:
        with whole_file(target) as part, zipfile.ZipFile(part, "x", allowZip64=True) as archive:
            done = _Writing(workspace, archive, BackedUp(target)).everything()
    except OSError as error:
        raise WorkspaceError(
            f"The backup {target} cannot be written ({error.strerror or error}). Choose a folder with enough room."
        ) from error
    done.size_bytes = target.stat().st_size
    return done


class _Writing:
    """One backup being written."""

    def __init__(self, workspace: Workspace, archive: zipfile.ZipFile, done: BackedUp) -> None:
        self.workspace = workspace
        self.archive = archive
        self.done = done
        self.entries: dict[str, dict[str, str | int]] = {}

    def everything(self) -> BackedUp:
        with self.workspace.database.snapshot() as connection:
            tables = tables_in_order()
            for table in tables:
                self._table(table.name, dump_rows(connection, table))
            kept = list(kept_files(self.workspace, connection))
            loose = list(loose_files(self.workspace, connection))
        for file in kept:
            self._kept(file)
        for path in loose:
            self._file(path, None, None)
        contents = {
            "format": FORMAT,
            "version": VERSION,
            "schema": schemas()[-1],
            "created": now().isoformat(),
            "tables": [table.name for table in tables],
            "entries": self.entries,
            "lost": self.done.lost,
        }
        self.archive.writestr(_entry(CONTENTS, compressed=True), json.dumps(contents, ensure_ascii=False))
        return self.done

    def _table(self, name: str, rows: Iterator[str]) -> None:
        def lines() -> Iterator[bytes]:
            for row in rows:
                self.done.rows += 1
                yield row.encode() + b"\n"

        self._write(f"{TABLES}{name}.jsonl", lines(), compressed=True)

    def _kept(self, file: KeptFile) -> None:
        """Copy a file that a row names; a file outside of its own folder is reported and never read."""
        name = f"{file.path} ({file.owner})"
        try:
            path = file.place(self.workspace)
        except WorkspaceError as error:
            self.done.lost.append(f"{name} is missing: {error}")
            return
        self._file(path, name, file.sha256)

    def _file(self, path: Path, name: str | None, sha256: str | None) -> None:
        """Copy a file. A missing or damaged file with an owner is reported, and never stops the rest."""
        entry = f"{FILES}{self.workspace.relative(path)}"
        try:
            with path.open("rb") as file:
                found = self._write(entry, iter(lambda: file.read(CHUNK), b""), compressed=False)
        except FileNotFoundError:
            if name is not None:
                self.done.lost.append(f"{name} is missing.")
            return
        self.done.files += 1
        if sha256 not in (None, found):
            self.done.lost.append(f"{name} is damaged: its content does not have the hash in its name.")

    def _write(self, name: str, pieces: Iterable[bytes], *, compressed: bool) -> str:
        digest, size = hashlib.sha256(), 0
        with self.archive.open(_entry(name, compressed=compressed), "w", force_zip64=True) as entry:
            for piece in pieces:
                entry.write(piece)
                digest.update(piece)
                size += len(piece)
        self.entries[name] = {"sha256": digest.hexdigest(), "bytes": size}
        return digest.hexdigest()


def _entry(name: str, *, compressed: bool) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, EARLIEST)
    entry.compress_type = (
        zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    )  # pictures are compressed
    return entry
