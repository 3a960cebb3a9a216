"""The part of a file that belongs to its method: arrays by kind and size, and rules for their contents."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patchcore.errors import ArtifactError
from patchcore.files.value_rules import MOST_IMAGES
from patchcore.thresholds.operating_point import LARGEST_SCORE

LONGEST_FEATURE = 16_384  # numbers
LARGEST_FEATURES = 2 << 30  # bytes that the features of one image may take

Tensors = Mapping[str, NDArray[Any]]
Header = Mapping[str, Any]
Part = tuple[str, int, int]
"""Kind of its numbers as safetensors names it, bytes of one, dimensions."""

SCORED: Mapping[str, Part] = {"good_scores.values": ("F32", 4, 1), "good_scores.images": ("I32", 4, 1)}
"""Leave-one-image-out scores of the good images, one for each."""
SCORED_BY_SESSIONS: Mapping[str, Part] = {"session_scores.values": ("F32", 4, 1)}
"""Scores of the same images by other sessions alone."""


def _no_fields(_header: Header) -> None:
    return None


def _no_rules(_tensors: Tensors, _header: Header) -> Mapping[str, bool]:
    return {}


@dataclass(frozen=True)
class FileRules:
    """A method's part of an inspector's file: its arrays, and the rules that check a stranger's file.

    Attributes
    ----------
    parts
        Required arrays by name; no other but the optional ones is allowed.
    optional
        Arrays that a file has together or not at all.
    check_header
        Checks the method's fields of the header; raises `value_rules.Unsound`.
    rules
        Rules of the arrays, each with whether it holds, checked before a model is made of them.
    last_rules
        Rules that are checked after a model was made.
    """

    parts: Mapping[str, Part]
    check_header: Callable[[Header], None] = _no_fields
    rules: Callable[[Tensors, Header], Mapping[str, bool]] = _no_rules
    last_rules: Callable[[Tensors, Header], Mapping[str, bool]] = _no_rules
    optional: Mapping[str, Part] = field(default_factory=dict)


def hold(rules: Mapping[str, bool]) -> None:
    """Refuse a file that breaks a rule.

    Raises
    ------
    ArtifactError
        The message is the first rule that does not hold.
    """
    for rule, holds in rules.items():
        if not holds:
            raise ArtifactError(f"The inspector is not sound; it fails the rule: {rule}.")


def scored_rules(tensors: Tensors, images: int) -> dict[str, bool]:
    """Rules for the arrays of `SCORED`; a score is infinite where no other image was left to compare with."""
    values, scored = tensors["good_scores.values"], tensors["good_scores.images"]
    by_sessions = tensors.get("session_scores.values", values)
    finite = values[np.isfinite(values)]
    return {
        "every good score belongs to a listed image, once": values.shape == scored.shape
        and values.ndim == 1
        and len(scored) <= min(images, MOST_IMAGES)
        and len(np.unique(scored)) == len(scored)
        and bool(((scored >= 0) & (scored < images)).all()),
        "no good score is negative or no number": bool((values >= 0).all()),
        "good scores are no larger than a score can be": bool((finite <= LARGEST_SCORE).all()),
        "scores by other sessions are scores of the same images": by_sessions.shape == values.shape
        and bool(((by_sessions >= 0) & ((by_sessions <= LARGEST_SCORE) | np.isinf(by_sessions))).all()),
    }


def feature_rules(features: NDArray[Any], cells: int) -> dict[str, bool]:
    """Rules for stored features [R, dims] of a map with `cells` positions."""
    extremes = np.array([features.min(initial=0), features.max(initial=0)])
    return {
        "a feature has a length that a network gives": 1 <= features.shape[1] <= LONGEST_FEATURE
        and cells * features.shape[1] * 4 <= LARGEST_FEATURES,
        "a feature is no larger than a score can be": not bool(
            (np.isfinite(extremes) & (np.abs(extremes) > LARGEST_SCORE)).any()
        ),
    }
