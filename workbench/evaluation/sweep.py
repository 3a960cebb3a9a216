"""The coreset what-if as a job: every share of a bank measured on a batch in one pass, and kept."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from patchcore.errors import DataError
from patchcore.thresholds.operating_point import OperatingPoint
from workbench.inspections.batches import load_mask
from workbench.inspectors.versions import (
    find_inspector,
    get_version,
    good_images,
    has_good_images,
    load_model,
)
from workbench.jobs import requests
from workbench.people.roles import Role, require
from workbench.storage.database import WorkspaceError
from workbench.storage.tables import GOOD, BatchImage, InspectorVersion, Job
from workbench.storage.workspace import Workspace

if TYPE_CHECKING:
    from workbench.jobs.process import RunningJob

TIMED = 5  # good images that stand in where nothing is labelled: times and distances can be told from them
OTHER_RULE = "The threshold has been set by another rule since; measure the shares again."


@dataclass(frozen=True)
class StoredLabelled:
    """An image of the workspace with what is known of it, as `patchcore.evaluation.sweep` takes it."""

    workspace: Workspace
    image: BatchImage
    path: Path

    @property
    def name(self) -> str:
        """As the user knows it."""
        return self.image.name

    @property
    def source(self) -> Path:
        """Where it lies."""
        return self.path

    @property
    def defect_type(self) -> str | None:
        """Name of the defect, "good" for a good part, None where nobody said."""
        return self.image.truth

    @property
    def is_defect(self) -> bool:
        """Whether the part is known to be defective."""
        return self.image.truth is not None and self.image.truth != GOOD

    def mask(self) -> NDArray[np.bool_] | None:
        """Load where the defect is, bool [H, W]; None where nobody marked it."""
        try:
            return load_mask(self.workspace, self.image)
        except WorkspaceError as error:
            raise DataError(str(error.__cause__ or error)) from error


def start_sweep(workspace: Workspace, version: InspectorVersion, batch_id: int | None) -> int:
    """Queue the measuring of every share of a version's bank, or find it queued already; return the job's id.

    Parameters
    ----------
    batch_id
        Its labelled images are scored; without any, a few good images tell times and distances.
    """
    require(Role.ENGINEER, "measure bank sizes")
    for job in sweeps(workspace, version, batch_id):
        if job.state in requests.UNFINISHED:
            requests.resume(workspace, job.id)
            return job.id
    inspector = find_inspector(workspace, version.inspector_id)
    arguments = {
        "inspector_id": version.inspector_id,
        "version_id": version.id,
        "bank_id": version.bank_id,
        "batch_id": batch_id,
        "rule": _rule(version),
    }
    name = version.inspector_id if inspector is None else inspector.name
    return requests.submit(workspace, "sweep", f"Measure bank sizes of {name}", arguments)


def latest_sweep(
    workspace: Workspace, version: InspectorVersion, batch_id: int | None
) -> list[dict[str, Any]] | None:
    """Return what the last finished sweep of a bank over a batch found, `SharePoint.to_dict()` from the smallest share.

    `in_use` is that of the version now. Where its threshold has been set by another rule since, no threshold is
    told, with the reason. None when there has been no sweep.
    """
    done = [job for job in sweeps(workspace, version, batch_id) if job.state == requests.JobState.DONE]
    if not done or done[0].result is None:
        return None
    points: list[dict[str, Any]] = done[0].result["points"]
    same_rule = done[0].arguments["rule"] == _rule(version)
    return [_present(point, version, same_rule) for point in points]


def run_sweep(job: RunningJob) -> dict[str, Any]:
    """Do a queued sweep; called in the job's own process."""
    from patchcore.evaluation.sweep import sweep

    version = get_version(job.workspace, job.arguments["version_id"])
    point = OperatingPoint.from_dict(version.operating_point)
    model = load_model(job.workspace, version).with_operating_point(point)
    problems: list[str] = []
    points = sweep(
        model,
        _images(job.workspace, version, job.arguments["batch_id"]),
        progress=job.progress,
        cancelled=job.cancelled,
        problem=problems.append,
    )
    return {"points": [one.to_dict() for one in points], "problems": problems}


def _images(workspace: Workspace, version: InspectorVersion, batch_id: int | None) -> list[StoredLabelled]:
    query = select(BatchImage).where(BatchImage.batch_id == batch_id, BatchImage.truth.is_not(None))
    with workspace.database.read() as session:
        images = list(session.scalars(query.order_by(BatchImage.position)))
    if not images:
        some = good_images(workspace, version)[:TIMED] if has_good_images(version) else []
        images = [BatchImage(sha256=image.sha256, name=image.name, truth=GOOD) for image in some]
    paths = workspace.image_paths(image.sha256 for image in images)
    return [StoredLabelled(workspace, image, paths[image.sha256]) for image in images]


def sweeps(workspace: Workspace, version: InspectorVersion, batch_id: int | None) -> list[Job]:
    """Return the sweeps of a bank over a batch, the newest first."""
    with workspace.database.read() as session:
        found = list(session.scalars(select(Job).where(Job.kind == "sweep").order_by(Job.id.desc())))
    return [
        job
        for job in found
        if job.arguments["bank_id"] == version.bank_id and job.arguments["batch_id"] == batch_id
    ]


def _rule(version: InspectorVersion) -> dict[str, Any]:
    return asdict(OperatingPoint.from_dict(version.operating_point).rule)


def _present(point: dict[str, Any], version: InspectorVersion, same_rule: bool) -> dict[str, Any]:
    present = point | {"in_use": point["rows"] == version.patches}
    return present if same_rule else present | {"threshold": None, "reason": OTHER_RULE}
