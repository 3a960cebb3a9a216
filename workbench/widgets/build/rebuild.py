"""A build that begins with the good images and settings of an inspector, one of them changed."""

from typing import Any

from workbench.inspectors.building import BuildSettings
from workbench.inspectors.names import free_name
from workbench.inspectors.versions import find_inspector, good_images
from workbench.storage.tables import InspectorVersion
from workbench.uploads.image_set import UploadSet
from workbench.uploads.preflight import preflight
from workbench.widgets.build import draft
from workbench.widgets.build.draft import SETTINGS, Draft
from workbench.widgets.shared import progress, session

# Settings that a draft takes over.
KEPT = (
    "geometry",
    "backbone",
    "image_size",
    "method",
    "coreset",
    "dims_used",
    "nearest_images",
    "seed",
    "value_range",
)


def start(version: InspectorVersion, words: str, **changes: Any) -> None:
    """Open the page Build with a version's good images and settings; `words` end the new inspector's name.

    Parameters
    ----------
    changes
        Fields of the draft that differ, such as `image_size`, or the `step` to open; by default the settings.
    """
    here = session.workspace()
    inspector = find_inspector(here, version.inspector_id)
    images = [one for one in good_images(here, version) if not one.taught]
    paths, uploads = here.image_paths(one.sha256 for one in images), UploadSet()
    for one in images:
        uploads.add(one.name, paths[one.sha256])
    settings = BuildSettings.from_dict(version.settings)
    kept = {name: getattr(settings, name) for name in KEPT}
    with progress.bar("Checking images") as move:
        found = preflight(uploads, settings.value_range, progress=move)
    name = "Inspector" if inspector is None else inspector.name
    with here.database.read() as rows:
        name = free_name(rows, f"{name[:60]}, {words}")
    fields = {"step": SETTINGS, "name": name, "title": name, "found": found}
    if settings.roi is not None and found.distinct:
        fields |= {"roi": settings.roi, "roi_on": found.distinct[0].sha256}
    draft.begin_another(Draft(**{**fields, **kept, **changes}))
    session.forget("job")
    session.open_page("pages/build.py")
