"""The work of an inspector in a few numbers: its latest parts, what people found wrong, and its last evaluation."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from patchcore.thresholds.verdict_counts import VerdictCounts, count_verdicts, error_of
from workbench.inspections.history_query import Counts
from workbench.storage.tables import EVALUATION, GOOD, PRODUCTION, BatchImage, Inspection, InspectorVersion
from workbench.storage.workspace import Workspace

LATEST = 100  # parts


@dataclass(frozen=True)
class Summary:
    """The work of an inspector.

    Attributes
    ----------
    latest
        The verdicts on its latest `LATEST` parts of production.
    false_rejects, escapes
        How many of these a person called fine though rejected, or a defect though accepted.
    undecided
        Parts of production that were sent to review, on which nobody has decided.
    last
        The time of its last verdict, on production or not; None before the first.
    evaluated
        The latest verdicts of the version in use on its labelled evaluation images, each picture once in however many
        sets it lies; None without any.
    """

    latest: Counts
    false_rejects: int
    escapes: int
    undecided: int
    last: datetime | None
    evaluated: VerdictCounts | None


def summarise(workspace: Workspace, version: InspectorVersion) -> Summary:
    """Return the work of the inspector of a version in use."""
    own = Inspection.inspector_id == version.inspector_id
    parts = select(Inspection.verdict, Inspection.decision).where(own, Inspection.purpose == PRODUCTION)
    parts = parts.order_by(Inspection.created.desc(), Inspection.id.desc()).limit(LATEST)
    waiting = select(func.count()).where(
        own,
        Inspection.purpose == PRODUCTION,
        Inspection.verdict == "review",
        Inspection.decision.is_(None),
    )
    known = (
        select(BatchImage.sha256, BatchImage.truth, Inspection.verdict)
        .join(BatchImage, BatchImage.id == Inspection.batch_image_id)
        .where(
            Inspection.version_id == version.id,
            Inspection.purpose == EVALUATION,
            BatchImage.truth.is_not(None),
        )
        .order_by(Inspection.created, Inspection.id)
    )
    with workspace.database.read() as session:
        latest = session.execute(parts).all()
        undecided = session.scalar(waiting) or 0
        last = session.scalar(select(func.max(Inspection.created)).where(own))
        labelled = {sha256: (truth, verdict) for sha256, truth, verdict in session.execute(known)}
    verdicts = [row.verdict or "none" for row in latest]
    errors = [error_of(row.decision == "defect" if row.decision else None, row.verdict) for row in latest]
    return Summary(
        Counts(**{name: verdicts.count(name) for name in ("accept", "review", "reject", "none")}),
        errors.count("false reject"),
        errors.count("escape"),
        undecided,
        last,
        count_verdicts((truth != GOOD, verdict) for truth, verdict in labelled.values()),
    )
