"""The page Inspect for one batch: threshold, gallery and detail, redrawn while results come in."""

import io
import time
from collections.abc import Sequence
from html import escape

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from patchcore.images.remarks import grouped
from patchcore.thresholds.operating_point import OperatingPoint, Verdict
from workbench.inspections.batches import count_unscored, list_results, load_tile
from workbench.inspections.exports import results_csv, write_overlays
from workbench.inspections.picture_doubts import doubt_sentences
from workbench.inspectors.good_doubts import good_doubts
from workbench.inspectors.versions import good_images
from workbench.storage.tables import Batch, BatchImage, InspectorVersion, Result
from workbench.storage.workspace import Workspace
from workbench.tuning.evidence import judged, peak_for, result_key, stored_map
from workbench.viewer import Dot, Tile, gallery
from workbench.viewer.items import Label
from workbench.watching.standing import count_images, is_watched
from workbench.widgets.inspect import threshold_bar
from workbench.widgets.review import decision_bar
from workbench.widgets.shared import detail_view, notice, progress, revision_guard, session, theme, wording

POLL_SECONDS = 1.0
ARRIVALS_SECONDS = 2.0
TALL, ONE_ROW = 640, 262  # pixels of the gallery: alone, and above a detail


def show(batch: Batch, version: InspectorVersion) -> None:
    """Draw a batch; images without a score are scored in the background meanwhile."""
    if count_unscored(session.workspace(), batch.id, version.id):
        session.scorer().want(batch.id, version.id)

    @st.fragment
    def follow() -> None:
        with session.plain_errors():
            _draw(batch, version)

    follow()


def worst_first(results: Sequence[Result]) -> list[Result]:
    """Return the scored results in the gallery's first order."""
    scored = [result for result in results if result.score is not None]
    return sorted(scored, key=lambda result: -(result.score or 0.0))


def _draw(batch: Batch, version: InspectorVersion) -> None:
    here, bar = session.workspace(), st.empty()
    unscored = count_unscored(here, batch.id, version.id)
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
    _name_the_broken([result for result in results if result.score is None])
    doubtful = [
        f"{result.image.name}: {' '.join(doubt_sentences(result))}" for result in results if result.doubts
    ]
    notice.folded(f"{wording.counted(len(doubtful), 'image')} doubtful as a whole", doubtful)
    remarks = grouped((result.image.name, result.remarks or ()) for result in results)
    notice.folded(f"{wording.counted(len(remarks), 'remark')} on these images", remarks)
    chosen = session.chosen_number("image")
    opened = next((result for result in results if result.id == chosen and result.score is not None), None)
    _gallery(results, version, point, ONE_ROW if opened is not None else TALL)
    if opened is not None:
        with st.container(border=False, key="detail_place"):
            _turning(worst_first(results), opened)
            detail_view.look(opened, version, threshold_bar.in_view(version), point)
            decision_bar.show(opened, version, _verdict(opened, version))
    if unscored:
        _wait_for_more(batch, version, bar, len(results), unscored)
    elif is_watched(here, batch):
        _look_for_more(batch, len(results))


def _gallery(
    results: Sequence[Result], version: InspectorVersion, point: OperatingPoint, height: int
) -> None:
    here = session.workspace()
    names = {image.sha256: image.name for image in good_images(here, version)}
    doubts = good_doubts(version)
    gallery(
        [tile_of(here, result, point) for result in results if result.score is not None],
        threshold_bar.in_view(version),
        key="gallery",
        link="inspect",
        reference=[
            Dot(
                f"good:{sha256}",
                names.get(sha256, "good image"),
                score,
                "reference",
                doubts=doubts.get(sha256, ()),
            )
            for sha256, score in version.good_scores.items()
        ],
        pixel_threshold=point.pixel,
        min_area=point.min_area,
        judge_by=point.judge_by,
        picture_check=point.picture_check,
        height=height,
        on_thresholds=threshold_bar.try_out,
        on_opened=lambda key: session.choose("image", int(key.split(":")[0])),
    )


def tile_of(here: Workspace, result: Result, point: OperatingPoint) -> Tile:
    """Return a scored result as a tile of the gallery, with the map peak if the point's verdict takes it."""
    name, truth = result.image.name, result.image.truth
    named = truth is None or name.startswith(f"{truth}/")  # in MVTec's layout the name says it already
    return Tile(
        result_key(result),
        name,
        result.score or 0.0,
        lambda: load_tile(here, result),
        label=_label(result.image),
        truth=None if named else str(truth).replace("_", " "),
        peak=peak_for(here, result, point),
        doubts=doubt_sentences(result),
    )


def _verdict(result: Result, version: InspectorVersion) -> Verdict | None:
    """Judge a result by the thresholds in force, not by those on trial."""
    point = OperatingPoint.from_dict(version.operating_point)
    return None if point.stale else judged(session.workspace(), result, point)


def _label(image: BatchImage) -> Label | None:
    if image.truth is None:
        return None
    return "good" if image.truth == "good" else "defect"


def _wait_for_more(
    batch: Batch, version: InspectorVersion, bar: DeltaGenerator, done: int, unscored: int
) -> None:
    """Wait for results and redraw; an action of the user meanwhile ends this run and begins another."""
    revision_guard.everything_is_drawn()
    scorer, total = session.scorer(), done + unscored
    words = f"Scoring {done:,}/{total:,}, results appear as they are computed"
    bar.progress(done / total, text=words)
    until, busy = time.monotonic() + POLL_SECONDS, True
    while busy and time.monotonic() < until:
        busy = scorer.wait(batch.id, version.id, POLL_SECONDS)
    fault = scorer.error(batch.id, version.id)
    if fault is None:
        st.rerun()
    bar.error(session.sentence(fault))
    st.button("Try again", on_click=scorer.retry, args=(batch.id, version.id))


def _look_for_more(batch: Batch, drawn: int) -> None:
    """Redraw the page when a watched folder has brought more images."""

    @st.fragment(run_every=ARRIVALS_SECONDS)
    def look() -> None:
        with session.plain_errors():
            if count_images(session.workspace(), batch.id) != drawn:
                st.rerun()

    look()


def _name_the_broken(results: Sequence[Result]) -> None:
    if not results:
        return
    rows = [(escape(result.image.name), escape(result.error or "not scored")) for result in results]
    with st.expander(f"{wording.counted(len(results), 'image')} could not be scored, each with its reason"):
        st.html(theme.table_html(rows, look=""))


def _downloads(results: Sequence[Result], point: OperatingPoint) -> None:
    here = session.workspace()

    def overlays() -> bytes:
        archive = io.BytesIO()
        write_overlays(here, results, point, archive)
        return archive.getvalue()

    st.download_button(
        "CSV",
        lambda: results_csv(here, results, point),
        "results.csv",
        "text/csv",
        on_click="ignore",
        disabled=not results,
        help="One row an image: score, verdict at the threshold shown, worst box, regions.",
    )
    st.download_button(
        "Overlays",
        overlays,
        "overlays.zip",
        "application/zip",
        on_click="ignore",
        disabled=not results,
        help="A zip with every image in its own pixels, heat and contour at the threshold shown laid over it.",
    )


def _turning(order: Sequence[Result], opened: Result) -> None:
    """Draw the buttons to the previous image, the next image, and all images."""
    ids = [result.id for result in order]
    place = ids.index(opened.id)
    before, after = ids[max(place - 1, 0)], ids[min(place + 1, len(ids) - 1)]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{place + 1} of {len(ids)}, worst first", width="stretch")
        st.button("Previous", disabled=place == 0, on_click=session.choose, args=("image", before))
        st.button("Next", disabled=place == len(ids) - 1, on_click=session.choose, args=("image", after))
        st.button("Close", on_click=session.forget, args=("image",))
