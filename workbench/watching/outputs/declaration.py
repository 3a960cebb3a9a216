"""The base class of watching's outputs, and their options as data: command line and form are made from these.

An output gets each verdict after the verdict is stored. A failed delivery is tried again, also after a crash, so each
output must be able to complete a delivery that has begun, without doing any of it twice.
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
from workbench.watching.verdict import VerdictRecord

OptionKind = Literal["folder", "file", "text", "whole", "number", "switch"]
Values = Mapping[str, Any]  # of options, by their names


class Output(ABC):
    """Acts on each file that has its verdict: moves it, writes a line, prints.

    Attributes
    ----------
    needs_verdict
        Beginning of the refusal where no threshold can be used; empty for an output that works without verdicts.
    """

    needs_verdict: str = ""

    def plan(self, verdict: VerdictRecord) -> VerdictRecord:
        """Return the record with this output's planned action noted in it; called before the record is stored."""
        return verdict

    @abstractmethod
    def deliver(self, verdict: VerdictRecord, *, again: bool) -> VerdictRecord:
        """Deliver a record, and return it with the action noted in it, for the outputs after this one.

        Parameters
        ----------
        again
            Whether an earlier try may have done part of the delivery, before a failure or a crash.

        Raises
        ------
        NotKept
            The delivery is impossible at present; it is tried again until it succeeds.
        """

    def require_targets(self) -> None:  # noqa: B027 - an output need not write to a place
        """Try the places that this output writes to; called when a person starts to watch a folder.

        A restart does not ask: a share that is away for a moment comes back, and `deliver` waits for it.

        Raises
        ------
        SettingsError
            A place cannot be written to.
        """

    def folders_left_out(self) -> Sequence[Path]:
        """Return folders in which watching must not look for new images."""
        return ()


@dataclass(frozen=True)
class Option:
    """An option of an output.

    Parameters
    ----------
    name
        Its name in the stored options of a watched folder.
    flag
        Its name on the command line, as in "--move".
    kind
        Type of its value. Folders, files and texts are strings; an empty string turns the output off.
    label
        Label of its field in the form; the sentence that refuses a value begins with it.
    help
        Its sentence on the command line.
    default
        Its value where none is named.
    detail
        Tooltip of its field in the form.
    empty
        Placeholder in an empty text field.
    least, most
        Bounds of a number; None: unbounded.
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
        """Whether its value names a folder or a file."""
        return self.kind in ("folder", "file")

    def check(self, value: Any) -> None:
        """Refuse a value that the option cannot have.

        Raises
        ------
        SettingsError
            The value does not fit; the sentence is the same for form, command line and database.
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
    """The registry's entry of an output.

    Parameters
    ----------
    name
        Key in the registry.
    options
        The output's options.
    make
        Takes option values and the watched folder, and returns the output; None where the values leave it off. Raises
        `SettingsError` where a value cannot be used.
    summary
        Takes option values and describes the action, as in "images move into sorted"; "" where the output is off.
    terminal
        Whether the output writes to standard output, and so exists on the command line alone.
    """

    name: str
    options: tuple[Option, ...]
    make: Callable[[Values, Path], Output | None]
    summary: Callable[[Values], str] = lambda _: ""
    terminal: bool = False
