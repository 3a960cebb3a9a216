"""The sweep over bank sizes as a job: every share of a bank measured on a batch in one pass, and stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from patchcore.labels.masks import Marks
from patchcore.methods import SHARE
from patchcore.thresholds.operating_point import OperatingPoint
from workbench.evaluation.measures import load_nameless_mask
from workbench.inspectors.capabilities import require_capability
from workbench.inspectors.versions import (
    find_inspector,
    get_version,
    good_images,
    has_good_images,
    load_model,
)
from workbench.jobs import requests
from workbench.people.roles import Role, require
from workbench.storage.tables import GOOD, BatchImage, InspectorVersion, Job
from workbench.storage.workspace import Workspace

if TYPE_CHECKING:
    from workbench.jobs.process import RunningJob

TIMED = 5  # good images that stand in where nothing is labelled: they suffice for times and distances
OTHER_RULE = "The threshold has been set by another rule since; measure the shares again."


@dataclass(frozen=True)
class StoredLabelled:
    """An image of the workspace with its label and mask, as `patchcore.evaluation.sweep` takes it."""

    name: str
    source: Path
    defect_type: str | None
    load_mask: Callable[[], NDArray[np.bool_] | None]

    @property
    def is_defect(self) -> bool:
        """Whether the part is known to be defective."""
        return self.defect_type is not None and self.defect_type != GOOD

    def mask(self, shape: tuple[int, int]) -> Marks | None:
        """Return where the defect is; a stored mask has been fitted to its image, whose (H, W) is `shape`."""
        pixels = self.load_mask()
        return None if pixels is None else Marks(pixels)


def start_sweep(workspace: Workspace, version: InspectorVersion, batch_id: int | None) -> int:
    """Queue the measuring of every share of a version's bank, or find it queued already; return the job's id.

    Parameters
    ----------
    batch_id
        The batch whose labelled images are scored; without any, a few good images give times and distances.
    """
    require(Role.ENGINEER, "measure bank sizes")
    require_capability(version, SHARE)
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
    """Return the last finished sweep of a bank over a batch, as `SharePoint.to_dict()` from the smallest share.

    `in_use` marks the share of the version now. Where another rule has set the threshold since, thresholds are None
    and `reason` says so. None when there has been no sweep.
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
    return [
        StoredLabelled(
            image.name, paths[image.sha256], image.truth, partial(load_nameless_mask, workspace, image)
        )
        for image in images
    ]


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
