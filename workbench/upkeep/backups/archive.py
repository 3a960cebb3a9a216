"""A backup opened for restoring: every entry is listed, measured and hashed before it is used."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from patchcore.images.file_names import display_name
from workbench.storage.database import WorkspaceError, schemas
from workbench.storage.places import below, is_portable_name, make_folder
from workbench.storage.workspace import CHUNK
from workbench.upkeep.backups.writing import CONTENTS, FILES, FORMAT, TABLES, VERSION
from workbench.uploads.zip_opening import ENTRY_FAULTS, BadArchive, open_zip, require_plausible_total

LARGEST_CONTENTS = 1 << 30  # bytes of backup.json: ten million files
MOST_ENTRIES = 10_000_000
MOST_PARTS = 1_000_000  # lists and objects of backup.json beside those of its entries
LONGEST_LINE = 1 << 28  # bytes of a row: the scores of a million images
PLACES = re.compile(  # folders that receive files of a backup
    r"images/(?P<first>[0-9a-f]{2})/(?P=first)[0-9a-f]{62}\.[a-z0-9]{1,12}"
    r"|inspectors/[a-z0-9-]{1,64}/v[0-9]{4,9}/model\.patchcore"
    r"|results/[0-9]{1,19}/[0-9a-f]{64}(-left-out)?\.png"
    r"|history/[0-9]{4}-[0-9]{2}/[^/]+\.jpg"
    r"|regions/[^/]+\.json"
    r"|jobs/[0-9]{1,19}/job\.log"
)
TABLE = re.compile(r"[a-z_]{1,64}")
DIGEST = re.compile(r"[0-9a-f]{64}")


class BackupArchive:
    """A backup opened for reading. Used with ``with``.

    Raises
    ------
    WorkspaceError
        When the file is not a backup of this program, is damaged or altered, or a newer program wrote it; with the
        reason.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = open_zip(path, MOST_ENTRIES)
        except FileNotFoundError as error:
            raise WorkspaceError(f"The backup {path} does not exist.") from error
        except BadArchive as error:
            raise self._refusal(str(error).rstrip(".")) from error
        except ENTRY_FAULTS as error:
            raise self._refusal("it is not a zip file, or it was cut off") from error
        try:
            self._require_plausible_sizes()
            contents = self._read_contents()
            self.schema: str = contents["schema"]
            self.tables: list[str] = contents["tables"]
            self.lost: list[str] = [display_name(sentence) for sentence in contents["lost"]]
            self._entries: dict[str, dict[str, Any]] = contents["entries"]
            self._check_names()
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> BackupArchive:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._zip.close()

    @property
    def size_bytes(self) -> int:
        """The unpacked size of all entries."""
        return sum(entry["bytes"] for entry in self._entries.values())

    def holds(self, path: str) -> bool:
        """Whether the backup holds a file that a row names, or says that the file was already missing then."""
        name = f"{FILES}{path}"
        return name in self._entries or (_is_safe(name) and any(one.startswith(path) for one in self.lost))

    def rows(self, table: str) -> Iterator[str]:
        """Yield the rows of a table; its hash is checked before the first."""
        name = f"{TABLES}{table}.jsonl"
        for _ in self._pieces(name):
            pass
        with self._zip.open(name) as file:
            while line := file.readline(LONGEST_LINE):
                if len(line) == LONGEST_LINE:
                    raise self._refusal(f"{name} has a row that is far too long")
                yield line.decode()

    def unpack(self, folder: Path) -> int:
        """Write the files below a folder, each checked, and return their number."""
        free = shutil.disk_usage(folder).free
        if self.size_bytes > free:
            raise WorkspaceError(
                f"The backup needs {self.size_bytes / 1e9:.1f} GB and {folder.parent} has {free / 1e9:.1f} GB free. "
                "Choose a folder on another disk."
            )
        names = [name for name in self._entries if name.startswith(FILES)]
        for name in names:
            target = below(folder, name.removeprefix(FILES))
            make_folder(target.parent)
            with target.open("xb") as file:
                for piece in self._pieces(name):
                    file.write(piece)
        return len(names)

    def _pieces(self, name: str) -> Iterator[bytes]:
        """Yield an entry's bytes; raise at the end when length or hash differ from the recorded ones."""
        expected, digest, size = self._entries[name], hashlib.sha256(), 0
        try:
            with self._zip.open(name) as entry:
                while piece := entry.read(CHUNK):
                    size += len(piece)
                    if size > expected["bytes"]:
                        break
                    digest.update(piece)
                    yield piece
        except ENTRY_FAULTS as error:
            raise self._refusal(f"{name} cannot be read") from error
        if size != expected["bytes"] or digest.hexdigest() != expected["sha256"]:
            raise self._refusal(f"{name} does not have the length and hash recorded for it")

    def _read_contents(self) -> dict[str, Any]:
        if CONTENTS not in self._zip.namelist():
            raise self._refusal(
                f"it has no {CONTENTS}, so it was not written by this program or not to its end"
            )
        if self._zip.getinfo(CONTENTS).file_size > LARGEST_CONTENTS:
            raise self._refusal(f"its {CONTENTS} is far too large")
        try:
            text = self._zip.read(CONTENTS)
            if text.count(b"[") + text.count(b"{") > 4 * len(self._zip.infolist()) + MOST_PARTS:
                raise self._refusal(f"its {CONTENTS} is nested as this program never does it")
            contents = json.loads(text)
        except (*ENTRY_FAULTS, MemoryError) as error:
            raise self._refusal(f"its {CONTENTS} cannot be read") from error
        if not isinstance(contents, dict) or contents.get("format") != FORMAT:
            raise self._refusal("it was not written by this program")
        known = schemas()
        version = contents.get("version")
        if type(version) is not int or version != VERSION or contents.get("schema") not in known:
            raise WorkspaceError(
                f"{self.path} was written by a newer version of the program. Restore it with that version."
            )
        if not _is_described(contents):
            raise self._refusal(f"its {CONTENTS} lacks values or has wrong ones")
        return contents

    def _require_plausible_sizes(self) -> None:
        unpacked = sum(entry.file_size for entry in self._zip.infolist())
        try:
            require_plausible_total(unpacked, self.path.stat().st_size)
        except BadArchive as error:
            raise self._refusal("it unpacks to far more than its size, as a zip bomb does") from error

    def _check_names(self) -> None:
        """Refuse entries that the list lacks, and names that this program never gives."""
        names = self._zip.namelist()
        if any(stat.S_ISLNK(entry.external_attr >> 16) for entry in self._zip.infolist()):
            raise self._refusal("it holds a link, and this program packs none")
        if len(names) != len(set(names)) or set(names) != {CONTENTS, *self._entries}:
            raise self._refusal("its entries differ from its list")
        tables = {f"{TABLES}{table}.jsonl" for table in self.tables}
        for name in self._entries:
            if name not in tables and not _is_safe(name):
                raise self._refusal("it holds an entry with a name this program never gives")
        if not tables <= self._entries.keys():
            raise self._refusal("a table is missing")
        if len({name.casefold() for name in names}) != len(names):
            raise self._refusal("two of its entries have the same name")

    def _refusal(self, reason: str) -> WorkspaceError:
        return WorkspaceError(
            f"{self.path} cannot be restored: {reason}. Nothing was written; use another backup."
        )


def _is_described(contents: dict[str, Any]) -> bool:
    """Whether the description has the right types."""
    tables, entries, lost = contents.get("tables"), contents.get("entries"), contents.get("lost")
    return (
        isinstance(tables, list)
        and all(isinstance(name, str) and TABLE.fullmatch(name) for name in tables)
        and isinstance(lost, list)
        and all(isinstance(sentence, str) for sentence in lost)
        and isinstance(entries, dict)
        and all(_is_entry(entry) for entry in entries.values())
    )


def _is_entry(entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and type(entry.get("bytes")) is int  # true is a whole number elsewhere
        and entry["bytes"] >= 0
        and isinstance(entry.get("sha256"), str)
        and DIGEST.fullmatch(entry["sha256"]) is not None
    )


def _is_safe(name: str) -> bool:
    """Whether a name leads to a place in the workspace and nowhere else."""
    path = name.removeprefix(FILES)
    return (
        name.startswith(FILES)
        and PLACES.fullmatch(path) is not None
        and all(map(is_portable_name, path.split("/")))
    )
