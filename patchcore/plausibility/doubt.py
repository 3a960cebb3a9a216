"""A doubt: one reason why a picture may not show such a part, with its measured value and bounds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # torch comes with it, and a stored doubt is read without it
    from patchcore.images.geometry import Box

KINDS = ("brightness", "contrast", "sharpness", "red", "blue", "content", "layout")


@dataclass(frozen=True)
class Doubt:
    """One reason why a picture may not show such a part.

    Attributes
    ----------
    kind
        One of `KINDS`. The first three are grey values from 0 to 1, "red" and "blue" multiples of green. "content" and
        "layout" are multiples too: how many times farther than usual the typical patches of good images are from the
        nearest patch of this picture, anywhere in it or at their place.
    sentence
        The reason in words.
    value
        As measured.
    low, high
        The bounds that the value breaks one of; None where there is none on that side.
    box
        (x0, y0, x1, y1) in the picture's own pixels where the reason has a place; else None.
    """

    kind: str
    sentence: str
    value: float
    low: float | None
    high: float | None
    box: Box | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return {
            "kind": self.kind,
            "sentence": self.sentence,
            "value": _finite(self.value),
            "low": self.low,
            "high": self.high,
            "box": None if self.box is None else list(self.box),
        }

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Doubt:
        """Read the output of `to_dict`."""
        box, value = plain["box"], plain["value"]
        return cls(
            str(plain["kind"]),
            str(plain["sentence"]),
            math.inf if value is None else float(value),
            plain["low"],
            plain["high"],
            None if box is None else (box[0], box[1], box[2], box[3]),
        )


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
