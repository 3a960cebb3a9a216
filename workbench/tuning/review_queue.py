"""The review queue: results of all batches that wait for a person, and images called fine that may be taught."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, String, and_, cast, exists, false, func, or_, select

from patchcore.thresholds.operating_point import OperatingPoint, Verdict
from workbench.inspectors.versions import bank_files
from workbench.storage.tables import GOOD, Batch, BatchImage, Inspection, InspectorVersion, Result
from workbench.storage.workspace import Workspace
from workbench.tuning.evidence import judged, stored_map
from workbench.tuning.map_peaks import StoredMap

NO_DOUBTS = "[]"  # the column of a result without doubts


@dataclass(frozen=True)
class Queued:
    """A result that waits for a person.

    Attributes
    ----------
    result
        The result, with `.image` and its label.
    batch
        The name of its batch.
    verdict
        At the thresholds in force.
    """

    result: Result
    batch: str
    verdict: Verdict

    @property
    def disagrees(self) -> bool:
        """Whether the verdict contradicts the label."""
        return _disagrees(self.verdict, self.result.image.truth)


@dataclass(frozen=True)
class Unseen:
    """A batch with images that the version in use has not scored, so that the queue lacks them."""

    batch_id: int
    name: str
    images: int


def review_queue(workspace: Workspace, version: InspectorVersion) -> list[Queued]:
    """Return results in the review band, and results that contradict their label, as far as nobody has decided.

    The order is from the highest score to the lowest, over all batches. A decision on an image holds for every version.
    """
    point = OperatingPoint.from_dict(version.operating_point)
    queued = (
        Queued(result, name, judged(workspace, result, point))
        for result, name in _candidates(workspace, version, point)
    )
    return [one for one in queued if one.verdict == "review" or one.disagrees]


def maps_to_judge(workspace: Workspace, version: InspectorVersion) -> list[StoredMap]:
    """Return the maps that `review_queue` judges by; none where verdicts go by score alone."""
    point = OperatingPoint.from_dict(version.operating_point)
    if point.judge_by == "score":
        return []
    maps = (stored_map(workspace, result) for result, _ in _candidates(workspace, version, point))
    return [one for one in maps if one is not None]


def _candidates(
    workspace: Workspace, version: InspectorVersion, point: OperatingPoint
) -> list[tuple[Result, str]]:
    """Return the results that may wait for a person, with the names of their batches."""
    if point.stale:
        return []
    decided = exists().where(
        Inspection.batch_image_id == Result.batch_image_id, Inspection.decision.is_not(None)
    )
    query = _scored(version).where(~decided)
    if point.judge_by == "score":
        query = query.where(_waits(point))
    with workspace.database.read() as session:
        return [(result, name) for result, name in session.execute(query)]


def called_fine(workspace: Workspace, version: InspectorVersion) -> list[Result]:
    """Return images that a version would not accept, somebody called fine, and nobody has taught yet."""
    point = OperatingPoint.from_dict(version.operating_point)
    if point.stale:
        return []
    fine = exists().where(
        Inspection.batch_image_id == Result.batch_image_id,
        Inspection.version_id == version.id,
        Inspection.decision == "fine",
    )
    in_bank = bank_files(workspace, version)
    with workspace.database.read() as session:
        found = [result for result, _ in session.execute(_scored(version).where(fine))]
    by_hash = {
        result.image.sha256: result
        for result in found
        if result.image.sha256 not in in_bank and judged(workspace, result, point) != "accept"
    }
    return list(by_hash.values())


def unseen(workspace: Workspace, version: InspectorVersion) -> list[Unseen]:
    """Return the batches with images that the version in use has not scored, newest first."""
    scored = exists().where(Result.batch_image_id == BatchImage.id, Result.version_id == version.id)
    query = (
        select(Batch.id, Batch.name, func.count())
        .join(BatchImage, BatchImage.batch_id == Batch.id)
        .where(Batch.inspector_id == version.inspector_id, Batch.kind == "test", ~scored)
        .group_by(Batch.id, Batch.name)
        .order_by(Batch.id.desc())
    )
    with workspace.database.read() as session:
        return [Unseen(*row) for row in session.execute(query)]


def skipped_last(queue: Iterable[Queued], skipped: Iterable[int]) -> list[Queued]:
    """Return a queue with the skipped results, by id, at its end in the order of skipping."""
    order = {number: place for place, number in enumerate(skipped, start=1)}
    return sorted(queue, key=lambda one: order.get(one.result.id, 0))


def _scored(version: InspectorVersion) -> Select[Result, str]:
    return (
        select(Result, Batch.name)
        .join(Result.image)
        .join(Batch, Batch.id == BatchImage.batch_id)
        .where(Result.version_id == version.id, Result.score.is_not(None), Batch.kind == "test")
        .order_by(Result.score.desc(), Result.id)
    )


def _waits(point: OperatingPoint) -> ColumnElement[bool]:
    """Return the database's condition for waiting results, for verdicts by score; most results do not wait."""
    score, truth = Result.score, BatchImage.truth
    doubtful = cast(Result.doubts, String) != NO_DOUBTS  # never true for NULL
    return or_(
        and_(score > point.accept, score <= point.reject),
        and_(score > point.reject, truth == GOOD),
        and_(score <= point.accept, truth != GOOD),  # never true without a label
        and_(score <= point.accept, doubtful) if point.picture_check else false(),
    )


def _disagrees(verdict: Verdict, truth: str | None) -> bool:
    if truth is None:
        return False
    return (verdict == "reject" and truth == GOOD) or (verdict == "accept" and truth != GOOD)
