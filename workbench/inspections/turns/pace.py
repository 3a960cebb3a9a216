"""The pace of scoring: seconds of an image on this machine, measured, for the time left and before a start."""

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median

from sqlalchemy import select

from workbench.storage.tables import Batch, BatchImage, Result
from workbench.storage.workspace import Workspace

LATEST = 40  # images that a pace is measured on
ENOUGH = 3  # images
PAUSE = 3.0  # times the median: a longer gap is a pause, or the first image after a start
STORING = 1.3  # times the scoring itself: map, tile and overlay are written as well


class Pace:
    """The pace of one batch and version, from the images that were scored last."""

    def __init__(self) -> None:
        self._latest: deque[float] = deque(maxlen=LATEST)

    def note(self, seconds: float) -> None:
        """Take an image's time in, all of it: reading, scoring, storing."""
        self._latest.append(seconds)

    @property
    def seconds(self) -> float | None:
        """Seconds of an image; None as long as too few were scored."""
        return typical(self._latest) if len(self._latest) >= ENOUGH else None


def typical(seconds: Iterable[float]) -> float:
    """Return the mean of some times without those that are pauses."""
    all_of_them = list(seconds)
    limit = PAUSE * median(all_of_them)
    short = [one for one in all_of_them if one <= limit]
    return sum(short) / len(short)


def stored_pace(workspace: Workspace, batch_id: int, version_id: int) -> float | None:
    """Return the seconds of an image from the latest results of a version, of this batch where there are enough.

    Results of one batch follow each other as fast as they are scored, so their gaps hold the storing too. Watched
    folders do not count: their results follow each other as the parts arrive. None for a version that has scored
    nothing.
    """
    query = (
        select(Result.created, Result.seconds, BatchImage.batch_id)
        .join(BatchImage, BatchImage.id == Result.batch_image_id)
        .join(Batch, Batch.id == BatchImage.batch_id)
        .where(Result.version_id == version_id, Batch.watch_id.is_(None), Result.seconds.is_not(None))
        .order_by(Result.id.desc())
        .limit(LATEST + 1)
    )
    with workspace.database.read() as session:
        for some in (query.where(BatchImage.batch_id == batch_id), query):
            rows = [tuple(row) for row in session.execute(some)]
            if len(rows) >= ENOUGH:
                return _from_rows(rows)
    return None


def _from_rows(rows: Sequence[tuple]) -> float:  # type: ignore[type-arg]
    """Return seconds of an image from rows of (time, seconds of the scoring, batch), the latest first."""
    gaps = [
        (after[0] - before[0]).total_seconds() for after, before in pairwise(rows) if after[2] == before[2]
    ]
    scoring = typical(row[1] for row in rows)
    if len(gaps) < ENOUGH:
        return STORING * scoring
    return max(scoring, typical(gaps))
