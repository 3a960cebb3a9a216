"""Values that somebody else wrote, in a file or a row: type and size must be possible for this program."""

import re
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

LARGEST_NUMBER = sys.float_info.max
LONGEST_MOMENT = 40  # characters
MOST_IMAGES = 1_000_000
SHA256 = re.compile(r"[0-9a-f]{64}")


class Unsound(ValueError):
    """This program cannot have written a value; the message names it and its fault, and continues a sentence."""


def mapping(value: Any, what: str, most: int) -> Mapping[str, Any]:
    """Return a mapping with at most `most` entries; else raise `Unsound`, as all functions here do."""
    if not isinstance(value, dict) or len(value) > most:
        raise Unsound(f"{what} is not a list of at most {most:,} names and values")
    return value


def items(value: Any, what: str, most: int, *, exactly: bool = False) -> list[Any]:
    """Return a list with at most, or exactly, `most` entries."""
    if not isinstance(value, list) or len(value) > most or (exactly and len(value) != most):
        raise Unsound(f"{what} is not a list of {'' if exactly else 'at most '}{most:,} entries")
    return value


def whole(value: Any, what: str, lowest: int, highest: int) -> int:
    """Return a whole number within bounds; true and false do not count as numbers."""
    if type(value) is not int or not lowest <= value <= highest:
        raise Unsound(f"{what} is not a whole number from {lowest:,} to {highest:,}")
    return value


def number(value: Any, what: str, lowest: float = -LARGEST_NUMBER, highest: float = LARGEST_NUMBER) -> float:
    """Return a number within bounds; NaN, the infinities, true and false do not count as numbers."""
    if type(value) not in (int, float) or not -LARGEST_NUMBER <= value <= LARGEST_NUMBER:
        raise Unsound(f"{what} is not a number")
    if not lowest <= value <= highest:
        raise Unsound(f"{what} is not a number from {round(lowest, 9) + 0.0:g} to {highest:g}")
    return float(value)


def yes_or_no(value: Any, what: str) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise Unsound(f"{what} is neither yes nor no")
    return value


def text(value: Any, what: str, longest: int) -> str:
    """Return a text of at most `longest` characters."""
    if not isinstance(value, str) or len(value) > longest:
        raise Unsound(f"{what} is not a text of at most {longest:,} characters")
    return value


def match(value: Any, pattern: re.Pattern[str], what: str) -> str:
    """Return a text that a pattern matches as a whole."""
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise Unsound(f"{what} is {value!a:.80}, which is impossible")
    return value


def moment(value: Any, what: str) -> None:
    """Check a time, ISO 8601, or an empty value."""
    try:
        if text(value, what, LONGEST_MOMENT):
            datetime.fromisoformat(value)
    except ValueError as error:
        raise Unsound(f"{what} is not a time") from error


def or_none(check: Callable[[Any, str], object]) -> Callable[[Any, str], None]:
    """Return a check that lets None pass."""

    def checked(value: Any, what: str) -> None:
        if value is not None:
            check(value, what)

    return checked
