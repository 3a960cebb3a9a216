"""Building an inspector: from settings and good images to a version that is on disk and ready to inspect."""

from __future__ import annotations

import re
import secrets
import time
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from patchcore.errors import Cancelled, NoImagesError, SettingsError
from patchcore.methods import SHARE, lacking, settings_of_others
from patchcore.settings import SETTINGS, Mode, Settings
from workbench.inspectors.names import require_name
from workbench.inspectors.recalibration import TOO_FEW, ShareNumbers
from workbench.inspectors.version_files import store_version
from workbench.inspectors.versions import list_versions
from workbench.jobs.requests import submit
from workbench.people.roles import Role, require
from workbench.storage.places import require_id
from workbench.storage.roi import Roi
from workbench.storage.tables import InspectorVersion
from workbench.storage.workspace import NamedImage, Workspace

if TYPE_CHECKING:
    from patchcore.detector import Detector
    from workbench.jobs.process import RunningJob


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
    backbone: str = Settings.backbone
    weights: str | None = None  # path to a state dict on this computer
    image_size: int = Settings.image_size
    geometry: Mode = Settings.geometry
    method: str = Settings.method
    coreset: float = Settings.coreset  # PatchCore: largest share of all patches to keep
    share: float | None = None  # PatchCore: of all patches, in use at first; None: `coreset`
    dims_used: int | None = Settings.dims_used  # PaDiM: dimensions to draw; None: all
    nearest_images: int = Settings.nearest_images  # SPADE: good images to compare an image with
    seed: int = Settings.seed
    roi: Roi | None = None
    value_range: tuple[float, float] | None = (
        Settings.value_range
    )  # black and white of 16-bit and float images

    def __post_init__(self) -> None:
        """Check the values before a job is queued."""
        if not self.name.strip():
            raise SettingsError("The inspector needs a name, such as the part and the line.")
        self.of_model()
        if self.share is not None and (sentence := lacking(self.method, SHARE)):
            raise SettingsError(sentence)
        if self.share is not None and not 0 < self.share <= self.coreset:
            raise SettingsError(
                f"The share in use ({self.share:.2%}) must be above 0 and at most the largest share "
                f"({self.coreset:.2%})."
            )

    def model(self) -> Detector:
        """Return a model with these settings, not fitted yet."""
        from patchcore.detector import (
            Detector,
        )  # late: PyTorch comes with it, and listing settings needs none

        return Detector.of(self.of_model(), self.weights)

    def of_model(self) -> Settings:
        """Return the settings of the model; errors as for `Settings`."""
        return Settings(**{name: value for name, value in vars(self).items() if name in SETTINGS})

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON that the database holds: settings of other methods are not in it."""
        others = settings_of_others(self.method)
        own = {name: value for name, value in asdict(self).items() if name not in others}
        return own | {
            "roi": None if self.roi is None else self.roi.to_dict(),
            "value_range": None if self.value_range is None else list(self.value_range),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> BuildSettings:
        """Return the settings described by `to_dict`."""
        roi, value_range = data["roi"], data["value_range"]
        known = {
            "roi": None if roi is None else Roi.from_dict(roi),
            "value_range": None if value_range is None else (value_range[0], value_range[1]),
        }
        return cls(**{**data, **known})


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
        When there are fewer than two different images.
    WorkspaceError
        When no inspector has this id, or a new one has the name of another.
    """
    require(Role.ENGINEER, "build inspectors")
    if inspector_id is not None:
        require_id(inspector_id)
    else:
        with workspace.database.read() as session:
            require_name(session, settings.name)
    if len({image.sha256 for image in images}) < 2:
        raise NoImagesError(TOO_FEW)
    arguments = {
        "inspector_id": new_inspector_id(settings.name) if inspector_id is None else inspector_id,
        "settings": settings.to_dict(),
        "images": [[image.sha256, image.name] for image in images],
    }
    return submit(workspace, "build", f"Build {settings.name}", arguments)


def new_inspector_id(name: str) -> str:
    """Return a unique id that is readable in a path or an address."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return f"{re.sub(r'[^a-z0-9]+', '-', plain).strip('-')[:40] or 'inspector'}-{secrets.token_hex(3)}"


def build(
    workspace: Workspace,
    settings: BuildSettings,
    images: Sequence[NamedImage],
    *,
    inspector_id: str,
    progress: Callable[[str, int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    scratch: Path | None = None,
    job_id: int | None = None,
) -> InspectorVersion:
    """Build in this process; return when the version is wholly on disk and in the database.

    Parameters
    ----------
    progress, cancelled, scratch
        As `Detector.fit` takes them.
    job_id
        Stored with the version, so that a resumed job finds a finished version.

    Raises
    ------
    WorkspaceError
        No inspector has this id; nothing is built then.
    """
    require(Role.ENGINEER, "build inspectors")
    require_id(inspector_id)
    began = time.monotonic()
    model = settings.model().fit(
        _sources(workspace, images),
        roi=None if settings.roi is None else settings.roi.mask(),
        progress=progress,
        cancelled=cancelled,
        scratch=scratch,
    )
    measured = {
        "seconds": round(time.monotonic() - began, 1),
        "skipped": [{"name": error.name, "reason": error.reason} for error in model.skipped_],
        "remarks": model.remarks_,
        "total_patches": model.size.patches,
        "job": job_id,
    }
    if cancelled is not None and cancelled():
        raise Cancelled("Stopped before the inspector was saved.")
    numbers = ShareNumbers.of(model if settings.share is None else model.with_coreset(settings.share))
    return store_version(
        workspace,
        inspector_id,
        model,
        numbers,
        settings=settings.to_dict(),
        measured=measured,
        change="build",
        why="Set when the inspector was built.",
    )


def run_build(job: RunningJob) -> dict[str, Any]:
    """Do a queued build; called in the job's own process."""
    inspector_id = job.arguments["inspector_id"]
    done = [
        version
        for version in list_versions(job.workspace, inspector_id)
        if version.numbers.get("job") == job.id
    ]
    version = (
        done[0]
        if done
        else build(
            job.workspace,
            BuildSettings.from_dict(job.arguments["settings"]),
            [NamedImage(sha256, name) for sha256, name in job.arguments["images"]],
            inspector_id=inspector_id,
            progress=job.progress,
            cancelled=job.cancelled,
            scratch=job.scratch,
            job_id=job.id,
        )
    )
    return {"inspector_id": inspector_id, "version_id": version.id}


def _sources(workspace: Workspace, images: Sequence[NamedImage]) -> list[tuple[str, Path]]:
    """Return (name, file) of every image once; images of the same name get distinct names."""
    by_hash = {image.sha256: image.name for image in reversed(images)}
    paths = workspace.image_paths(image.sha256 for image in images)
    taken: set[str] = set()
    sources = []
    for sha256, path in paths.items():
        name, count = by_hash[sha256], 1
        while name in taken:
            count += 1
            name = f"{by_hash[sha256]} ({count})"
        taken.add(name)
        sources.append((name, path))
    return sources
