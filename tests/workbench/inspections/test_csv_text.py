"""CSV that no spreadsheet takes for formulas, in whichever country it is opened."""

import csv
import io
from datetime import UTC, datetime

import pytest

from workbench.inspections.csv_text import csv_text, harmless

SIGNS = "=+-@＝＋－＠﹦−"
PAYLOAD = 'cmd|"/C calc"!A0'


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize(
    "before", ["", " ", "\t", "\ufeff", "\u00a0", "a;", "a; ", "a\t", "a\n", "a\r\n", "a|", ";;", "a\u2028"]
)
def test_no_separator_makes_a_cell_that_begins_like_a_formula(sign, before):
    (line,) = csv.reader(io.StringIO(csv_text([[f"{before}{sign}{PAYLOAD}", "end"]]), newline=""))
    for separator in ";\t\n\r|\u2028":
        for cell in line[0].split(separator):
            assert not cell.strip('\ufeff\u00a0 \t\r\n"').startswith(tuple(SIGNS)), (cell, separator)
    assert line[0].replace("'", "") == f"{before}{sign}{PAYLOAD}" and line[1] == "end"


@pytest.mark.parametrize(
    "text", ["a-b.png", "lot 7; side 2", "x=1", "a;b", "größe/1.png", "", "1;2", "-"[:0]]
)
def test_plain_text_stays_as_it_is(text):
    assert harmless(text) == text


def test_numbers_moments_and_nothing_are_no_text():
    moment = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    assert csv_text([[-1.5, -2, None, moment, "\tx"]]) == "-1.5,-2,,2026-01-02 03:04:05,'\tx\r\n"
