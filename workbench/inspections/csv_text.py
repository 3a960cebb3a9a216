"""CSV for spreadsheets: every table that leaves the program as CSV is written here."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import datetime

Cell = str | int | float | datetime | None

# The signs that begin a formula, also as Asian keyboards and typography have them. Excel in some countries separates
# cells by semicolons, tabs or lines whatever the quotes around them say, so a formula may begin behind each of these.
_SIGNS = "=+\\-@＝＋－＠﹦﹢﹣﹫−"
_FORMULA = re.compile(
    rf"(^|[;|\t\r\n\v\f\x1c-\x1e\x85\u2028\u2029])([\s\ufeff\u00ad\u200b-\u200f\u2060]*)(?=[{_SIGNS}])"
)


def csv_text(rows: Iterable[Sequence[Cell]]) -> str:
    """Return rows as CSV.

    Numbers have six digits, moments are UTC to the second, and nothing stands for None. A text that a spreadsheet would
    take for a formula is preceded by an apostrophe, also behind a semicolon within.
    """
    text = io.StringIO()
    csv.writer(text).writerows([_plain(cell) for cell in row] for row in rows)
    return text.getvalue()


def _plain(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:.6g}"
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ", timespec="seconds").removesuffix("+00:00")
    return str(cell) if isinstance(cell, int) else harmless(cell)


def harmless(text: str) -> str:
    """Return text that no spreadsheet takes for a formula: each that looks like one gets an apostrophe.

    Examples
    --------
    >>> harmless("=1"), harmless("a;=1"), harmless("a-b; c")
    ("'=1", "a;'=1", 'a-b; c')
    """
    found = _FORMULA.sub(r"\1\2'", text)
    return f"'{found}" if found.startswith(("\t", "\r", "\n")) else found
