"""What a rule that sets a threshold declares of itself: its words, its parameters with their fields, and its function.

The command line, the lists and fields of the page Tune, the report and the check of a stranger's file are all made of
these declarations; `rules` lists them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from patchcore.statistics.intervals import percent

Kind = Literal["good", "defect"]
Shown = Literal["number", "percent", "one in", "score"]

NO_IMAGES: frozenset[Kind] = frozenset()
GOOD: frozenset[Kind] = frozenset({"good"})
DEFECT: frozenset[Kind] = frozenset({"defect"})


class Threshold(Protocol):
    """What a rule finds."""

    @property
    def value(self) -> float | None:
        """Reject what scores more than this; None when the rule cannot keep to what was asked."""

    @property
    def statement(self) -> str:
        """What the threshold does, or why there is none, in a sentence or two."""


@dataclass(frozen=True)
class Parameter:
    """A number that a rule takes, and the field that asks for it.

    Parameters
    ----------
    usual
        Its value where none is named; NaN where there is none.
    label, help
        Of its field.
    shown
        How its field shows it: as it is; as a percentage; as n of "1 in n"; or as a score, which begins at the
        threshold in view.
    least, most, step, digits
        Of the number in its field; fields of scores take theirs from the score.
    words
        Writes its value in a sentence of the report.
    """

    usual: float
    label: str
    help: str
    shown: Shown = "number"
    least: float = 0.0
    most: float = 1e6
    step: float = 1.0
    digits: int = 0
    words: Callable[[float], str] = "{:g}".format

    def to_field(self, value: float) -> float:
        """Convert a value to the number that its field shows, rounded and within the field's bounds."""
        if self.shown == "percent":
            number = 100 * value
        elif self.shown == "one in":
            number = 1 / value
        else:
            number = value
        return round(min(max(number, self.least), self.most), self.digits)

    def from_field(self, number: float) -> float:
        """Convert the number in its field to its value."""
        if self.shown == "percent":
            return number / 100
        return 1 / number if self.shown == "one in" else number


def percentage(usual: float, label: str, explained: str, most: float = 50.0) -> Parameter:
    """Declare a share that is asked for as a percentage."""
    return Parameter(usual, label, explained, "percent", 0.01, most, 0.5, 2, words=percent)


@dataclass(frozen=True)
class Rule:
    """A way to set a threshold.

    Parameters
    ----------
    name
        What files, the command line and the database call it.
    label
        What it does, in plain words.
    apply
        Takes good scores [n], defect scores [m] and the parameters by name; without the defect scores where
        `good_only`.
    needs
        The kinds of images without which it cannot be applied.
    good_only
        Whether it goes by good images alone, even where defects are known.
    parameters
        By name.
    choice
        What it is called where the rule of the reject threshold is chosen; its label where left out.
    rank
        Where it stands in that list: lower ones first, equal ones in the order of their registration.
    review, pixel
        What it is called where the rule of the accept or of the pixel threshold is chosen; not offered there where
        left out.
    report
        Its sentence in a report, with the name of each parameter in braces; its label where left out.
    brief
        A few words to go on after a threshold's value, with parameters in braces; made of its name where left out.
    """

    name: str
    label: str
    apply: Callable[..., Threshold]
    needs: frozenset[Kind]
    good_only: bool = False
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    choice: str = ""
    rank: int = 0
    review: str = ""
    pixel: str = ""
    report: str = ""
    brief: str = ""

    def usual(self) -> dict[str, float]:
        """Give the usual values of the parameters."""
        return {name: parameter.usual for name, parameter in self.parameters.items()}

    def __call__(
        self, good: NDArray[np.float64], defect: NDArray[np.float64], parameters: Mapping[str, float]
    ) -> Threshold:
        """Set a threshold from good scores [n] and defect scores [m]; parameters left out take their usual values."""
        values = {**self.usual(), **parameters}
        return self.apply(good, **values) if self.good_only else self.apply(good, defect, **values)
