"""Inspecting: batches of images, scored by an inspector version, kept with their maps and explanations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.database import Batch, InspectorVersion, Result
from workbench.workspace import NamedImage, Workspace

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Explained:
    """Why an image scored as it did: its worst patch, and the nearest patch of the good images."""

    distance: float
    test_box: Box  # x0, y0, x1, y1 in pixels of the test image
    neighbour_sha256: str
    neighbour_name: str
    neighbour_box: Box  # in pixels of the good image

    def to_dict(self) -> dict[str, Any]:
        """Return what the database holds."""
        raise NotImplementedError

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Explained:
        """Return the explanation that `to_dict` described."""
        raise NotImplementedError


def create_batch(workspace: Workspace, inspector_id: str, images: Sequence[NamedImage], name: str) -> int:
    """Record images to be inspected together and return the batch's id; scoring is `score_batch`'s."""
    raise NotImplementedError


def list_batches(workspace: Workspace, inspector_id: str) -> list[Batch]:
    """Return the batches of an inspector, newest first."""
    raise NotImplementedError


def count_unscored(workspace: Workspace, batch_id: int, version_id: int) -> int:
    """Return how many images of a batch this version has still to score."""
    raise NotImplementedError


def score_batch(workspace: Workspace, batch_id: int, version: InspectorVersion) -> Iterator[Result]:
    """Yield the result of every image this version has not scored yet, each stored before it is yielded.

    May be abandoned at any point and called again; an image that cannot be read gives a result with `.error`.
    """
    raise NotImplementedError


def list_results(workspace: Workspace, batch_id: int, version_id: int) -> list[Result]:
    """Return what is stored, in the batch's order; `.image` has the name, hash and truth."""
    raise NotImplementedError


def get_result(workspace: Workspace, result_id: int) -> Result:
    """Return one result.

    Raises
    ------
    WorkspaceError
        When there is none.
    """
    raise NotImplementedError


def load_map(workspace: Workspace, result: Result, side: int | None = None) -> NDArray[np.float32]:
    """Return the anomaly map, float32 [H, W] in units of the score.

    Parameters
    ----------
    side
        Longest side wanted, for a tile; None: in the original's own pixels.
    """
    raise NotImplementedError


def load_pixels(workspace: Workspace, sha256: str, side: int | None = None) -> NDArray[np.uint8]:
    """Return an image as uint8 [H, W, 3]; `side` as in `load_map` (and then of the same shape)."""
    raise NotImplementedError


def explain(workspace: Workspace, result: Result) -> Explained:
    """Return why an image scored as it did; computed at the first question and stored."""
    raise NotImplementedError
