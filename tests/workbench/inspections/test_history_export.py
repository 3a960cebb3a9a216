"""The history as CSV and Parquet: all rows that were filtered, exact in Parquet, harmless in a spreadsheet."""

import csv
import io

import pyarrow.parquet as pq

from tests.workbench.inspections.test_history_query import everything, fill
from workbench.inspections.history import decide
from workbench.inspections.history_export import COLUMNS, write_csv, write_parquet
from workbench.inspections.history_query import Filter
from workbench.storage.tables import Inspection


def exported(workspace, wanted, write):
    target = io.BytesIO()
    count = write(workspace, wanted, target)
    return target.getvalue(), count


def table(data):
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))


def test_csv_has_a_row_for_every_inspection_that_was_filtered(worked):
    decide(worked, 1, "fine")
    data, count = exported(worked, Filter(verdicts=("reject",)), write_csv)
    wanted = [row for row in everything(worked) if row.verdict == "reject"]
    rows = table(data)
    assert data.startswith(b"\xef\xbb\xbf") and count == len(rows) == len(wanted) > 0
    for line, row in zip(rows, wanted, strict=True):
        assert (line["file"], line["score"], line["version"]) == (row.name, f"{row.score:.6g}", "1.1")
        assert line["time"] == f"{row.created:%Y-%m-%d %H:%M:%S}" and line["operator"] == row.operator
        assert line["worst regions"].count("area") == row.region_count
        assert line["worst box"] == " ".join(map(str, row.worst_box or ()))
    assert [line["decision"] for line in rows if line["inspection"] == "1"] == ["fine"]


def test_cells_never_become_formulas(workspace):
    hostile = '=HYPERLINK("http://x")'
    with workspace.database.write() as session:
        session.add(
            Inspection(source="page", sha256="a" * 64, name=hostile, inspector_name="+1", operator="@SUM(A1)")
        )
    data, _ = exported(workspace, Filter(), write_csv)
    (line,) = table(data)
    assert (line["file"], line["inspector"], line["operator"]) == ("'" + hostile, "'+1", "'@SUM(A1)")
    assert line["score"] == line["verdict"] == line["version"] == ""


def test_parquet_has_the_same_rows_with_their_types(workspace, monkeypatch):
    fill(workspace, 30)
    monkeypatch.setattr("workbench.inspections.history_export.read_pieces", in_sevens)
    data, count = exported(workspace, Filter(), write_parquet)
    found, rows = pq.read_table(io.BytesIO(data)), everything(workspace)
    assert found.column_names == [name for name, _, _ in COLUMNS] and count == found.num_rows == 30
    assert found["score"].to_pylist() == [row.score for row in rows]
    assert found["time"].to_pylist() == [row.created for row in rows]
    assert found["decision"].to_pylist() == [row.decision for row in rows]
    assert found["worst regions"].to_pylist()[0] == "1 2 3 4 area 6 score 2.5"
    nothing, count = exported(workspace, Filter(text="no such part"), write_parquet)
    assert count == 0 and pq.read_table(io.BytesIO(nothing)).num_rows == 0


def in_sevens(workspace, wanted):
    from workbench.inspections.history_query import read_pieces

    return read_pieces(workspace, wanted, size=7)
