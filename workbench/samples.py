"""The sample products: their inspectors, built on first use, and their test images as a ready batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from workbench.database import Inspector
from workbench.workspace import Workspace


@dataclass(frozen=True)
class SampleProduct:
    """One folder of `sample_data`."""

    key: str  # the folder's name
    title: str
    folder: Path


def list_samples() -> list[SampleProduct]:
    """Return the sample products that are on this computer."""
    raise NotImplementedError


def find_sample_inspector(workspace: Workspace, sample: SampleProduct) -> Inspector | None:
    """Return the sample's inspector when it is built."""
    raise NotImplementedError


def submit_sample(workspace: Workspace, sample: SampleProduct) -> int:
    """Queue the build of a sample's inspector (or find it queued already) and return the job's id."""
    raise NotImplementedError


def prepare_sample(
    workspace: Workspace, sample: SampleProduct, progress: Callable[[str, int, int], None] | None = None
) -> Inspector:
    """Build a sample's inspector in this process, unless it is there; a few seconds."""
    raise NotImplementedError


def sample_batch(workspace: Workspace, sample: SampleProduct, inspector_id: str) -> int:
    """Return the batch of the sample's test images, with their truth; made at the first call."""
    raise NotImplementedError
