"""What differs between two states of inspectors: settings, thresholds, good images, and results on shared sets."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from workbench.evaluation.comparison import Comparison, compare
from workbench.inspections.labels import labelled_sets
from workbench.inspectors.timeline import Entry
from workbench.inspectors.versions import good_images
from workbench.storage.tables import Batch, BatchImage, InspectorVersion, Result
from workbench.storage.workspace import Workspace

SETTINGS = {  # those that decide what is computed, with their names for people
    "backbone": "Network",
    "image_size": "Input, px",
    "geometry": "Geometry",
    "coreset": "Largest share",
    "seed": "Seed",
    "roi": "Region of interest",
    "value_range": "Black and white",
}


@dataclass(frozen=True)
class Difference:
    """What differs between a first and a second state.

    Attributes
    ----------
    settings
        Name for people, value of the first, value of the second; only those that differ.
    added, removed
        Names of good images that the second has and the first has not, and the other way round.
    """

    settings: list[tuple[str, Any, Any]]
    added: list[str]
    removed: list[str]


def difference(workspace: Workspace, first: Entry, second: Entry) -> Difference:
    """Return what was changed from one state to another."""
    ours, theirs = (
        {image.sha256: image.name for image in good_images(workspace, entry.version)}
        for entry in (first, second)
    )
    return Difference(
        settings=list(_settings(first.version, second.version)),
        added=[name for sha256, name in theirs.items() if sha256 not in ours],
        removed=[name for sha256, name in ours.items() if sha256 not in theirs],
    )


def shared_sets(workspace: Workspace, first: Entry, second: Entry) -> list[Batch]:
    """Return the labelled sets on which both states have results, the newest first."""
    found = []
    versions = {first.version.id, second.version.id}
    inspectors = dict.fromkeys((first.version.inspector_id, second.version.inspector_id))
    for batch in (one for inspector in inspectors for one in labelled_sets(workspace, inspector)):
        scored = (
            select(func.count(func.distinct(Result.version_id)))
            .join(BatchImage, BatchImage.id == Result.batch_image_id)
            .where(BatchImage.batch_id == batch.id, Result.version_id.in_(versions))
        )
        with workspace.database.read() as session:
            if session.scalar(scored) == len(versions):
                found.append(batch)
    return found


def compare_on(workspace: Workspace, batch: Batch, first: Entry, second: Entry) -> Comparison:
    """Compare two states on a set that both have scored, each at its own thresholds."""
    return compare(workspace, batch.id, first.as_version(), second.as_version())


def _settings(first: InspectorVersion, second: InspectorVersion) -> Iterator[tuple[str, Any, Any]]:
    for name, words in SETTINGS.items():
        ours, theirs = first.settings[name], second.settings[name]
        if ours != theirs:
            yield words, ours, theirs
