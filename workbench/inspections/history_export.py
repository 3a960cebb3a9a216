"""The history as a file: CSV for spreadsheets, Parquet for analysis; written in pieces, so of any length."""

from collections.abc import Callable
from typing import Any, BinaryIO

from workbench.inspections.csv_text import csv_text
from workbench.inspections.history_query import Filter, read_pieces
from workbench.inspections.picture_doubts import doubt_sentences, switch_word
from workbench.storage.workspace import Workspace

Column = tuple[str, str, Callable[[Any], Any]]  # name, Arrow's type, and its value in a row


def version_words(row: Any) -> str:
    """Return the version that judged: bank version 3 with its second thresholds is 3.2; empty when not known."""
    if row.version_number is None:
        return ""
    return f"{row.version_number}" if row.point_number is None else f"{row.version_number}.{row.point_number}"


def _region_words(row: Any) -> str:
    parts = (
        f"{' '.join(map(str, one['box']))} area {one['area']} score {one['score']:.6g}"
        for one in row.regions or ()
    )
    return "; ".join(parts)


COLUMNS: tuple[Column, ...] = (
    ("inspection", "int64", lambda row: row.id),
    ("time", "timestamp", lambda row: row.created),
    ("file", "string", lambda row: row.name),
    ("sha256", "string", lambda row: row.sha256),
    ("inspector", "string", lambda row: row.inspector_name),
    ("version", "string", version_words),
    ("score", "float64", lambda row: row.score),
    ("accept up to", "float64", lambda row: row.accept),
    ("reject above", "float64", lambda row: row.reject),
    ("pixel threshold", "float64", lambda row: row.pixel),
    ("smallest region px", "int64", lambda row: row.min_area),
    ("judged by", "string", lambda row: row.judge_by),
    ("verdict", "string", lambda row: row.verdict),
    ("decision", "string", lambda row: row.decision),
    ("decided by", "string", lambda row: row.decided_by or None),
    ("decided", "timestamp", lambda row: row.decided),
    ("operator", "string", lambda row: row.operator),
    ("source", "string", lambda row: row.source),
    ("purpose", "string", lambda row: row.purpose),
    ("regions", "int64", lambda row: row.region_count),
    ("worst regions", "string", _region_words),
    ("worst box", "string", lambda row: " ".join(map(str, row.worst_box or ())) or None),
    ("width", "int64", lambda row: row.width),
    ("height", "int64", lambda row: row.height),
    ("error", "string", lambda row: row.error),
    ("remarks", "string", lambda row: " ".join(row.remarks or ()) or None),
    ("doubts", "string", lambda row: " ".join(doubt_sentences(row)) or None),
    ("picture check", "string", lambda row: switch_word(row.picture_check)),
)


def write_csv(workspace: Workspace, wanted: Filter, target: BinaryIO) -> int:
    """Write UTF-8 CSV (with a byte-order mark, for spreadsheets), newest first, and return the number of rows.

    Times are UTC. Formulas are disarmed (`workbench.inspections.csv_text`). Boxes are
    ``x0 y0 x1 y1`` in pixels of the original.
    """
    target.write(csv_text([[name for name, _, _ in COLUMNS]]).encode("utf-8-sig"))
    count = 0
    for rows in read_pieces(workspace, wanted):
        target.write(csv_text([value(row) for _, _, value in COLUMNS] for row in rows).encode())
        count += len(rows)
    return count


def write_parquet(workspace: Workspace, wanted: Filter, target: BinaryIO) -> int:
    """Write Parquet, newest first, with the columns of `COLUMNS` in their own types; returns the number of rows."""
    import pyarrow as pa  # late: a tenth of a second that no other page needs
    import pyarrow.parquet as pq

    kinds = {"timestamp": pa.timestamp("us", tz="UTC")}
    schema = pa.schema([(name, kinds.get(kind) or pa.type_for_alias(kind)) for name, kind, _ in COLUMNS])
    count = 0
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        for rows in read_pieces(workspace, wanted):
            columns = [
                pa.array([value(row) for row in rows], field.type)
                for (_, _, value), field in zip(COLUMNS, schema, strict=True)
            ]
            writer.write_table(pa.table(columns, schema=schema))
            count += len(rows)
    return count
