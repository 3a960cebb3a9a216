"""The page Inspect for one batch: threshold, gallery and detail, redrawn while results come in."""

import io
from collections.abc import Sequence
from html import escape

import streamlit as st

from patchcore.images.remarks import grouped
from patchcore.thresholds.operating_point import OperatingPoint, Verdict
from workbench.inspections.background_scorer import ScoringState
from workbench.inspections.batches import find_tile, list_results
from workbench.inspections.exports import results_csv, write_overlays
from workbench.inspections.picture_doubts import doubt_sentences
from workbench.inspections.turns.rows import Amount, amount, is_worth_another_try
from workbench.inspectors.good_doubts import good_doubts
from workbench.inspectors.versions import good_images
from workbench.people.roles import Role
from workbench.storage.tables import Batch, InspectorVersion, Result
from workbench.storage.workspace import Workspace
from workbench.tuning.evidence import judged, peak_for, result_key, stored_map
from workbench.viewer import Dot, Tile, gallery
from workbench.viewer.items import label_of
from workbench.watching.standing import count_images, is_watched
from workbench.widgets.inspect import threshold_bar
from workbench.widgets.review import decision_bar
from workbench.widgets.shared import (
    access,
    detail_view,
    downloads,
    notice,
    progress,
    session,
    theme,
    wording,
)
from workbench.widgets.shared.scoring import bar

POLL_SECONDS = 1.0
ARRIVALS_SECONDS = 2.0
SCORING = bar.Purpose(why="Results appear as they are computed.", deletable=True)
TALL, ONE_ROW = 640, 262  # pixels of the gallery: alone, and above a detail


def show(batch: Batch, version: InspectorVersion) -> None:
    """Draw a batch; images without a score are scored in the background meanwhile."""

    @session.fragment()
    def follow() -> None:
        _draw(batch, version)

    follow()


def _draw(batch: Batch, version: InspectorVersion) -> None:
    here = session.workspace()
    standing = _standing(batch, version)  # before all that is drawn, so that nothing moves on unnoticed
    state = bar.show([batch.id], version, "scoring_batch", SCORING)
    results = list_results(here, batch.id, version.id)
    point = threshold_bar.trial_point(version)
    with st.container(horizontal=True, vertical_alignment="center", key="tools"):
        threshold_bar.show(version)
        st.space("stretch")
        _downloads(results, point)
    if point.judge_by != "score":
        maps = [stored_map(here, result) for result in results]
        if progress.wait_for_regions(maps, point.min_area):
            return
    with st.container(key="batch_notices"):
        _notices(batch, version, results)
    chosen = session.chosen_number("image")
    opened = next((result for result in results if result.id == chosen and result.score is not None), None)
    _gallery(results, version, point, ONE_ROW if opened is not None else TALL)
    if opened is not None:
        with st.container(border=False, key="detail_place"):
            detail_view.look(opened, version, threshold_bar.in_view(version), point)
        decision_bar.show(opened, version, _verdict(opened, version))
    if state == "waiting":
        _wait_for_more(batch, version, standing)
    elif is_watched(here, batch):
        _look_for_more(batch, len(results))


def _gallery(
    results: Sequence[Result], version: InspectorVersion, point: OperatingPoint, height: int
) -> None:
    here = session.workspace()
    gallery(
        [tile_of(here, result, point) for result in results if result.score is not None],
        threshold_bar.in_view(version),
        key="gallery",
        link="inspect",
        reference=good_dots(here, version),
        pixel_threshold=point.pixel,
        min_area=point.min_area,
        judge_by=point.judge_by,
        picture_check=point.picture_check,
        height=height,
        on_thresholds=threshold_bar.try_out,
        on_opened=lambda key: session.choose("image", int(key.split(":")[0])),
        on_closed=lambda: session.forget("image"),
    )


def good_dots(here: Workspace, version: InspectorVersion) -> list[Dot]:
    """Return the good images of a version as dots, each scored without itself."""
    names = {image.sha256: image.name for image in good_images(here, version)}
    doubts = good_doubts(version)
    return [
        Dot(
            f"good:{sha256}",
            names.get(sha256, "good image"),
            score,
            "reference",
            doubts=doubts.get(sha256, ()),
        )
        for sha256, score in version.good_scores.items()
    ]


def tile_of(here: Workspace, result: Result, point: OperatingPoint) -> Tile:
    """Return a scored result as a tile of the gallery, with the map peak if the point's verdict takes it."""
    name, truth = result.image.name, result.image.truth
    named = truth is None or name.startswith(f"{truth}/")  # in MVTec's layout the name says it already
    return Tile(
        result_key(result),
        name,
        result.score or 0.0,
        find_tile(here, result),
        label=label_of(result.image.truth),
        truth=None if named else str(truth).replace("_", " "),
        peak=peak_for(here, result, point),
        doubts=doubt_sentences(result),
        worst_box=result.worst_box,
    )


def _verdict(result: Result, version: InspectorVersion) -> Verdict | None:
    """Judge a result by the thresholds in force, not by those on trial."""
    point = OperatingPoint.from_dict(version.operating_point)
    return None if point.stale else judged(session.workspace(), result, point)


def _standing(batch: Batch, version: InspectorVersion) -> tuple[Amount, ScoringState]:
    """Return how far a version is with the batch, and its place in the queue."""
    work = (batch.id, version.id)
    return amount(session.workspace(), [work]), session.scorer().state(*work)


def _wait_for_more(batch: Batch, version: InspectorVersion, drawn: tuple[Amount, ScoringState]) -> None:
    """Redraw the page when the scoring has moved on.

    The run that draws the page ends before: only a run that ends takes from the browser the elements that it has not
    drawn, such as the question whether to delete the batch.
    """

    @session.fragment(run_every=POLL_SECONDS)
    def look() -> None:
        with session.plain_errors():
            if _standing(batch, version) != drawn:
                st.rerun()

    look()


def _look_for_more(batch: Batch, drawn: int) -> None:
    """Redraw the page when a watched folder has brought more images."""

    @session.fragment(run_every=ARRIVALS_SECONDS)
    def look() -> None:
        with session.plain_errors():
            if count_images(session.workspace(), batch.id) != drawn:
                st.rerun()

    look()


def _notices(batch: Batch, version: InspectorVersion, results: Sequence[Result]) -> None:
    """Draw what is to be said on a batch, folded: images without a score, doubtful ones, and remarks."""
    _name_the_broken(batch, version, [result for result in results if result.score is None])
    doubtful = [
        f"{result.image.name}: {' '.join(doubt_sentences(result))}" for result in results if result.doubts
    ]
    remarks = grouped((result.image.name, result.remarks or ()) for result in results)
    folded = [
        (f"{wording.counted(len(doubtful), 'image')} doubtful as a whole", doubtful),
        (f"{wording.counted(len(remarks), 'remark')} on these images", remarks),
    ]
    present = [(title, lines) for title, lines in folded if lines]
    for column, (title, lines) in zip(st.columns(max(1, len(present))), present, strict=False):
        with column:
            notice.folded(title, lines)


def _name_the_broken(batch: Batch, version: InspectorVersion, results: Sequence[Result]) -> None:
    if not results:
        return
    lines = [(escape(result.image.name), escape(result.error or "not scored")) for result in results]
    again = [result for result in results if is_worth_another_try(result.error)]
    with st.expander(f"{wording.counted(len(results), 'image')} could not be scored, each with its reason"):
        st.html(theme.table_html(lines, look=""))
        if again and batch.watch_id is None:  # the panel Watched folder has the button of a watched file
            with st.container(horizontal=True, vertical_alignment="center"):
                access.button(
                    f"Try {wording.counted(len(again), 'image')} again",
                    Role.OPERATE,
                    key="try_again",
                    on_click=session.scorer().try_again,
                    args=(batch.id, version.id),
                )
                st.caption(
                    "After a fix: with more memory, or a newer version of the program.", width="stretch"
                )


def _downloads(results: Sequence[Result], point: OperatingPoint) -> None:
    here = session.workspace()

    def overlays() -> bytes:
        archive = io.BytesIO()
        write_overlays(here, results, point, archive)
        return archive.getvalue()

    downloads.button(
        "CSV",
        lambda: results_csv(here, results, point),
        "results.csv",
        "text/csv",
        disabled=not results,
        help="One row an image: score, verdict at the threshold shown, worst box, regions.",
    )
    downloads.button(
        "Overlays",
        overlays,
        "overlays.zip",
        "application/zip",
        disabled=not results,
        help="A zip with every image in its own pixels, heat and contour at the threshold shown laid over it.",
    )
