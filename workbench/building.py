"""Building an inspector: from settings and good images to a version that is on disk and ready to inspect."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from workbench.database import InspectorVersion
from workbench.roi import Roi
from workbench.workspace import NamedImage, Workspace

if TYPE_CHECKING:
    from workbench.job_process import RunningJob


@dataclass(frozen=True)
class BuildSettings:
    """How an inspector is to be built; checked when it is made.

    Raises
    ------
    SettingsError
        When a value is out of its range.
    """

    name: str
    product: str = ""
    backbone: str = "builtin"
    weights: str | None = None  # path to a state dict on this computer
    image_size: int = 224
    geometry: Literal["fit", "stretch", "crop"] = "fit"
    coreset: float = 0.10  # largest share of all patches to keep
    share: float | None = None  # of all patches, in use at first; None: `coreset`
    seed: int = 0
    roi: Roi | None = None
    value_range: tuple[float, float] | None = None  # of 16-bit and float data
    reject_budget: float = 0.01  # of good parts, at most, for the first threshold

    def to_dict(self) -> dict[str, Any]:
        """Return what the database holds."""
        raise NotImplementedError

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> BuildSettings:
        """Return the settings that `to_dict` described."""
        raise NotImplementedError


def submit_build(
    workspace: Workspace,
    settings: BuildSettings,
    images: Sequence[NamedImage],
    *,
    inspector_id: str | None = None,
) -> int:
    """Queue a build and return the job's id; its result names the ``inspector_id`` and ``version_id``.

    Parameters
    ----------
    images
        Good images, stored with `Workspace.store_image`; exact duplicates count once.
    inspector_id
        The inspector to give a new version; None: a new inspector.

    Raises
    ------
    NoImagesError
        When there is no image.
    """
    raise NotImplementedError


def build(
    workspace: Workspace,
    settings: BuildSettings,
    images: Sequence[NamedImage],
    *,
    inspector_id: str,
    progress: Callable[[str, int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    scratch: Path | None = None,
) -> InspectorVersion:
    """Build here and now, in this process; returns when the version is wholly on disk and in the database."""
    raise NotImplementedError


def run_build(job: RunningJob) -> dict[str, Any]:
    """Do a queued build; called in the job's own process."""
    raise NotImplementedError
