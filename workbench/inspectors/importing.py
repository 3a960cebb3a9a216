"""Import: everything in an inspector's file is checked before anything is written."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from patchcore.disk.faults import disk_fault
from patchcore.errors import ArtifactError
from patchcore.images.file_names import safe_name, shortened
from patchcore.methods import SHARE
from workbench.inspectors.building import BuildSettings, new_inspector_id
from workbench.inspectors.names import LONGEST_NAME
from workbench.inspectors.recalibration import ShareNumbers
from workbench.inspectors.version_files import ELSEWHERE, store_version
from workbench.inspectors.versions import find_inspector
from workbench.people.roles import Role, require
from workbench.storage.database import WorkspaceError, WorkspaceUnavailable
from workbench.storage.places import below, require_id
from workbench.storage.tables import Image, Inspector, InspectorVersion
from workbench.storage.workspace import AT_ONCE, Workspace

if TYPE_CHECKING:
    from patchcore.detector import Detector
    from patchcore.files.description import About

IMPORTED = "imported"  # of `InspectorVersion.numbers`: the file's own description
UNNAMED = "Imported inspector"


def import_inspector(
    workspace: Workspace,
    source: Path | bytes,
    name: str = "",
    *,
    file: str = "",
    into: str | None = None,
    weights: Path | None = None,
    seen: int | None = None,
) -> InspectorVersion:
    """Bring in an inspector that was exported, or saved by the command line, and return its version.

    Nothing is written unless the whole file is sound, its weights are on this computer, and its self-test gives the
    same scores here as where it was built.

    Parameters
    ----------
    source
        The file, or its bytes.
    name
        The inspector's name; by default from the file's description, else from the file's name. Where another
        inspector has it, a number follows it.
    file
        The file's name, where `source` is bytes.
    into
        The inspector whose next version it shall be; None: a new inspector.
    weights
        The network's weights, where they do not lie in the usual place.
    seen
        `Inspector.revision` of `into` as the user saw it.

    Raises
    ------
    ArtifactError, WeightsError
        The file is refused; the message says why.
    WorkspaceError
        The inspector `into` does not exist or is in the bin, or the workspace has no room for the file.
    ChangedMeanwhile
        `into` was changed since it was `seen`.
    """
    from patchcore.detector import Detector  # late: PyTorch comes with it
    from patchcore.files.distrust import read_untrusted

    require(Role.ENGINEER, "import inspectors")
    file = file or (source.name if isinstance(source, Path) else "the file")
    if into is not None:
        _require_inspector(workspace, into)
    with _own_copy(workspace, source, file) as path:
        model, about, header = read_untrusted(path, partial(Detector.load, weights=weights))
    numbers = ShareNumbers.of(model)
    title = (name or about.name or Path(file).stem).strip()[:LONGEST_NAME] or UNNAMED
    return store_version(
        workspace,
        into or new_inspector_id(title),
        model,
        numbers,
        settings=_settings(model, title, about.product, weights),
        measured=_measured(workspace, model, about, header, file),
        change="import",
        note=about.note,
        why=_why(model, about),
        thumbnail_sha256=_picture(workspace, model, about),
        seen=seen,
    )


@contextmanager
def _own_copy(workspace: Workspace, source: Path | bytes, file: str) -> Iterator[Path]:
    """Yield a private copy of the file, under the user's name, so that nobody changes it during the check."""
    from patchcore.files.distrust import LARGEST_FILE, check_layout

    plain = shortened(PurePosixPath(safe_name(file)).name, 100)
    with workspace.draft_folder() as draft:
        path = below(draft, Path(plain))
        try:
            if isinstance(source, bytes):
                if len(source) > LARGEST_FILE:
                    raise ArtifactError(f"{file} is larger than any inspector.")
                path.write_bytes(source)
            else:
                check_layout(source)  # before gigabytes are copied; the copy is checked once more
                shutil.copyfile(source, path, follow_symlinks=False)
        except OSError as error:
            if (fault := disk_fault(error, workspace.root)) is not None:
                raise WorkspaceUnavailable(fault, error.strerror or "") from error
            raise ArtifactError(f"{file} cannot be read: {error.strerror or error}.") from error
        yield path


def _require_inspector(workspace: Workspace, inspector_id: str) -> Inspector:
    found = find_inspector(workspace, require_id(inspector_id))
    if found is None or found.deleted is not None:
        raise WorkspaceError(f"There is no inspector {inspector_id}, or it is in the bin.")
    return found


def _settings(model: Detector, name: str, product: str, weights: Path | None) -> dict[str, Any]:
    """Return the settings as the workbench keeps them; the file holds the region of interest as a mask."""
    of_model = model.settings.to_dict()
    known = BuildSettings(name=name, method=model.method).to_dict()
    taken = {key: of_model[key] for key in known.keys() & of_model.keys()}
    share = model.size.share if SHARE in model.capabilities else None
    path = None if weights is None else str(weights)
    return {**known, **taken, "name": name, "product": product, "share": share, "weights": path}


def _measured(
    workspace: Workspace, model: Detector, about: About, header: dict[str, Any], file: str
) -> dict[str, Any]:
    told = {key: getattr(about, key) for key in ("version", "made_by", "made_at")}
    measured: dict[str, Any] = {
        "job": None,
        "total_patches": model.size.patches,
        IMPORTED: {
            "file": file[:LONGEST_NAME],
            "built": header["created"],
            "libraries": header["libraries"],
            **told,
        },
    }
    records, taught = model.image_records_, set(model.taught_)
    if not _all_stored(workspace, [record.sha256 for record in records]):
        measured[ELSEWHERE] = [[one.sha256, one.name, one.sha256 in taught] for one in records]
    return measured


def _all_stored(workspace: Workspace, sha256s: list[str]) -> bool:
    """Whether this workspace has the good images, as after an import back into the original workspace."""
    with workspace.database.read() as session:
        for start in range(0, len(sha256s), AT_ONCE):
            some = sha256s[start : start + AT_ONCE]
            found = session.query(Image.sha256).where(Image.sha256.in_(some)).count()
            if found < len(set(some)):
                return False
    return True


def _why(model: Detector, about: About) -> str:
    """Return the origin of the operating point, as a sentence."""
    if model.operating_point_ is None or model.operating_point_.stale:
        return "Set from the good images alone: the file had no threshold in force."
    return f"As in the file{f', version {about.version}' if about.version else ''}."


def _picture(workspace: Workspace, model: Detector, about: About) -> str | None:
    """Store the picture from the file, unless the good image itself is here."""
    if about.picture is None:
        return None
    if _all_stored(workspace, [model.image_records_[0].sha256]):
        return model.image_records_[0].sha256
    return workspace.store_image(_png(about.picture), "picture.png").sha256


def _png(picture: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()
