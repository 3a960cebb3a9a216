"""Queries of the history: filters, pages of rows, counts and an even sample."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, func, or_, select, tuple_
from sqlalchemy.orm import defer

from patchcore.thresholds.operating_point import Verdict
from workbench.inspections.history import Decision, Source
from workbench.inspections.purpose import Purpose
from workbench.storage.tables import EVALUATION, GOOD, PRODUCTION, BatchImage, Inspection
from workbench.storage.workspace import Workspace

PAGE_SIZE = 25
SAMPLED = 1_500  # points that a chart can show apart
AT_ONCE = 2_000  # rows in memory while all are gone through

UNJUDGED: Literal["none"] = "none"
Wanted = Verdict | Literal["none"]


def _labelled(label: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether nobody has decided on the verdict, and its image has such a label."""
    images = select(BatchImage.id).where(BatchImage.truth.is_not(None), label)
    return and_(Inspection.decision.is_(None), Inspection.batch_image_id.in_(images))


# As `is_defect` below and `patchcore.thresholds.verdict_counts.error_of` say it of a row.
IS_DISAGREEMENT = or_(
    and_(
        Inspection.verdict == "reject",
        or_(Inspection.decision == "fine", _labelled(BatchImage.truth == GOOD)),
    ),
    and_(
        Inspection.verdict == "accept",
        or_(Inspection.decision == "defect", _labelled(BatchImage.truth != GOOD)),
    ),
)


@dataclass(frozen=True)
class Filter:
    """A choice of inspections; a field that is None or empty leaves all in.

    Attributes
    ----------
    inspector_id, version_id
        The inspector and the version that judged.
    verdicts
        "none" stands for images that could not be scored or judged.
    decision
        "fine", "defect", or "none" where nobody has decided.
    text
        Part of the image's name, in capitals or small letters.
    since, until
        Times of scoring; the first included, the second not.
    lowest, highest
        Scores, both included.
    source, operator
        The way the image came, and the person who brought it.
    disagreements
        Only where a person's decision, else the image's label, says otherwise: good though rejected, a defect though
        accepted.
    purpose
        "production" leaves out the verdicts on evaluation sets, "evaluation" leaves those alone.
    """

    inspector_id: str | None = None
    version_id: int | None = None
    verdicts: tuple[Wanted, ...] = ()
    decision: Decision | Literal["none"] | None = None
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    lowest: float | None = None
    highest: float | None = None
    source: Source | None = None
    operator: str | None = None
    disagreements: bool = False
    purpose: Purpose | None = None

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """Yield the conditions that a row must fulfil."""
        equal = {"inspector_id": self.inspector_id, "version_id": self.version_id, "source": self.source}
        for name, value in (equal | {"operator": self.operator, "purpose": self.purpose}).items():
            if value is not None:
                yield getattr(Inspection, name) == value
        if self.verdicts:
            judged = Inspection.verdict.in_(self.verdicts)
            yield or_(judged, Inspection.verdict.is_(None)) if UNJUDGED in self.verdicts else judged
        if self.decision is not None:
            undecided = self.decision == UNJUDGED
            yield Inspection.decision.is_(None) if undecided else Inspection.decision == self.decision
        if self.text.strip():
            yield Inspection.name.icontains(self.text.strip(), autoescape=True)
        if self.since is not None:
            yield Inspection.created >= self.since
        if self.until is not None:
            yield Inspection.created < self.until
        if self.lowest is not None:
            yield Inspection.score >= self.lowest
        if self.highest is not None:
            yield Inspection.score <= self.highest
        if self.disagreements:
            yield IS_DISAGREEMENT


@dataclass(frozen=True)
class Counts:
    """How many inspections there are, by verdict."""

    accept: int = 0
    review: int = 0
    reject: int = 0
    none: int = 0

    @property
    def total(self) -> int:
        """The number of all inspections."""
        return self.accept + self.review + self.reject + self.none


@dataclass(frozen=True)
class Page:
    """Rows of the history, newest first, and whether there are others on either side."""

    rows: list[Inspection]
    newer: bool
    older: bool


@dataclass(frozen=True)
class Sample:
    """Every `step`-th scored inspection, oldest first: id, created, score, verdict, accept, reject."""

    rows: list[Any]
    step: int


Place = tuple[datetime, int]  # of a row in the order of the history


def place_of(row: Any) -> Place:
    """Return the place of a row."""
    return row.created, row.id


def read_page(
    workspace: Workspace,
    wanted: Filter,
    *,
    after: Place | None = None,
    before: Place | None = None,
    size: int = PAGE_SIZE,
) -> Page:
    """Return one page: the newest rows, those older than a place (`after` it), or those newer (`before` it).

    Pages are found by their first row rather than by counting, so that rows which arrive meanwhile shift nothing
    and a page deep in the past comes as fast as the first. `Inspection.regions` is not loaded.
    """
    place = tuple_(Inspection.created, Inspection.id)
    query = select(Inspection).where(*wanted.conditions())
    query = query.options(defer(Inspection.regions)).limit(size + 1)
    if before is not None:
        query = query.where(place > before).order_by(Inspection.created, Inspection.id)
    else:
        query = query.order_by(Inspection.created.desc(), Inspection.id.desc())
        if after is not None:
            query = query.where(place < after)
    with workspace.database.read() as session:
        found = list(session.scalars(query))
    more, rows = len(found) > size, found[:size]
    if before is not None:
        return Page(rows[::-1], newer=more, older=True)
    return Page(rows, newer=after is not None, older=more)


def count(workspace: Workspace, wanted: Filter) -> Counts:
    """Count by verdict."""
    query = select(Inspection.verdict, func.count()).where(*wanted.conditions()).group_by(Inspection.verdict)
    with workspace.database.read() as session:
        return Counts(**{verdict or UNJUDGED: number for verdict, number in session.execute(query)})


def sample(workspace: Workspace, wanted: Filter, total: int, most: int = SAMPLED) -> Sample:
    """Return scores spread evenly over the filtered rows, so that a chart of any span draws as many points.

    Parameters
    ----------
    total
        The number of filtered rows, from `count`.
    """
    step = 1
    while total // step > most:
        step *= 2
    columns = select(
        Inspection.id,
        Inspection.created,
        Inspection.score,
        Inspection.verdict,
        Inspection.accept,
        Inspection.reject,
    )
    query = columns.where(*wanted.conditions(), Inspection.score.is_not(None))
    if step > 1:
        query = query.where(Inspection.id % step == 0)
    with workspace.database.read() as session:
        found = session.execute(
            query.order_by(Inspection.created.desc(), Inspection.id.desc()).limit(2 * most)
        )
        return Sample(list(found)[::-1], step)


def read_pieces(workspace: Workspace, wanted: Filter, size: int = AT_ONCE) -> Iterator[Sequence[Any]]:
    """Yield all rows with the columns of `Inspection`, newest first, so many at a time."""
    place, last = tuple_(Inspection.created, Inspection.id), None
    while True:
        some = select(*Inspection.__table__.columns).where(*wanted.conditions())
        if last is not None:
            some = some.where(place < last)
        some = some.order_by(Inspection.created.desc(), Inspection.id.desc()).limit(size)
        with workspace.database.read() as session:
            rows = session.execute(some).all()
        if rows:
            yield rows
        if len(rows) < size:
            return
        last = place_of(rows[-1])


def is_defect(workspace: Workspace, rows: Sequence[Inspection]) -> dict[int, bool]:
    """Return what is known of the inspected parts, by id of the inspection; unknown ones are left out.

    A person's decision on the verdict counts, else the label of the image while it is kept.
    """
    images = [row.batch_image_id for row in rows if row.batch_image_id is not None]
    query = select(BatchImage.id, BatchImage.truth).where(
        BatchImage.id.in_(images), BatchImage.truth.is_not(None)
    )
    with workspace.database.read() as session:
        labels = {image: truth != GOOD for image, truth in session.execute(query)}
    decided = {row.id: row.decision == "defect" for row in rows if row.decision is not None}
    return {row.id: labels[row.batch_image_id] for row in rows if row.batch_image_id in labels} | decided


def kept_since(workspace: Workspace) -> datetime | None:
    """Return the time of the oldest stored verdict; None without any."""
    with workspace.database.read() as session:
        return session.scalar(select(func.min(Inspection.created)))


def usual_purpose(workspace: Workspace, inspector_id: str | None) -> Purpose:
    """Return the purpose that the history of an inspector, or of all, shows at first.

    Production, but for an inspector that has judged nothing but evaluation sets, as the samples have.
    """
    rows = Filter(inspector_id=inspector_id, purpose=PRODUCTION).conditions()
    with workspace.database.read() as session:
        found = session.scalar(select(Inspection.id).where(*rows).limit(1))
    return EVALUATION if found is None else PRODUCTION


def operators(workspace: Workspace) -> list[str]:
    """Return the people in whose names images were scored, in order."""
    names: list[str] = []
    with workspace.database.read() as session:  # each is found by one step along the index
        name = session.scalar(select(func.min(Inspection.operator)))
        while name is not None:
            names.append(name)
            name = session.scalar(select(func.min(Inspection.operator)).where(Inspection.operator > name))
    return names


def inspectors(workspace: Workspace) -> dict[str, str]:
    """Return the inspectors that have a history: id and the name they were last called by."""
    latest = select(func.max(Inspection.id)).group_by(Inspection.inspector_id)
    query = select(Inspection.inspector_id, Inspection.inspector_name).where(Inspection.id.in_(latest))
    with workspace.database.read() as session:
        found = session.execute(query.where(Inspection.inspector_id.is_not(None)))
        return dict(sorted(((str(row[0]), row[1]) for row in found), key=lambda pair: pair[1].casefold()))
