"""Rows from a backup: the values that each column may hold, beside its type, and the folders of its paths."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection

from patchcore.files.point_rules import check_point, check_score, check_threshold
from patchcore.files.value_rules import SHA256, Unsound, or_none, yes_or_no
from workbench.inspections.purpose import PURPOSES
from workbench.jobs.arguments import KINDS, check_settings, sound_arguments
from workbench.jobs.requests import JobState
from workbench.storage.places import SUFFIX, is_portable_name
from workbench.upkeep.backups import json_rules as shapes
from workbench.upkeep.backups.json_rules import Check, at_least, matching, one_of, within
from workbench.upkeep.backups.portable_rows import AT_ONCE, UnsoundRow, tables_in_order

VERSION_CHANGES = ("build", "share", "remove", "teach", "import")
POINT_CHANGES = ("threshold", "restore")
SOURCES = ("page", "watch", "command")
NANOSECONDS = re.compile(r"-?[0-9]{1,20}")
BOOT = re.compile(r"[0-9a-f-]{36}")
MODEL = re.compile(r"inspectors/(?P<owner>[a-z0-9-]{1,64})/v[0-9]{4,9}/model\.patchcore")
MAP = re.compile(r"results/(?P<owner>[0-9]{1,19})/[0-9a-f]{64}(-left-out)?\.png")
OVERLAY = re.compile(r"history/[0-9]{4}-[0-9]{2}/[^/]+\.jpg")
Row = Mapping[str, Any]
Checks = Mapping[str, Check]  # of columns


def check_rows(connection: Connection) -> None:
    """Check every row of a database filled from a backup; types and lengths were checked on the way in.

    Raises
    ------
    UnsoundRow
        This program cannot have stored a value; the message names table, column and row.
    """
    for table in tables_in_order():
        columns, more = COLUMNS.get(table.name, {}), OF_ROWS.get(table.name, _nothing)
        # A result that is not closed keeps SQLite's file open, and Windows then deletes nothing of a refused backup.
        with connection.execution_options(yield_per=AT_ONCE).execute(select(table)) as rows:
            for found in rows.mappings():
                row = {str(name): value for name, value in found.items()}
                _check_row(table.name, row, {**columns, **more(row)})


def _check_row(table: str, row: Row, checks: Checks) -> None:
    for name, check in checks.items():
        try:
            check(row[name], "it")
        except Unsound as fault:
            raise UnsoundRow(table, name, row, str(fault)) from fault


def _point(data: Any, _what: str) -> None:
    check_point(data, empty_maps=True)


def _settings(value: Any, _what: str) -> None:
    check_settings(value)


def _nothing(_row: Row) -> Checks:
    return {}


def _of_version(row: Row) -> Checks:
    return {"path": _path(MODEL, row["inspector_id"])}


def _of_result(row: Row) -> Checks:
    return {"map_path": or_none(_path(MAP, str(row["version_id"])))}


def _of_inspection(_row: Row) -> Checks:
    return {"overlay_path": or_none(_path(OVERLAY))}


def _of_job(row: Row) -> Checks:
    kind = row["kind"]
    return {"arguments": lambda value, _what: sound_arguments(kind, value, empty=kind == "build")}


def _of_event(row: Row) -> Checks:
    return {"details": lambda value, what: shapes.details(value, what, row["action"])}


def _of_preference(row: Row) -> Checks:
    return {"value": lambda value, what: shapes.preference(value, what, row["name"])}


def _path(pattern: re.Pattern[str], owner: str | None = None) -> Check:
    """Return a check of a path: this program can have made it, and it lies in its owner's folder."""

    def check(path: Any, what: str) -> None:
        found = pattern.fullmatch(path)
        if found is None or not all(map(is_portable_name, path.split("/"))):
            raise Unsound(f"{what} is {path!a:.80}, which is not a path that this program makes")
        if owner is not None and found["owner"] != owner:
            raise Unsound(f"{what} is {path!a:.80}, which does not lie in the folder of {owner!a:.80}")

    return check


_score, _threshold = or_none(check_score), or_none(check_threshold)
_sha256, _suffix = matching(SHA256), matching(SUFFIX)
_positive, _count = at_least(1), at_least(0)
_owner: dict[str, Check] = {"inspector_id": shapes.inspector_id}

COLUMNS: dict[str, dict[str, Check]] = {
    "images": {
        "sha256": _sha256,
        "suffix": _suffix,
        "size_bytes": _count,
        "record": or_none(shapes.record),
    },
    "inspectors": {"id": shapes.inspector_id, "revision": _count, "last_number": _count},
    "inspector_versions": {
        **_owner,
        "number": _positive,
        "settings": _settings,
        "share": within(0, 1),
        "largest_share": within(0, 1),
        "patches": _positive,
        "cover_radius": check_score,
        "megabytes": within(0, shapes.BIG),
        "operating_point": _point,
        "good_scores": shapes.good_scores,
        "numbers": shapes.numbers,
        "change": one_of(*VERSION_CHANGES),
    },
    "inspector_images": {"position": _count, "sha256": _sha256},
    "batches": {
        **_owner,
        "kind": one_of("test", "good"),
        "reading": or_none(shapes.reading),
        "purpose": one_of(*PURPOSES),
        "sampling": or_none(shapes.sampling),
    },
    "batch_images": {
        "position": _count,
        "sha256": _sha256,
        "mask_sha256": or_none(_sha256),
        "stratum": or_none(one_of(*shapes.VERDICTS)),
        "draw_place": or_none(_count),
    },
    "operating_points": {"data": _point, "change": one_of(*POINT_CHANGES)},
    "results": {
        "score": _score,
        "worst_box": or_none(shapes.box),
        "width": or_none(_positive),
        "height": or_none(_positive),
        "seconds": or_none(shapes.seconds),
        "explanation": or_none(shapes.explanation),
        "remarks": or_none(shapes.remarks),
        "doubts": or_none(shapes.doubts),
    },
    "jobs": {
        "kind": one_of(*KINDS),
        "state": one_of(*JobState),
        "done": _count,
        "total": _count,
        "stages": shapes.stages,
        "eta_seconds": or_none(shapes.seconds),
        "result": or_none(shapes.job_result),
        "attempts": _count,
        "pid": or_none(_count),
        "process_started": or_none(shapes.seconds),
        "process_boot": or_none(matching(BOOT)),
    },
    "scorings": {"pid": or_none(_count), "process_started": or_none(shapes.seconds)},
    "inspections": {
        "inspector_id": or_none(shapes.inspector_id),
        "source": one_of(*SOURCES),
        "sha256": matching(shapes.SHA256_OR_NONE),
        "version_number": or_none(_positive),
        "point_number": or_none(_positive),
        "score": _score,
        "accept": _threshold,
        "reject": _threshold,
        "pixel": _threshold,
        "min_area": or_none(_positive),
        "judge_by": or_none(one_of(*shapes.JUDGED_BY)),
        "verdict": or_none(one_of(*shapes.VERDICTS)),
        "region_count": or_none(_count),
        "regions": or_none(shapes.regions),
        "worst_box": or_none(shapes.box),
        "width": or_none(_positive),
        "height": or_none(_positive),
        "remarks": or_none(shapes.remarks),
        "doubts": or_none(shapes.doubts),
        "picture_check": or_none(yes_or_no),
        "decision": or_none(one_of(*shapes.DECISIONS)),
        "purpose": one_of(*PURPOSES),
    },
    "watches": {**_owner, "options": shapes.options},
    "watched_files": {
        "path": shapes.inner_path,
        "size_bytes": _count,
        "modified": matching(NANOSECONDS),
        "told": shapes.told,
    },
    "events": {"inspector_id": or_none(shapes.inspector_id), "revision": or_none(_count)},
}
OF_ROWS: dict[str, Callable[[Row], Checks]] = {  # rules by which one column limits another
    "inspector_versions": _of_version,
    "results": _of_result,
    "inspections": _of_inspection,
    "jobs": _of_job,
    "events": _of_event,
    "preferences": _of_preference,
}
