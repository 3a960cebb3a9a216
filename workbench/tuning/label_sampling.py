"""The basis of figures from a batch's labels, and the random draw of images that makes labels a sample.

The draw divides the scored images of a batch by their verdicts. Images of each verdict get a random order, and the
first of each order are to be labelled. Stratum and place are stored with each image, so that a label keeps its weight
when thresholds move, and the work goes on where it was left.
"""

import secrets
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, get_args

import numpy as np
from sqlalchemy import func, select, update

from patchcore.statistics.intervals import count
from patchcore.thresholds.label_basis import CHOSEN, Cell, LabelBasis
from patchcore.thresholds.operating_point import OperatingPoint, Verdict
from workbench.inspections.batches import list_results
from workbench.people.roles import Role, require
from workbench.storage.database import WorkspaceError, required
from workbench.storage.tables import GOOD, Batch, BatchImage, InspectorVersion, LabelChange, Result
from workbench.storage.timestamps import now
from workbench.storage.workspace import Workspace
from workbench.tuning.evidence import Known, tested_images, verdict_of

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
AT_ONCE: Mapping[Verdict, int] = {"accept": 20, "review": 10, "reject": 10}
"""Images to label at one press: most are accepted, as escapes are; the others tell how many defects are caught."""
WORDS: Mapping[Verdict, str] = {"accept": "accepted", "review": "in review", "reject": "rejected"}


@dataclass(frozen=True)
class Sampling:
    """A random draw of images to label; it is stored with its batch.

    Attributes
    ----------
    seed
        Of the random order.
    drawn_by, drawn
        The person, and the time (ISO 8601).
    sizes
        Images by their verdict at the time, labelled ones included.
    wanted
        How many images of each verdict are to be labelled, besides those labelled before.
    """

    seed: int
    drawn_by: str
    drawn: str
    sizes: Mapping[Verdict, int]
    wanted: Mapping[Verdict, int]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for the database."""
        return asdict(self)

    @classmethod
    def of(cls, batch: Batch) -> "Sampling | None":
        """Return the draw that is stored with a batch."""
        return None if batch.sampling is None else cls(**batch.sampling)


@dataclass(frozen=True)
class Drawn:
    """One image of a batch with its label, and its place in the random draw.

    Attributes
    ----------
    image_id
        The id of the batch's image.
    truth
        Its label; None without one.
    by_hand
        Whether the label was set here, on an image that came without one.
    stratum, place
        The verdict when it was drawn, and its place in that verdict's random order; None without a draw.
    """

    image_id: int
    truth: str | None
    by_hand: bool
    stratum: Verdict | None
    place: int | None


def label_basis(
    workspace: Workspace,
    version: InspectorVersion,
    batch_id: int,
    point: OperatingPoint,
    known: Iterable[Known] | None = None,
) -> LabelBasis:
    """Return how the labels of a batch came about, which says whether rates and intervals follow from them.

    Parameters
    ----------
    point
        The thresholds at which the rates are wanted.
    known
        The batch's images with their scores by the version, where they are read already.
    """
    batch, images = _batch(workspace, batch_id), _images(workspace, batch_id)
    labelled = [one for one in images if one.truth is not None]
    by_hand = sum(one.by_hand for one in labelled)
    if not by_hand:
        return LabelBasis("set", "The labels came with the images.")
    if len(labelled) == len(images) and not _images_gone(workspace, batch_id, len(images)):
        return LabelBasis("set", "Every image of the batch is labelled.")
    chosen = LabelBasis("chosen", f"{_set_by_hand(by_hand, len(labelled))} {CHOSEN}")
    sampling = Sampling.of(batch)
    if sampling is None or point.stale:
        return chosen
    tested = tested_images(workspace, version, batch_id) if known is None else known
    return _of_draw(images, sampling, _verdicts(tested, point), chosen)


def _of_draw(
    images: Sequence[Drawn], sampling: Sampling, verdicts: Mapping[int, Verdict], chosen: LabelBasis
) -> LabelBasis:
    """Return the basis of labels of a batch that images were drawn from; `chosen` where the draw gives none."""
    frame = [one for one in images if one.stratum is not None]
    if len(frame) < sum(sampling.sizes.values()):
        return replace(
            chosen, sentence=f"{chosen.sentence} Images of the random draw were deleted; draw again."
        )
    frame = [one for one in frame if one.image_id in verdicts]
    sampled = _sampled(frame, sampling)
    if not any(one.stratum == "accept" and one.place is not None for one in sampled):
        return replace(
            chosen, sentence=f"{chosen.sentence} None of the images drawn at random is labelled yet."
        )
    return LabelBasis("sample", _sample_words(frame, sampled), _cells(frame, sampled, verdicts))


def draw_sample(
    workspace: Workspace,
    version: InspectorVersion,
    batch_id: int,
    shown: Sampling | None,
    seed: int | None = None,
) -> None:
    """Draw images of a batch at random, to be labelled; where a draw is there, more of it are wanted.

    A new draw is made where the first is used up, or where images came in or went since.

    Parameters
    ----------
    version
        Its scores and the thresholds in force divide the images.
    shown
        The draw as the person saw it. Where another one is stored, somebody was quicker, and nothing is done.
    seed
        Of the random order; None: a new one.

    Raises
    ------
    WorkspaceError
        No image of the batch has a verdict.
    SettingsError
        The thresholds are out of date.
    """
    person = require(Role.OPERATE, "label images")
    point = OperatingPoint.from_dict(version.operating_point)
    strata = _verdicts(tested_images(workspace, version, batch_id), point)
    if not strata:
        raise WorkspaceError("No image of this batch has a verdict to draw by; have them inspected first.")
    images = [one for one in _images(workspace, batch_id) if one.image_id in strata]
    with workspace.database.write() as session:
        batch = session.get_one(Batch, batch_id)
        present = Sampling.of(batch)
        if present != shown:
            return
        if present is not None and (more := _more_of(present, images)) is not None:
            batch.sampling = more.to_dict()
            return
        places = _random_places(images, strata, seed := secrets.randbelow(1 << 31) if seed is None else seed)
        session.execute(
            update(BatchImage).where(BatchImage.batch_id == batch_id).values(stratum=None, draw_place=None)
        )
        session.execute(
            update(BatchImage),
            [
                {"id": one.image_id, "stratum": strata[one.image_id], "draw_place": places.get(one.image_id)}
                for one in images
            ],
        )
        sizes = Counter(strata[one.image_id] for one in images)
        batch.sampling = Sampling(
            seed,
            person.name,
            now().isoformat(timespec="seconds"),
            {verdict: sizes[verdict] for verdict in VERDICTS},
            dict(AT_ONCE),
        ).to_dict()


def sampling_of(workspace: Workspace, batch_id: int) -> Sampling | None:
    """Return the draw that is stored with a batch."""
    return Sampling.of(_batch(workspace, batch_id))


def left_to_label(workspace: Workspace, version: InspectorVersion, batch_id: int) -> list[Result]:
    """Return the results of the drawn images that wait for a label: accepted ones first, each verdict in its order."""
    sampling = sampling_of(workspace, batch_id)
    if sampling is None:
        return []
    waiting = {
        one.image_id: (VERDICTS.index(one.stratum), one.place)
        for one in _images(workspace, batch_id)
        if one.stratum is not None and one.place is not None and one.truth is None
        if one.place < sampling.wanted[one.stratum]
    }
    results = list_results(workspace, batch_id, version.id) if waiting else []
    found = [one for one in results if one.batch_image_id in waiting and one.score is not None]
    return sorted(found, key=lambda one: waiting[one.batch_image_id])


def _verdicts(tested: Iterable[Known], point: OperatingPoint) -> dict[int, Verdict]:
    """Return the verdicts of a batch's images by their ids."""
    return {
        one.result.batch_image_id: verdict
        for one in tested
        if one.result is not None and (verdict := verdict_of(one, point)) is not None
    }


def _batch(workspace: Workspace, batch_id: int) -> Batch:
    with workspace.database.read() as session:
        return required(session, Batch, batch_id, f"There is no batch {batch_id}.")


def _images(workspace: Workspace, batch_id: int) -> list[Drawn]:
    """Return the images of a batch in its order."""
    first = (
        select(func.min(LabelChange.id))
        .join(BatchImage, BatchImage.id == LabelChange.batch_image_id)
        .where(BatchImage.batch_id == batch_id)
        .group_by(LabelChange.batch_image_id)
    )
    came_without = select(LabelChange.batch_image_id).where(
        LabelChange.id.in_(first), LabelChange.before.is_(None)
    )
    query = (
        select(BatchImage.id, BatchImage.truth, BatchImage.stratum, BatchImage.draw_place)
        .where(BatchImage.batch_id == batch_id)
        .order_by(BatchImage.position)
    )
    with workspace.database.read() as session:
        by_hand = set(session.scalars(came_without))
        rows = session.execute(query).all()
    return [Drawn(row.id, row.truth, row.id in by_hand, row.stratum, row.draw_place) for row in rows]


def _images_gone(workspace: Workspace, batch_id: int, images: int) -> bool:
    """Whether images of a batch were deleted: old ones without a label are, and those that stay are no whole batch."""
    with workspace.database.read() as session:
        last = session.scalar(select(func.max(BatchImage.position)).where(BatchImage.batch_id == batch_id))
    return last is not None and last + 1 > images


def _more_of(present: Sampling, images: Sequence[Drawn]) -> Sampling | None:
    """Return a draw with more images wanted; None where a new draw is needed."""
    sizes = Counter(one.stratum for one in images if one.stratum is not None)
    if any(one.stratum is None for one in images) or any(
        sizes[name] != present.sizes[name] for name in VERDICTS
    ):
        return None
    last = dict.fromkeys(VERDICTS, 0)
    for one in images:
        if one.stratum is not None and one.place is not None:
            last[one.stratum] = max(last[one.stratum], one.place + 1)
    if last["accept"] <= present.wanted["accept"]:
        return None
    return replace(present, wanted={name: present.wanted[name] + AT_ONCE[name] for name in VERDICTS})


def _random_places(images: Sequence[Drawn], strata: Mapping[int, Verdict], seed: int) -> dict[int, int]:
    """Return the place of each image without a label in the random order of its stratum."""
    rng, places = np.random.default_rng(seed), dict[int, int]()
    for name in VERDICTS:
        ids = [one.image_id for one in images if strata[one.image_id] == name and one.truth is None]
        places |= {ids[number]: place for place, number in enumerate(rng.permutation(len(ids)).tolist())}
    return places


def _sampled(frame: Sequence[Drawn], sampling: Sampling) -> list[Drawn]:
    """Return the labelled images that are a sample: those labelled before the draw, and the beginning of each order.

    An order counts up to its first image without a label, since a person may skip what is hard to tell.
    """
    ends: dict[Verdict, int] = dict(sampling.wanted)
    for one in frame:
        if one.stratum is not None and one.place is not None and one.truth is None:
            ends[one.stratum] = min(ends[one.stratum], one.place)
    return [
        one
        for one in frame
        if one.truth is not None
        and one.stratum is not None
        and (one.place is None or one.place < ends[one.stratum])
    ]


def _cells(
    frame: Sequence[Drawn], sampled: Sequence[Drawn], verdicts: Mapping[int, Verdict]
) -> tuple[Cell, ...]:
    """Count the images of each stratum by their verdict now; images labelled before the draw stand for themselves."""

    def key(one: Drawn) -> tuple[Verdict | None, bool, Verdict]:
        return one.stratum, one.place is None, verdicts[one.image_id]

    # An image labelled before the draw whose label was taken back since stands for nothing.
    sizes = Counter(key(one) for one in frame if one.place is not None or one.truth is not None)
    counts = Counter(key(one) for one in sampled)
    defects = Counter(key(one) for one in sampled if one.truth != GOOD)
    return tuple(
        Cell(verdict, size, counts[stratum, before, verdict], defects[stratum, before, verdict])
        for (stratum, before, verdict), size in sizes.items()
    )


def _sample_words(frame: Sequence[Drawn], sampled: Sequence[Drawn]) -> str:
    """Return in a sentence how many images were drawn from how many."""
    drawn = Counter(one.stratum for one in sampled if one.place is not None)
    open_to_draw = Counter(one.stratum for one in frame if one.place is not None)
    parts = [
        f"{drawn[name]:,} of {open_to_draw[name]:,} {WORDS[name]}" for name in VERDICTS if open_to_draw[name]
    ]
    before = sum(one.place is None for one in sampled)
    also = f", and from {count(before, 'image')} labelled before" if before else ""
    return f"Estimated from images drawn at random: {', '.join(parts)}{also}."


def _set_by_hand(by_hand: int, labelled: int) -> str:
    if by_hand == labelled:
        return f"{count(by_hand, 'image')} {'was' if by_hand == 1 else 'were'} labelled one by one."
    return f"{by_hand:,} of {count(labelled, 'label')} {'was' if by_hand == 1 else 'were'} set one by one."
