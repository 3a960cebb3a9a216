from pathlib import Path

import pytest

from lab import ROOT
from lab.speed import rows, tables
from lab.speed.rows import Row

BUILT = Row("build, 20 images", "1 s", grows="images", size=20, features=0.5, coreset=0.25, gibibytes=1.5)
PICKED = Row("coreset", "2 s", "a peer 4 s", "2", grows="patches, 1%", size=10_000, coreset=2.0, anomalib=4.0)
SAID = Row("network, alone", "3 ms", limit="1 ms")


def test_rows_come_back_as_they_were_written(tmp_path: Path):
    path = tmp_path / "new" / "rows.csv"
    for row in (BUILT, PICKED, SAID):
        rows.append(path, row)
    assert rows.read(path) == [BUILT, PICKED, SAID]


def test_a_row_of_the_table_holds_the_words():
    assert tables.text([PICKED]).splitlines()[2] == "| coreset | 2 s | a peer 4 s | 2 |  |"


@pytest.mark.parametrize(
    ("file", "page"), [("performance", "performance_table"), ("performance_gpu", "performance_gpu")]
)
def test_the_tables_of_the_docs_are_those_of_their_rows(file, page):
    docs = ROOT / "docs"
    printed = tables.text(rows.read(docs / f"{file}.csv"))
    assert printed in (docs / f"{page}.md").read_text(encoding="utf-8")


def test_growth_is_drawn_from_the_rows_of_the_docs(tmp_path):
    tables.draw(rows.read(ROOT / "docs" / "performance.csv"), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"growth_build.svg", "growth_coreset.svg"}
