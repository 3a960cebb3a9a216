"""Inputs and outputs of the viewers: images with their scores, dots, thresholds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from patchcore.errors import SettingsError
from patchcore.thresholds.operating_point import JudgeBy, OperatingPoint
from workbench.storage.pictures import Pixels, TileFile
from workbench.storage.tables import GOOD
from workbench.viewer.lineage import lineage_of

Label = Literal["good", "defect"]
Kind = Literal["good", "defect", "image", "reference"]
Loaded = tuple[Pixels, NDArray[np.float32] | None]


@dataclass(frozen=True)
class Thresholds:
    """The thresholds in force, in score units; None for a missing one.

    Parameters
    ----------
    reject
        Scores above it are rejected.
    review
        Scores above it, up to `reject`, are to be reviewed by a person. Not above `reject`.
    """

    reject: float | None
    review: float | None = None

    def __post_init__(self) -> None:
        """Refuse a review band above the reject threshold."""
        if self.review is not None and (self.reject is None or self.review > self.reject):
            raise SettingsError(f"The review band ends at the reject threshold: {self.review} is not in it.")

    @classmethod
    def of(cls, point: OperatingPoint) -> Thresholds:
        """Return an operating point's thresholds; without a review band, `review` is None."""
        return cls(point.reject, point.accept if point.accept < point.reject else None)

    def text(self) -> str:
        """Return a text that is the same for the same thresholds."""
        return json.dumps([self.reject, self.review])

    def for_browser(
        self,
        link: str,
        pixel: float | None,
        min_area: int,
        judge_by: JudgeBy = "score",
        picture_check: bool = True,
    ) -> dict[str, Any]:
        """Return the values that the browser takes over whenever the page has changed its mind."""
        lineage, rules = lineage_of(link), lineage_of(f"{link}:rule")
        lineage.give(self.text())
        rules.give(RegionRule(pixel, min_area).text())
        return {
            "reject": self.reject,
            "review": self.review,
            "revision": lineage.revision,
            "rule": {"pixel": pixel, "minArea": min_area},
            "ruleRevision": rules.revision,
            "judgeBy": judge_by,
            "pictureCheck": picture_check,
        }


@dataclass(frozen=True)
class RegionRule:
    """The rule for regions of a map.

    Parameters
    ----------
    pixel_threshold
        Pixels of a higher score count, score units; None follows the review threshold, without a
        review band the reject threshold.
    min_area
        The smallest region, in pixels of the original.
    """

    pixel_threshold: float | None
    min_area: int

    def text(self) -> str:
        """Return a text that is the same for the same rule."""
        return json.dumps([self.pixel_threshold, self.min_area])


def label_of(truth: str | None) -> Label | None:
    """Return the label of an image as the viewers colour it; None without one.

    Parameters
    ----------
    truth
        "good", a type of defect, or None.
    """
    return None if truth is None else "good" if truth == GOOD else "defect"


def kind_of(truth: str | None, *, in_bank: bool = False) -> Kind:
    """Return the kind of a dot; `in_bank`: a good image that the inspector learned from."""
    return "reference" if in_bank else label_of(truth) or "image"


@dataclass(frozen=True)
class Dot:
    """A score on the threshold strip.

    Parameters
    ----------
    key
        Links the dot to a tile of the same key.
    name
        Shown when the dot is pointed at.
    score
        Score units.
    kind
        The image's label; "reference" is a good image scored without its own patches, which is shown but not counted.
    group
        Type of the defect; each type gets its own mark.
    peak
        The lowest pixel threshold at which its map shows no region (`regions.clearing_threshold`), for judging by area.
    doubts
        Reasons in words why the whole picture may not show such a part; with one, the image is not accepted.
    """

    key: str
    name: str
    score: float
    kind: Kind = "image"
    group: str | None = None
    peak: float | None = None
    doubts: Sequence[str] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON the browser reads."""
        plain: dict[str, Any] = {
            "key": self.key,
            "name": self.name,
            "score": float(self.score),
            "kind": self.kind,
        }
        known = {"group": self.group, "peak": None if self.peak is None else float(self.peak)}
        doubts = {"doubts": list(self.doubts)} if self.doubts else {}
        return plain | {name: value for name, value in known.items() if value is not None} | doubts


@dataclass(frozen=True)
class Tile:
    """One image of a gallery.

    Parameters
    ----------
    key
        Key of an image scored by an inspector, e.g. ``f"{sha256}:{version}"``.
    name
        The image's name as the user knows it.
    score
        The image's score.
    picture
        The encoded tile (`encode_tile`), or the file that it was stored in when the image was scored.
    label
        "good", "defect", or None without a label.
    truth
        The label in words for the tile, e.g. "scratch".
    peak, doubts
        As in `Dot`.
    fixed
        Whether its label may not be changed in the gallery.
    worst_box
        The patch that gave the score, (x0, y0, x1, y1) in pixels of the original; outlined while the image is flagged
        for its score (`patchcore.inspection.place_that_decided`). None where unknown.
    """

    key: str
    name: str
    score: float
    picture: bytes | TileFile
    label: Label | None = None
    truth: str | None = None
    peak: float | None = None
    fixed: bool = False
    doubts: Sequence[str] = ()
    worst_box: Sequence[int] | None = None

    def to_dict(self, url: str) -> dict[str, Any]:
        """Return the JSON the browser reads."""
        group = self.truth if self.label == "defect" else None
        kind = self.label or "image"
        dot = Dot(self.key, self.name, self.score, kind, group, self.peak, self.doubts).to_dict()
        box = None if self.worst_box is None else [int(edge) for edge in self.worst_box]
        known = {"truth": self.truth, "fixed": self.fixed, "box": box}
        return {**dot, "url": url, **{name: value for name, value in known.items() if value}}


def thresholds_from(value: object) -> Thresholds | None:
    """Read the thresholds a browser has sent; None when it has sent none."""
    if not isinstance(value, dict) or value.get("reject") is None:
        return None
    review = value.get("review")
    return Thresholds(float(value["reject"]), None if review is None else float(review))
