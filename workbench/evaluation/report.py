"""The report of an inspector on a labelled set, from stored scores and maps; the network is not run."""

from typing import Any

from workbench.evaluation.measures import evaluation_of
from workbench.evaluation.sweep import latest_sweep
from workbench.inspections.batches import load_pixels, value_range_of
from workbench.inspections.labelled_sets import Reading
from workbench.inspectors.versions import find_inspector, load_model
from workbench.storage.database import WorkspaceError
from workbench.storage.tables import Batch, InspectorVersion
from workbench.storage.workspace import Workspace

FLAT = ("share", "rows", "megabytes", "cover_radius", "milliseconds", "threshold")


def report_of(
    workspace: Workspace,
    version: InspectorVersion,
    batch_id: int,
    author: str,
    note: str,
) -> str:
    """Return the report as one self-contained HTML document.

    It holds the table of bank sizes where `sweep.start_sweep` has measured them on this batch.

    Parameters
    ----------
    author, note
        The person who makes the report, and their remark.

    Raises
    ------
    NoImagesError
        When nothing labelled has been scored.
    WorkspaceError
        There is no such batch.
    """
    from patchcore.reports.document import (
        Report,
        render_report,
    )  # late: PyTorch and Matplotlib come with them
    from patchcore.reports.inspector_facts import inspector_facts

    with workspace.database.read() as session:
        batch = session.get(Batch, batch_id)
    inspector = find_inspector(workspace, version.inspector_id)
    if batch is None or inspector is None:
        raise WorkspaceError(f"There is no batch {batch_id} of {version.inspector_id}.")
    model = load_model(workspace, version)
    picture = version.thumbnail_sha256
    evaluation, reading = evaluation_of(workspace, batch_id, version), Reading.of(batch)
    evaluation.problems[:0] = reading.problems
    report = Report(
        evaluation,
        product=inspector.name,
        author=author,
        note=note,
        test_set=batch.name,
        labels=f"{reading.labels} {evaluation.basis.sentence}".strip(),
        facts=inspector_facts(model),
        good_images=len(model.image_records_),
        good_scores=list(version.good_scores.values()),
        good_picture=None if picture is None else load_pixels(workspace, picture, value_range_of(version)),
        left_out=[f"{one['name']}: {one['reason']}" for one in version.numbers.get("skipped", [])],
        sweep=[_flat(point) for point in latest_sweep(workspace, version, batch_id) or []],
        share=version.share,
    )
    page: str = render_report(report)
    return page


def _flat(point: dict[str, Any]) -> dict[str, Any]:
    """Return a row of the report's table from `SharePoint.to_dict()`."""
    metrics = {
        "image_auroc": point["image"]["auroc"],
        "pixel_auroc": point["pixels"]["auroc"],
        "aupro": point["pixels"]["aupro"],
    }
    return {name: point[name] for name in FLAT} | metrics
