"""Rows without files: images, models, maps and overlays that are missing or damaged, and rows that point to no row."""

import hashlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from sqlalchemy import Table, and_, delete, exists, func, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement

from patchcore.disk.faults import may_pass
from patchcore.errors import ArtifactError, DataError, PatchCoreError
from patchcore.images.file_names import display_name
from workbench.inspections.batches import get_result, make_map_again, make_overlay_again
from workbench.inspections.history import get_inspection
from workbench.storage.database import WorkspaceError
from workbench.storage.map_files import read_map
from workbench.storage.roi import kept_region
from workbench.storage.stored_pictures import stored_picture
from workbench.storage.tables import Base, Image, Inspection, Inspector, InspectorVersion, Result
from workbench.storage.workspace import Workspace
from workbench.upkeep.finding import CannotRepair, Finding
from workbench.upkeep.kept_files import KeptFile, Kind
from workbench.upkeep.quarantine import Bin

TRY_BACKUP = "or restore a backup"
BRING_BACK = {
    "image": f"bring the same file in once more on any page, {TRY_BACKUP}",
    "model": f"build the inspector again from its good images, {TRY_BACKUP}",
}


def find_losses(workspace: Workspace, kept: list[KeptFile]) -> Iterator[Finding]:
    """Yield missing or damaged files that rows name; every byte of each file is read."""
    for file in kept:
        try:
            path = file.place(workspace)
        except WorkspaceError:
            yield _elsewhere(workspace, file)
            continue
        try:
            trouble = damage(file, path) if path.is_file() else "missing"
        except OSError as error:  # a disk that does not answer makes no file a damaged one
            yield Finding(
                file.path,
                f"{file.owner} cannot be read at present ({error.strerror})",
                "see to the disk, then check once more",
            )
            continue
        if trouble is None:
            continue
        if file.kind in MADE_AGAIN:
            remedy, repair = MADE_AGAIN[file.kind]
            yield Finding(file.path, f"{file.owner} is {trouble}", remedy, partial(repair, workspace, file))
        elif trouble == "missing":
            yield Finding(file.path, f"{file.owner} is missing", BRING_BACK[file.kind])
        else:
            remedy = f"move it to the bin; then {BRING_BACK[file.kind]}"
            yield Finding(
                file.path, f"{file.owner} is {trouble}", remedy, partial(_put_aside, workspace, file)
            )
    yield from _regions(workspace)


def _elsewhere(workspace: Workspace, file: KeptFile) -> Finding:
    """Return the finding for a path outside of the file's own folder: nothing there is read or changed."""
    place = f"table {NAMED_BY[file.kind].__tablename__}"
    trouble = f"the row of {file.owner} names {display_name(file.path)}, which is not in its own folder"
    if file.kind in MADE_AGAIN:
        return Finding(place, trouble, "clear the path in the row", partial(_forget, workspace, file))
    return Finding(place, trouble, "restore a backup: the row was altered")


def _forget(workspace: Workspace, file: KeptFile, to: Bin) -> None:
    """Clear a path in the rows that name it, and note the old path in the bin."""
    table = NAMED_BY[file.kind]
    column = "map_path" if table is Result else "overlay_path"
    with workspace.database.write() as session:
        for row in session.scalars(select(table).where(getattr(table, column) == file.path)):
            values = {one.key: getattr(row, one.key) for one in table.__table__.columns}
            to.put_row(table.__tablename__, values, f"its {column} led out of its folder and was cleared")
            setattr(row, column, None)


def damage(file: KeptFile, path: Path) -> str | None:
    """Return the fault of a file; None for a whole one.

    Raises
    ------
    OSError
        Its disk cannot be read at present.
    """
    try:
        if file.kind == "image":
            with path.open("rb") as content:
                found = hashlib.file_digest(content, "sha256").hexdigest()
            return None if found == file.sha256 else "damaged: its content does not have the hash in its name"
        if file.kind == "model":
            from patchcore.files import container

            container.read(path)
        elif file.kind == "overlay":
            with stored_picture(path, "JPEG") as picture:
                picture.load()
        else:
            read_map(path)
    except (ArtifactError, DataError) as error:
        if isinstance(error.__cause__, OSError) and may_pass(error.__cause__):
            raise error.__cause__ from error
        return f"damaged ({error})"
    except OSError as error:
        if may_pass(error):
            raise
        return f"damaged ({type(error).__name__})"
    return None


def find_dangling(workspace: Workspace, connection: Connection) -> Iterator[Finding]:
    """Yield columns whose rows point to missing rows; only a database edited by hand has any."""
    for table in Base.metadata.sorted_tables:
        for column, condition in _dangling(table):
            count = connection.scalar(select(func.count()).select_from(table).where(condition)) or 0
            if count:
                yield Finding(
                    f"table {table.name}",
                    f"{count} row(s) whose {column} is not there",
                    "clear the reference where it may be empty, else move the rows to the bin",
                    partial(mend_dangling, workspace),
                )


def mend_dangling(workspace: Workspace, to: Bin) -> None:
    """Clear references to missing rows, or put their rows aside, and then rows that point to these."""
    with workspace.database.write_directly() as connection:
        if workspace.database.is_sqlite:  # target rows go before the rows that point to them
            connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        changed = 1
        while changed:  # other rows may point to rows put aside
            changed = sum(_mend_table(connection, table, to) for table in Base.metadata.sorted_tables)
        _choose_versions(connection)


def _mend_table(connection: Connection, table: Table, to: Bin) -> int:
    changed = 0
    for name, condition in _dangling(table):
        if table.columns[name].nullable:
            changed += connection.execute(update(table).where(condition).values({name: None})).rowcount
            continue
        for row in connection.execute(select(table).where(condition)).mappings().all():
            to.put_row(table.name, row, f"its {name} {row[name]} is not there")
            keys = [column == row[column.name] for column in table.primary_key.columns]
            connection.execute(delete(table).where(*keys))
            changed += 1
    return changed


def _dangling(table: Table) -> Iterator[tuple[str, ColumnElement[bool]]]:
    """Yield each reference of a table with the condition that it points to no row."""
    for key in sorted(table.foreign_keys, key=lambda key: key.parent.name):
        target = key.column.table.alias()
        found = exists().where(target.columns[key.column.name] == key.parent)
        yield key.parent.name, and_(key.parent.is_not(None), ~found)


def _choose_versions(connection: Connection) -> None:
    """Give inspectors that lost their current version the newest they have."""
    newest = (
        select(func.max(InspectorVersion.id))
        .where(InspectorVersion.inspector_id == Inspector.id, InspectorVersion.deleted.is_(None))
        .scalar_subquery()
    )
    connection.execute(update(Inspector).where(Inspector.current_id.is_(None)).values(current_id=newest))


def _regions(workspace: Workspace) -> Iterator[Finding]:
    for path in sorted((workspace.root / "regions").glob("*.json")):
        try:
            kept_region(workspace, path.stem)
        except (OSError, ValueError, KeyError, TypeError, PatchCoreError):
            yield Finding(
                workspace.relative(path),
                "a drawn region that cannot be read",
                "move it to the bin; draw it again",
                partial(_put_region, path),
            )


def _put_aside(workspace: Workspace, file: KeptFile, to: Bin) -> None:
    path = file.place(workspace)
    trouble = damage(file, path) if path.is_file() else None
    if trouble is not None:
        to.put_file(path, f"{file.owner} is {trouble}")


def _map_again(workspace: Workspace, file: KeptFile, _bin: Bin) -> None:
    path = file.place(workspace)
    if path.is_file() and damage(file, path) is None:
        return
    try:
        make_map_again(workspace, get_result(workspace, int(file.row_id)))
    except PatchCoreError as error:
        raise CannotRepair(str(error)) from error


def _overlay_again(workspace: Workspace, file: KeptFile, _bin: Bin) -> None:
    path = file.place(workspace)
    if path.is_file() and damage(file, path) is None:
        return
    try:
        make_overlay_again(workspace, get_inspection(workspace, int(file.row_id)))
    except (PatchCoreError, OSError) as error:
        raise CannotRepair(
            f"The overlay cannot be painted again: {error} The row keeps its facts."
        ) from error


NAMED_BY: dict[Kind, type[Image | InspectorVersion | Result | Inspection]] = {
    "image": Image,
    "model": InspectorVersion,
    "map": Result,
    "overlay": Inspection,
}
MADE_AGAIN = {
    "map": ("compute it again from the image", _map_again),
    "overlay": ("paint it again from the image and its map", _overlay_again),
}


def _put_region(path: Path, to: Bin) -> None:
    to.put_file(path, "a drawn region that cannot be read")
