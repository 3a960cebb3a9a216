"""The operating point: the thresholds in force, who set them, when, by which rule, on which evidence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from numbers import Real
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from patchcore.errors import DataError, SettingsError
from patchcore.maps.regions import Region, find_regions

Verdict = Literal["accept", "review", "reject"]
JudgeBy = Literal["score", "area", "both"]
# Fields that stored points of earlier programs lack, with the values they count as.
ADDED = {"picture_check": True, "labels_chosen": False}
LARGEST_SCORE = 1e12  # no distance between features comes near it
LEAST_THRESHOLD = -5e-324  # the next number below 0: a rule that also rejects a score of 0 sets it


@dataclass(frozen=True)
class Choice:
    """A rule that sets a threshold, by its name in `rules.RULES`, and its parameters."""

    name: str
    parameters: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Choice:
        """Read the output of `asdict`."""
        parameters = {key: _read_number(value) for key, value in plain["parameters"].items()}
        return cls(str(plain["name"]), parameters)


@dataclass(frozen=True)
class Evidence:
    """Scores that a threshold is set from; images are identified by the SHA-256 of their file.

    Parameters
    ----------
    good
        Score of each good image, leave-one-image-out or from outside the bank.
    defect
        Score of each labelled defect.
    map_peaks
        For each good image, the lowest pixel threshold at which its map shows nothing
        (`regions.clearing_threshold` with the operating point's minimum area).
    unseen
        Score of each good image by the good images of other sessions alone; empty where there is one session.
    sessions
        The session of each image in `unseen`.
    """

    good: Mapping[str, float] = field(default_factory=dict)
    defect: Mapping[str, float] = field(default_factory=dict)
    map_peaks: Mapping[str, float] = field(default_factory=dict)
    unseen: Mapping[str, float] = field(default_factory=dict)
    sessions: Mapping[str, str] = field(default_factory=dict)

    @property
    def by_session(self) -> dict[str, NDArray[np.float64]]:
        """`unseen` as an array of scores for each session."""
        found: dict[str, list[float]] = {}
        for sha256, score in self.unseen.items():
            found.setdefault(self.sessions[sha256], []).append(score)
        return {name: np.array(scores) for name, scores in found.items()}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Evidence:
        """Read the output of `asdict`; evidence of earlier programs knows no sessions."""
        plain = {"unseen": {}, "sessions": {}, **plain}
        scores = {
            name: {k: _read_number(v) for k, v in plain[name].items()}
            for name in ("good", "defect", "map_peaks", "unseen")
        }
        sessions = {sha256: str(plain["sessions"][sha256]) for sha256 in scores["unseen"]}
        return cls(**scores, sessions=sessions)


@dataclass(frozen=True)
class OperatingPoint:
    """Thresholds in force and where they come from; `decision.decide` makes one.

    Parameters
    ----------
    accept, reject
        Accept up to the first, reject above the second, review between; equal when nothing is reviewed.
    rule, accept_rule, pixel_rule
        The rules of the reject, the accept and the pixel threshold; None for a threshold that is not used.
    bank_id
        The bank of the scores; the thresholds are meaningless for any other bank.
    statement
        The promise of the thresholds, in a sentence or two.
    set_by, set_at, note
        Who decided, when (ISO 8601), and why.
    evidence
        The scores it was set from.
    pixel
        Pixels above it form regions; None when regions are not used.
    min_area
        Pixels of the map that a region needs to count.
    millimetres_per_pixel
        Scale of the map, where the user gave one.
    judge_by
        "score", "area" (any region rejects) or "both" (a reject needs both; where they differ, review).
    stale
        Why the thresholds may not be used; empty when they may.
    recalibrated_at
        When its own rule was last applied again; empty when never.
    picture_check
        Whether an image whose whole picture is doubtful goes to review instead of being accepted.
    labels_chosen
        Whether a rule uses labelled images that are no plain sample of the parts, such as those near the threshold
        (`label_basis`); then the statement holds counts, and no share or cost on the line.
    """

    accept: float
    reject: float
    rule: Choice
    bank_id: str
    statement: str
    set_by: str
    set_at: str
    note: str = ""
    evidence: Evidence = field(default_factory=Evidence)
    accept_rule: Choice | None = None
    pixel: float | None = None
    pixel_rule: Choice | None = None
    min_area: int = 1
    millimetres_per_pixel: float | None = None
    judge_by: JudgeBy = "score"
    stale: str = ""
    recalibrated_at: str = ""
    picture_check: bool = True
    labels_chosen: bool = False

    def __post_init__(self) -> None:
        """Refuse thresholds that cannot be applied."""
        if not (math.isfinite(self.accept) and math.isfinite(self.reject) and self.accept <= self.reject):
            raise SettingsError(
                f"The accept threshold ({self.accept:g}) must be a number not above the reject threshold "
                f"({self.reject:g})."
            )
        for name in ("accept", "reject", "pixel"):
            value = getattr(self, name)
            if value is not None and not _is_threshold(value):
                raise SettingsError(
                    f"The {name} threshold is {value!r}; a threshold lies between 0 and {LARGEST_SCORE:g}."
                )
        if self.judge_by not in get_args(JudgeBy):
            raise SettingsError(f"Images are judged by score, area or both, not by {self.judge_by!r}.")
        if self.judge_by != "score" and self.pixel is None:
            raise SettingsError("Judging by area needs a pixel threshold; set one first.")
        if isinstance(self.min_area, bool) or self.min_area < 1:
            raise SettingsError(f"A region has at least 1 pixel, not {self.min_area}.")

    @property
    def choices(self) -> list[Choice]:
        """The rules in use, for the reject threshold first."""
        return [choice for choice in (self.rule, self.accept_rule, self.pixel_rule) if choice is not None]

    @property
    def heat_from(self) -> float:
        """The value at which heat begins in a map: the pixel threshold, else the accept threshold.

        An accepted image has no patch above the accept threshold, so it stays cool. An image in review or rejected
        mostly shows heat, though smoothing lowers a map's peak below the score.
        """
        return self.accept if self.pixel is None else self.pixel

    def verdict(self, score: float) -> Verdict:
        """Judge an image by its score alone.

        Raises
        ------
        SettingsError
            The thresholds are stale.
        DataError
            The score is NaN.
        """
        self._check_in_force()
        if math.isnan(score):
            raise DataError("An image whose score is not a number cannot be judged; score it again.")
        if score > self.reject:
            return "reject"
        return "review" if score > self.accept else "accept"

    def judge(self, score: float, regions: Sequence[Region], *, doubtful: bool = False) -> Verdict:
        """Judge an image in the way the user chose (`judge_by`); errors as for `verdict`.

        Parameters
        ----------
        score
            The image's score.
        regions
            Its regions above the pixel threshold, as from `regions`; smaller ones are ignored.
        doubtful
            Whether the check of the whole picture found a reason for doubt: then the image is not accepted, unless
            the check is switched off.
        """
        return self._judge(score, any(part.area >= self.min_area for part in regions), doubtful)

    def judge_by_peak(self, score: float, map_peak: float | None, *, doubtful: bool = False) -> Verdict:
        """Judge as `judge` does, without looking for regions; errors as for `verdict`.

        Parameters
        ----------
        score
            The image's score.
        map_peak
            `regions.clearing_threshold` of its map with `min_area`: at or above it the map shows no region. None where
            nobody asks for a map: the point judges by score alone.
        doubtful
            As for `judge`.
        """
        if map_peak is None:
            if self.judge_by != "score":
                raise DataError("A verdict by regions needs the image's map.")
            return self._judge(score, False, doubtful)
        shows_region = self.pixel is not None and bool(np.float32(self.pixel) < np.float32(map_peak))
        return self._judge(score, shows_region, doubtful)

    def regions(self, anomaly_map: NDArray[np.float32]) -> list[Region]:
        """Find the regions that count in a map, float32 [H, W]; none without a pixel threshold."""
        self._check_in_force()
        return [] if self.pixel is None else find_regions(anomaly_map, self.pixel, self.min_area)

    def check_bank(self, bank_id: str) -> None:
        """Refuse to be used with another bank.

        Raises
        ------
        SettingsError
            The thresholds are stale or were set on the scores of another bank.
        """
        self._check_in_force()
        if bank_id != self.bank_id:
            raise SettingsError(
                "These thresholds were set for another bank, whose scores differ; set them again for this one."
            )

    def outdated(self, reason: str) -> OperatingPoint:
        """Return the same point, marked stale with the reason."""
        return replace(self, stale=reason)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> OperatingPoint:
        """Read the output of `to_dict`.

        Raises
        ------
        DataError
            A part is missing or of another kind.
        """
        known = {part.name for part in fields(cls)}
        try:
            values = {name: {**ADDED, **plain}[name] for name in known}
            for name in ("rule", "accept_rule", "pixel_rule"):
                values[name] = None if values[name] is None else Choice.from_dict(values[name])
            values["evidence"] = Evidence.from_dict(values["evidence"])
            return cls(**values)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as fault:
            raise DataError(
                f"A stored operating point is damaged ({fault}); set the threshold again."
            ) from fault

    def _judge(self, score: float, shows_region: bool, doubtful: bool) -> Verdict:
        by_patches = self._by_patches(score, shows_region)
        return "review" if doubtful and self.picture_check and by_patches == "accept" else by_patches

    def _by_patches(self, score: float, shows_region: bool) -> Verdict:
        by_score = self.verdict(score)
        if self.judge_by == "score":
            return by_score
        by_area: Verdict = "reject" if shows_region else "accept"
        if self.judge_by == "area" or by_area == by_score:
            return by_area
        return "review"

    def _check_in_force(self) -> None:
        if self.stale:
            raise SettingsError(f"The threshold is out of date: {self.stale} Set it again.")


def _is_threshold(value: object) -> bool:
    """Whether a number can be a threshold for scores; True and False do not count as numbers."""
    return (
        isinstance(value, Real)
        and not isinstance(value, bool)
        and LEAST_THRESHOLD <= float(value) <= LARGEST_SCORE
    )


def _read_number(value: object) -> float:
    """Read a score or a parameter; the peak of a map smaller than the smallest region is minus infinity."""
    if not isinstance(value, Real) or isinstance(value, bool) or not float(value) < math.inf:
        raise TypeError(f"{value!r} is not a number")
    return float(value)
