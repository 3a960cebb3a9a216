"""Quarantine: the check moves a user's unusable files to the bin, with a note of their origin."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from patchcore.disk.in_use import rename
from workbench.storage.places import below, make_folder
from workbench.storage.timestamps import now
from workbench.storage.workspace import Workspace
from workbench.upkeep.backups.portable_rows import dump_row

NOTE = "note.txt"
ROWS = "rows.jsonl"
EXPLANATION = (
    "Put here by `python -m workbench check --repair`. Nothing here is used any more. A file keeps its place below "
    "this folder; to bring one back, move it to the same place in the workspace. Delete what is not needed.\n\n"
)


class Bin:
    """One folder of the bin for one run of the check; made when the first thing is put aside.

    ::

        bin/<moment>/note.txt             the contents, with reasons
        bin/<moment>/images/aa/....png    files, under their paths in the workspace
        bin/<moment>/rows.jsonl           rows of the database
    """

    def __init__(self, workspace: Workspace, moment: datetime | None = None) -> None:
        self.workspace = workspace
        self._moment = moment or now()

    @cached_property
    def folder(self) -> Path:
        """The folder, with its note begun."""
        first = self.workspace.below(f"bin/{self._moment:%Y-%m-%d_%H-%M-%S}", "bin")
        folder, count = first, 1
        while folder.exists():
            count += 1
            folder = first.with_name(f"{first.name}_{count}")
        make_folder(folder)
        (folder / NOTE).write_text(EXPLANATION, encoding="utf-8")
        return folder

    def put_file(self, path: Path, why: str) -> Path:
        """Move a file or a folder of the workspace here, and return its new path.

        Raises
        ------
        WorkspaceError
            The path lies outside of the workspace, or a link leads to it.
        """
        relative = self.workspace.relative(self.workspace.below(path))
        target = below(self.folder, Path(relative))
        make_folder(target.parent)
        self._add_line(
            NOTE, f"{relative}: {why}"
        )  # first: a superfluous note misleads less than a missing one
        rename(path, target)
        return target

    def put_row(self, table: str, row: Mapping[Any, Any], why: str) -> None:
        """Keep the values of a row that is about to be deleted."""
        self._add_line(ROWS, json.dumps({"table": table, "row": json.loads(dump_row(row)), "why": why}))
        self._add_line(NOTE, f"A row of the table {table}, in {ROWS}: {why}")

    def _add_line(self, name: str, line: str) -> None:
        with (self.folder / name).open("a", encoding="utf-8") as file:
            file.write(line + "\n")
