"""What an output of watching is, and its options as data, from which the command line and the form are made.

An output is told of each verdict after it is kept. What it cannot do at present is tried again, also after a crash, so
that each output must be able to complete what was begun without doing it twice.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Literal

from patchcore.errors import SettingsError
from workbench.watching.verdict import Given

OptionKind = Literal["folder", "file", "text", "whole", "number", "switch"]
Values = Mapping[str, Any]  # of options, by their names


class Output(ABC):
    """Does something with each file that has its verdict.

    Attributes
    ----------
    needs_verdict
        How the refusal begins where no threshold can be used; empty for an output that can do without verdicts.
    """

    needs_verdict: str = ""

    def plan(self, verdict: Given) -> Given:
        """Return a verdict with what this output is about to do noted in it; called before the verdict is kept."""
        return verdict

    @abstractmethod
    def give(self, verdict: Given, *, again: bool) -> Given:
        """Do what is to be done with a verdict, and return it with what was done noted in it, for the outputs after.

        Parameters
        ----------
        again
            Whether some of it may have been done already, before a failure or a crash.

        Raises
        ------
        NotKept
            When it cannot be done at present; it is tried again until it can be.
        """

    def folders_left_out(self) -> Sequence[Path]:
        """Return folders in which no new images are to be looked for."""
        return ()


@dataclass(frozen=True)
class Option:
    """An option of an output.

    Parameters
    ----------
    name
        What the stored options of a watched folder call it.
    flag
        What the command line calls it, as in "--move".
    kind
        What it may hold. Folders, files and texts are strings; an empty one asks for nothing.
    label
        Of its field in the form; it begins the sentence that refuses a value.
    help
        Its sentence on the command line.
    default
        Its value where none is named.
    detail
        What its field in the form says when pointed at.
    empty
        What stands in an empty field of text.
    least, most
        Of a number; None: unbounded.
    """

    name: str
    flag: str
    kind: OptionKind
    label: str
    help: str
    default: Any
    detail: str = ""
    empty: str = ""
    least: float | None = None
    most: float | None = None

    @property
    def is_place(self) -> bool:
        """Whether it names a folder or a file."""
        return self.kind in ("folder", "file")

    def check(self, value: Any) -> None:
        """Refuse a value that the option cannot have.

        Raises
        ------
        SettingsError
            With the same sentence wherever the value comes from.
        """
        if not self._fits(value):
            raise SettingsError(f"{self.label}: it must be {self._must()}, not {value!a:.80}.")

    def _fits(self, value: Any) -> bool:
        if self.kind == "switch":
            return isinstance(value, bool)
        if self.kind not in ("whole", "number"):
            return isinstance(value, str) and "\0" not in value
        numbers = Integral if self.kind == "whole" else Real
        return isinstance(value, numbers) and not isinstance(value, bool) and self._is_within(float(value))

    def _is_within(self, number: float) -> bool:
        below = self.least is not None and number < self.least
        above = self.most is not None and number > self.most
        return math.isfinite(number) and not below and not above

    def _must(self) -> str:
        if self.kind == "switch":
            return "true or false"
        if self.kind not in ("whole", "number"):
            return "text"
        bounds = {"at least": self.least, "at most": self.most}
        said = " and ".join(f"{word} {bound:,g}" for word, bound in bounds.items() if bound is not None)
        noun = "a whole number" if self.kind == "whole" else "a number"
        return f"{noun} of {said}" if said else noun


@dataclass(frozen=True)
class OutputSpec:
    """An output as it is offered.

    Parameters
    ----------
    name
        What it is registered by.
    options
        Of it.
    make
        Takes the values of its options and the watched folder; returns None where nothing is asked of it. It raises
        `SettingsError` where a value cannot be used.
    summary
        Says of such values what is done, as in "images move into sorted"; empty where nothing is.
    terminal
        Whether it writes to standard output, and so exists on the command line alone.
    """

    name: str
    options: tuple[Option, ...]
    make: Callable[[Values, Path], Output | None]
    summary: Callable[[Values], str] = lambda _: ""
    terminal: bool = False
