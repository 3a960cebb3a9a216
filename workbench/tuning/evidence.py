"""Evidence for a decision: leave-one-image-out scores of the good images, and labelled test images."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import select

from patchcore.thresholds.operating_point import Evidence, OperatingPoint, Verdict
from workbench.inspections.batches import find_good_batch, list_results
from workbench.inspections.picture_doubts import doubt_sentences
from workbench.inspectors.good_doubts import good_doubts
from workbench.inspectors.versions import bank_files, good_images
from workbench.storage.tables import GOOD, Batch, BatchImage, InspectorVersion, Result
from workbench.storage.workspace import Workspace
from workbench.tuning.map_peaks import StoredMap

Source = Literal["leave-one-out", "test"]
GoodSource = Literal["leave-one-out", "held-out", "both"]


@dataclass(frozen=True)
class Known:
    """One image with its score by a version.

    Attributes
    ----------
    key
        Unique among the images of the list; scoring an image again gives a new key.
    sha256, name
        SHA-256 and name of its file.
    score
        Leave-one-image-out for a good image of the bank.
    source
        "leave-one-out" for a good image of the bank, "test" for a test image.
    truth
        "good", a type of defect, or None without a label.
    result
        The stored result; None for a good image without a map so far.
    stored_map
        The stored anomaly map, where there is one.
    doubts
        Reasons in words why the picture may not show such a part.
    """

    key: str
    sha256: str
    name: str
    score: float
    source: Source
    truth: str | None
    result: Result | None = None
    stored_map: StoredMap | None = None
    doubts: tuple[str, ...] = ()

    @property
    def is_defect(self) -> bool:
        """Whether its label says that it is defective."""
        return self.truth is not None and self.truth != GOOD

    def map_peak(self, min_area: int) -> float | None:
        """Return the lowest pixel threshold at which the map has no region of `min_area` pixels.

        Computed once; None without a map, and where its file is gone or damaged.
        """
        return None if self.stored_map is None else self.stored_map.peak(min_area)


def known_images(workspace: Workspace, version: InspectorVersion, batch_id: int | None) -> list[Known]:
    """Return the good images of the bank, then the images of a batch, as far as they have a score.

    Test images with the same pixels as one in the bank are left out: compared with themselves they score nearly zero,
    which proves nothing; they are among the good images already.
    """
    tested = [] if batch_id is None else tested_images(workspace, version, batch_id)
    return [*_good(workspace, version), *tested]


def evidence_from(known: Iterable[Known], good: GoodSource, *, min_area: int = 1) -> Evidence:
    """Return the evidence for a threshold of a version, from its `known_images`.

    Parameters
    ----------
    known
        Only labelled images count: defects, and good ones where they are wanted.
    good
        The good images that count: from the bank ("leave-one-out"), from the batch ("held-out"), or both.
    min_area
        For `map_peaks`, which is empty unless the maps of all these good images are stored.
    """
    known = list(known)
    passed = good_of(known, good)
    return Evidence(
        good={one.sha256: one.score for one in passed},
        defect={one.sha256: one.score for one in known if one.is_defect},
        map_peaks=map_peaks(passed, min_area),
    )


def good_of(known: Iterable[Known], good: GoodSource) -> list[Known]:
    """Return the good images that count for a threshold."""
    wanted = {"leave-one-out": {"leave-one-out"}, "held-out": {"test"}, "both": {"leave-one-out", "test"}}
    return [one for one in known if one.truth == GOOD and one.source in wanted[good]]


def tested_images(
    workspace: Workspace, version: InspectorVersion, batch_id: int | None = None
) -> list[Known]:
    """Return the test images that a version has scored, in one batch or in all, without pictures of its bank."""
    query = select(Result).join(Result.image).join(Batch, Batch.id == BatchImage.batch_id)
    query = query.where(Result.version_id == version.id, Result.score.is_not(None), Batch.kind == "test")
    if batch_id is not None:
        query = query.where(Batch.id == batch_id)
    with workspace.database.read() as session:
        results = list(session.scalars(query.order_by(BatchImage.batch_id, BatchImage.position)))
    return tested_of(workspace, version, results)


def tested_of(workspace: Workspace, version: InspectorVersion, results: Iterable[Result]) -> list[Known]:
    """Return the same as `tested_images` from results of test batches that are read already."""
    in_bank = bank_files(workspace, version)
    return [
        _tested(workspace, result)
        for result in results
        if result.score is not None and result.image.sha256 not in in_bank
    ]


def map_peaks(known: Sequence[Known], min_area: int) -> dict[str, float]:
    """Return the map peaks of images by hash; empty where a map is missing, because a rule takes all or none."""
    if any(one.stored_map is None for one in known):
        return {}
    peaks = {one.sha256: one.map_peak(min_area) for one in known}
    found = {sha256: peak for sha256, peak in peaks.items() if peak is not None}
    return found if len(found) == len(peaks) else {}


def peak_for(workspace: Workspace, result: Result, point: OperatingPoint) -> float | None:
    """Return the map peak for a point's verdict on a scored image.

    None where the point judges by score alone, and where the map is gone or damaged.
    """
    return None if point.judge_by == "score" else _peak(workspace, result, point.min_area)


def judged(workspace: Workspace, result: Result, point: OperatingPoint) -> Verdict:
    """Judge a scored image as a point does; errors as for `OperatingPoint.verdict`.

    Where its map is gone or damaged, the score alone counts, as in the browser.
    """
    peak = peak_for(workspace, result, point)
    if peak is None:
        point = replace(point, judge_by="score")
    return point.judge_by_peak(result.score or 0.0, peak, doubtful=bool(result.doubts))


def verdict_of(known: Known, point: OperatingPoint) -> Verdict | None:
    """Judge a known image as the point says; None where its map is needed and not stored.

    Raises
    ------
    SettingsError
        The thresholds are stale.
    """
    peak = None if point.judge_by == "score" else known.map_peak(point.min_area)
    if peak is None and point.judge_by != "score":
        return None
    return point.judge_by_peak(known.score, peak, doubtful=bool(known.doubts))


def _good(workspace: Workspace, version: InspectorVersion) -> list[Known]:
    batch_id = find_good_batch(workspace, version)
    results = [] if batch_id is None else list_results(workspace, batch_id, version.id)
    by_hash = {result.image.sha256: result for result in results if result.score is not None}
    known, own_doubts = [], good_doubts(version)
    for image in good_images(workspace, version):
        score, result = version.good_scores.get(image.sha256), by_hash.get(image.sha256)
        if score is None:
            continue
        key = f"good:{image.sha256}" if result is None else result_key(result)
        place = None if result is None else stored_map(workspace, result)
        doubts = own_doubts.get(image.sha256, ())
        known.append(
            Known(key, image.sha256, image.name, score, "leave-one-out", GOOD, result, place, doubts)
        )
    return known


def _tested(workspace: Workspace, result: Result) -> Known:
    image, score = result.image, result.score
    assert score is not None  # as the query asks
    return Known(
        result_key(result),
        image.sha256,
        image.name,
        score,
        "test",
        image.truth,
        result,
        stored_map(workspace, result),
        tuple(doubt_sentences(result)),
    )


def result_key(result: Result) -> str:
    """Return a unique key of a result: the database may reuse the number of a deleted one."""
    return f"{result.id}:{result.created.timestamp()}"


def stored_map(workspace: Workspace, result: Result) -> StoredMap | None:
    """Return where the anomaly map of a result is stored; None for an image that could not be scored."""
    if result.map_path is None:
        return None
    pixels = (result.width or 0) * (result.height or 0)
    return StoredMap(workspace.root / result.map_path, result_key(result), pixels, result.image.name)


def _peak(workspace: Workspace, result: Result, min_area: int) -> float | None:
    stored = stored_map(workspace, result)
    return None if stored is None else stored.peak(min_area)
