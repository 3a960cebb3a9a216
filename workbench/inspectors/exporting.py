"""An inspector as one file for another computer: any version, at its share of the bank and with its thresholds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.inspectors.timeline import Entry
from workbench.inspectors.versions import load_model
from workbench.people.roles import Role, require
from workbench.storage.database import WorkspaceError
from workbench.storage.tables import Inspector
from workbench.storage.timestamps import now
from workbench.storage.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from patchcore.detector import Detector

PICTURE_SIDE = 160  # pixels
CONTENTS = (
    "All that was learned, the settings, and the thresholds; not the good images themselves, only a small picture of "
    "one. `python -m patchcore score` takes it as it is."
)


def export(workspace: Workspace, inspector: Inspector, entry: Entry, target: Path) -> None:
    """Write one state of an inspector as a `.patchcore` file, which gives the same scores elsewhere.

    Parameters
    ----------
    target
        Written whole or not at all; an existing file is replaced.

    Raises
    ------
    WorkspaceError
        The state's thresholds are of another size of its bank, or out of date.
    ArtifactError, WeightsError
        The inspector cannot be loaded, or the file not be written.
    """
    from patchcore.files import container  # late: PyTorch comes with it
    from patchcore.files.description import About

    person = require(Role.VIEW, "export inspectors")
    model = model_of(workspace, entry)
    about = About(
        name=inspector.name,
        product=inspector.product,
        version=entry.number,
        note=entry.note,
        made_by=person.name,
        made_at=now().isoformat(timespec="seconds"),
        picture=_picture(workspace, entry),
    )
    (tensors, header), (more, fields) = model.arrays_and_header(), about.parts()
    container.write(target, {**tensors, **more}, {**header, **fields})


def export_bytes(workspace: Workspace, inspector: Inspector, entry: Entry) -> bytes:
    """Return the bytes that `export` writes; errors as there."""
    with workspace.draft_folder() as draft:
        export(workspace, inspector, entry, draft / "export")
        return (draft / "export").read_bytes()


def file_name(inspector: Inspector, entry: Entry) -> str:
    """Return the suggested name of the file."""
    plain = re.sub(r"[^\w-]+", "_", inspector.name).strip("_") or "inspector"
    return f"{plain}_v{entry.number}.patchcore"


def model_of(workspace: Workspace, entry: Entry) -> Detector:
    """Return the fitted model of a state with its thresholds in force; errors as for `export`."""
    if not entry.fits:
        raise WorkspaceError(
            f"The thresholds of {entry.number} cannot be used with the bank that version {entry.version.number} has "
            "now; set them again first."
        )
    return load_model(workspace, entry.version).with_operating_point(entry.point)


def _picture(workspace: Workspace, entry: Entry) -> NDArray[np.uint8] | None:
    from patchcore.errors import PatchCoreError  # late: PyTorch comes with it
    from patchcore.images.geometry import thumbnail
    from patchcore.images.reading import read_image

    sha256 = entry.version.thumbnail_sha256
    if sha256 is None:
        return None
    try:
        return thumbnail(read_image(workspace.image_path(sha256)).pixels, PICTURE_SIDE)
    except PatchCoreError:
        return None  # its file is missing; the inspector works without it
