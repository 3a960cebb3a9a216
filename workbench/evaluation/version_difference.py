"""The differences between two states of inspectors: settings, good images, and verdicts on shared sets."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from workbench.inspections.labels import labelled_sets
from workbench.inspectors.capabilities import method_label
from workbench.inspectors.timeline import Entry
from workbench.inspectors.versions import good_images
from workbench.storage.tables import Batch, BatchImage, InspectorVersion, Result
from workbench.storage.workspace import Workspace

SETTINGS = {  # the settings that decide the scores, with their names for people; no method has all
    "backbone": "Network",
    "image_size": "Input, px",
    "geometry": "Geometry",
    "coreset": "Largest share",
    "dims_used": "Dimensions drawn",
    "nearest_images": "Nearest images",
    "seed": "Seed",
    "roi": "Region of interest",
    "value_range": "Black and white",
}


@dataclass(frozen=True)
class Difference:
    """The differences between a first and a second state.

    Attributes
    ----------
    settings
        Name for people, value of the first, value of the second, of each setting that differs.
    added, removed
        Names of good images that only the second has, and that only the first has.
    """

    settings: list[tuple[str, Any, Any]]
    added: list[str]
    removed: list[str]


def difference(workspace: Workspace, first: Entry, second: Entry) -> Difference:
    """Return the differences between two states."""
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


def _settings(first: InspectorVersion, second: InspectorVersion) -> Iterator[tuple[str, Any, Any]]:
    methods = method_label(first), method_label(second)
    if methods[0] != methods[1]:
        yield "Method", *methods
    for name, words in SETTINGS.items():
        ours, theirs = first.settings.get(name), second.settings.get(name)
        if ours != theirs:
            yield words, ours, theirs
