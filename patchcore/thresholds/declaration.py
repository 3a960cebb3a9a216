"""The declaration of a rule that sets a threshold: its words, its parameters with their fields, and its function.

The command line, the lists and fields of the page Tune, the report and the check of a stranger's file are all made of
these declarations. `rules` lists them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from patchcore.statistics.intervals import percent

Kind = Literal["good", "defect", "unseen"]
Shown = Literal["number", "percent", "one in", "score"]

NO_IMAGES: frozenset[Kind] = frozenset()
GOOD: frozenset[Kind] = frozenset({"good"})
DEFECT: frozenset[Kind] = frozenset({"defect"})
UNSEEN: frozenset[Kind] = frozenset({"unseen"})


class Threshold(Protocol):
    """The result of a rule."""

    @property
    def value(self) -> float | None:
        """The score above which an image is rejected; None when the rule cannot meet its parameters."""

    @property
    def statement(self) -> str:
        """The threshold's effect, or the reason for its absence, in a sentence or two."""


@dataclass(frozen=True)
class Parameter:
    """A number that a rule takes, and the field that asks for it.

    Parameters
    ----------
    usual
        Default value; NaN where a default makes no sense.
    label, help
        Label and tooltip of its field.
    shown
        Form of the number in its field: the value, a percentage, n of "1 in n", or a score, which begins at the
        threshold in view.
    least, most, step, digits
        Bounds, step and digits of the number in its field; fields of scores derive theirs from the score.
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
    """Declare a share that its field shows as a percentage."""
    return Parameter(usual, label, explained, "percent", 0.01, most, 0.5, 2, words=percent)


@dataclass(frozen=True)
class Rule:
    """A way to set a threshold.

    Parameters
    ----------
    name
        Its name in files, on the command line and in the database.
    label
        Its effect, in plain words.
    apply
        Takes good scores [n], defect scores [m] and the parameters by name; without the defect scores where
        `good_only`; where `by_session`, scores of good images by session and the parameters.
    needs
        Kinds of images that the rule needs.
    good_only
        Whether the rule uses good images alone, even where defects are known.
    by_session
        Whether the rule uses the good images' scores by other sessions alone.
    parameters
        By name.
    choice
        Its name in the list of rules for the reject threshold; "" for its label.
    rank
        Its place in that list: lower ranks first, equal ranks in the order of registration.
    review, pixel
        Its names in the lists of rules for the accept and for the pixel threshold; "" leaves it out of the list.
    report
        Its sentence in a report, with the name of each parameter in braces; "" for its label.
    brief
        A few words that follow a threshold's value, with parameters in braces, and ``{good_images}`` for the good
        images of the evidence with their number; "" for words made of its name.
    """

    name: str
    label: str
    apply: Callable[..., Threshold]
    needs: frozenset[Kind]
    good_only: bool = False
    by_session: bool = False
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    choice: str = ""
    rank: int = 0
    review: str = ""
    pixel: str = ""
    report: str = ""
    brief: str = ""

    def usual(self) -> dict[str, float]:
        """Return the usual values of the parameters."""
        return {name: parameter.usual for name, parameter in self.parameters.items()}

    def __call__(
        self,
        good: NDArray[np.float64],
        defect: NDArray[np.float64],
        parameters: Mapping[str, float],
        sessions: Mapping[str, NDArray[np.float64]] = MappingProxyType({}),
    ) -> Threshold:
        """Set a threshold from good scores [n] and defect scores [m]; parameters left out take their usual values.

        `sessions` holds the scores of good images by the other sessions alone, by session.
        """
        values = {**self.usual(), **parameters}
        if self.by_session:
            return self.apply(sessions, **values)
        return self.apply(good, **values) if self.good_only else self.apply(good, defect, **values)
