"""The certificate of a version, from stored rows and files; its self-test is repeated now."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from patchcore.errors import PatchCoreError
from workbench.evaluation.measures import evaluation_of
from workbench.inspections.batches import count_unscored, load_pixels, value_range_of
from workbench.inspections.labels import labelled_sets
from workbench.inspectors.exporting import model_of
from workbench.inspectors.importing import IMPORTED
from workbench.inspectors.timeline import WORDS, Entry, timeline
from workbench.inspectors.versions import good_images
from workbench.people.roles import current
from workbench.storage.tables import Inspector
from workbench.storage.workspace import Workspace

if TYPE_CHECKING:
    from patchcore.evaluation.measures import Evaluation


def certificate_of(workspace: Workspace, inspector: Inspector, entry: Entry) -> str:
    """Return the certificate of a state of an inspector, as one self-contained HTML document.

    It holds the measures on every labelled set that this version has scored completely.

    Raises
    ------
    WorkspaceError
        The state's thresholds are not of the bank that its version has now.
    ArtifactError, WeightsError
        The inspector cannot be loaded.
    """
    from patchcore.files import container  # late: PyTorch and Matplotlib come with them
    from patchcore.files.saved import library_versions
    from patchcore.reports.certificate import Certificate, Change, GoodImage, render_certificate
    from patchcore.reports.inspector_facts import inspector_facts

    version = entry.version
    model, path = model_of(workspace, entry), workspace.root / version.path
    header = container.read_header(path)
    came: dict[str, Any] = version.numbers.get(IMPORTED, {})
    with path.open("rb") as file:
        file_sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    certificate = Certificate(
        inspector=inspector.name,
        product=inspector.product,
        version=entry.number,
        facts=inspector_facts(model),
        good_images=[
            GoodImage(image.name, image.sha256, bool(image.taught))
            for image in good_images(workspace, version)
        ],
        file_sha256=file_sha256,
        point=entry.point,
        self_test=model.self_test_again(),
        measured=list(_measured(workspace, inspector, entry)),
        built_with=came.get("libraries") or header["libraries"],
        repeated_with=library_versions(),
        history=[
            Change(
                one.number,
                WORDS.get(one.what, one.what),
                one.note,
                one.made_by,
                one.created.isoformat(timespec="minutes"),
                one.point.reject,
                certified=one.number == entry.number,
            )
            for one in timeline(workspace, inspector.id)
        ],
        author=current().name,
        note=entry.note,
        picture=_picture(workspace, entry),
    )
    document: str = render_certificate(certificate)
    return document


def _measured(workspace: Workspace, inspector: Inspector, entry: Entry) -> Iterator[tuple[str, Evaluation]]:
    version = entry.as_version()
    for batch in labelled_sets(workspace, inspector.id):
        if count_unscored(workspace, batch.id, version.id) == 0:
            try:
                yield batch.name, evaluation_of(workspace, batch.id, version)
            except PatchCoreError:
                continue  # none of its labelled images has a score: nothing was measured


def _picture(workspace: Workspace, entry: Entry) -> Any:
    sha256 = entry.version.thumbnail_sha256
    if sha256 is None:
        return None
    try:
        return load_pixels(workspace, sha256, value_range_of(entry.version))
    except PatchCoreError:
        return None  # its file was taken away
