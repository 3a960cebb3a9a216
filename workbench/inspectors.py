"""Inspectors and their versions: listing, loading, the share of the bank in use, and the operating point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from patchcore.detector import PatchCore
from workbench.database import Inspector, InspectorImage, InspectorVersion
from workbench.workspace import Workspace


class Verdict(StrEnum):
    """What an inspector says of an image."""

    ACCEPT = "accept"
    REVIEW = "review"
    REJECT = "reject"


@dataclass(frozen=True)
class OperatingPoint:
    """The thresholds in force, who set them, when, by which rule and on which evidence.

    An image is rejected when its score is above `threshold`; between `review_from` (None: no band) and
    `threshold` it goes to review. Both in units of the score.
    """

    threshold: float
    review_from: float | None = None
    rule: str = "by hand"
    statement: str = ""
    evidence: Mapping[str, Any] | None = None
    set_by: str = ""
    set_at: datetime | None = None

    def verdict(self, score: float) -> Verdict:
        """Return what these thresholds make of a score."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Return what the database holds."""
        raise NotImplementedError

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> OperatingPoint:
        """Return the point that `to_dict` described."""
        raise NotImplementedError


@dataclass(frozen=True)
class ShareNumbers:
    """What a bank of another size would be like."""

    share: float  # of all patches
    patches: int
    megabytes: float
    cover_radius: float
    good_scores: Mapping[str, float]  # image sha256 -> leave-one-image-out score
    point: OperatingPoint  # recalibrated by the version's own rule


def list_inspectors(workspace: Workspace) -> list[Inspector]:
    """Return the inspectors that are ready, newest first, each with its `.current` version."""
    raise NotImplementedError


def find_inspector(workspace: Workspace, inspector_id: str) -> Inspector | None:
    """Return an inspector with its `.current` version, or None."""
    raise NotImplementedError


def list_versions(workspace: Workspace, inspector_id: str) -> list[InspectorVersion]:
    """Return the versions of an inspector, newest first."""
    raise NotImplementedError


def get_version(workspace: Workspace, version_id: int) -> InspectorVersion:
    """Return one version.

    Raises
    ------
    WorkspaceError
        When there is none.
    """
    raise NotImplementedError


def good_images(workspace: Workspace, version: InspectorVersion) -> list[InspectorImage]:
    """Return the good images a version was built from, in order."""
    raise NotImplementedError


def load_model(workspace: Workspace, version: InspectorVersion) -> PatchCore:
    """Return the fitted model of a version, at its share; the last two stay in memory."""
    raise NotImplementedError


def share_numbers(workspace: Workspace, version: InspectorVersion, share: float) -> ShareNumbers:
    """Return what the bank would be at another share, its threshold recalibrated; nothing is stored."""
    raise NotImplementedError


def reslice(
    workspace: Workspace, version: InspectorVersion, share: float, note: str = ""
) -> InspectorVersion:
    """Put another share of the bank into use, with its threshold recalibrated in the same step.

    A version that has scored nothing yet is changed in place; otherwise a new version is made, on the same bank
    on disk, so that earlier results keep pointing at what produced them. The returned version is the current one.
    """
    raise NotImplementedError


def set_operating_point(
    workspace: Workspace, version: InspectorVersion, point: OperatingPoint
) -> InspectorVersion:
    """Store the thresholds of a version. Nothing is scored again: verdicts follow from scores when they are read."""
    raise NotImplementedError


def rename(workspace: Workspace, inspector_id: str, name: str) -> None:
    """Give an inspector another name."""
    raise NotImplementedError
