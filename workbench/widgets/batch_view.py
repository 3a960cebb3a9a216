"""The page Inspect for one batch: tools, threshold, gallery and detail, drawn anew while results come in."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from patchcore.operating_point import OperatingPoint
from workbench.database import Batch, InspectorVersion, Result
from workbench.exports import results_csv, write_overlays
from workbench.inspecting import count_unscored, list_results
from workbench.widgets import detail_view, gallery, session, threshold_bar
from workbench.widgets.tile_store import Painting

POLL_SECONDS = 0.6
ORDERS = {"worst": "Worst first", "newest": "Newest", "name": "Name"}
MODES = {"heat": "Heat", "contour": "Contour", "both": "Both", "off": "Off"}


def show(batch: Batch, version: InspectorVersion) -> None:
    """Draw a batch; what is not scored yet is scored in the background meanwhile.

    The loop that follows it is in the run itself: a fragment with `run_every` is begun again while it still draws
    when the computer is busy, and the browser then loses track of nested containers.
    """
    unscored = count_unscored(session.workspace(), batch.id, version.id)
    if unscored:
        session.scorer().want(batch.id, version.id)

    @st.fragment
    def follow() -> None:
        with session.plain_errors():
            _draw(batch, version)

    follow()


def ordered(results: Sequence[Result], order: str) -> list[Result]:
    """Return results in an order of `ORDERS`; what could not be scored comes first when the worst does."""
    if order == "newest":
        return sorted(results, key=lambda result: result.id, reverse=True)
    if order == "name":
        return sorted(results, key=lambda result: result.image.name.casefold())
    return sorted(results, key=lambda result: -float("inf") if result.score is None else -result.score)


def _draw(batch: Batch, version: InspectorVersion) -> None:
    progress = st.empty()
    results = list_results(session.workspace(), batch.id, version.id)
    point = threshold_bar.trial_point(version)
    order, wanted, painting = _tools(results, point)
    update = threshold_bar.show(version, point, results)

    def shown(present: Sequence[Result]) -> list[Result]:
        return [
            one
            for one in ordered(present, order)
            if wanted == "all" or (one.score is not None and point.verdict(one.score) == wanted)
        ]

    if count_unscored(session.workspace(), batch.id, version.id):
        tiles = st.empty()

        def draw(present: Sequence[Result]) -> None:
            update(present)
            tiles.html(gallery.preview_html(shown(present), point, painting, session.tile_store()))

        _follow_scoring(batch, version, progress, draw)
    else:
        _pictures(shown(results), results, point, painting)


def _follow_scoring(
    batch: Batch,
    version: InspectorVersion,
    progress: DeltaGenerator,
    draw: Callable[[Sequence[Result]], None],
) -> None:
    """Draw results as they come; anything the user does meanwhile ends this run and begins another."""
    here, scorer, busy = session.workspace(), session.scorer(), True
    while busy:
        results, unscored = (
            list_results(here, batch.id, version.id),
            count_unscored(here, batch.id, version.id),
        )
        total = len(results) + unscored
        words = f"Scoring {len(results):,}/{total:,}, results appear as they are computed"
        progress.progress(len(results) / total, text=words)
        draw(results)
        busy = scorer.wait(batch.id, version.id, POLL_SECONDS)
    fault = scorer.error(batch.id, version.id)
    if fault is None:
        st.rerun()
    progress.error(session.sentence(fault))
    st.button("Try again", on_click=scorer.retry, args=(batch.id, version.id))


def _tools(results: Sequence[Result], point: OperatingPoint) -> tuple[str, str, Painting]:
    counts = threshold_bar.count_verdicts(results, point)
    labels = {"all": f"All {len(results)}"}
    labels |= {verdict: f"{verdict.capitalize()} {counts[verdict]}" for verdict in threshold_bar.VERDICTS}
    with st.container(horizontal=True, vertical_alignment="center", key="tools"):
        order = _choice("Order", ORDERS, "order")
        wanted = _choice("Show", labels, "show")
        mode = _choice("Map", MODES, "mode")
        opacity = st.slider(
            "Opacity",
            0,
            100,
            60,
            5,
            format="%d %%",
            key="opacity",
            width=150,
            label_visibility="collapsed",
            disabled=mode in ("contour", "off"),
            help="Opacity of the heat; contours are always opaque.",
        )
        painting = Painting(mode, opacity / 100)  # type: ignore[arg-type]  # a key of MODES
        st.space("stretch")
        _downloads(results, point, painting)
    return order, wanted, painting


def _choice(label: str, options: dict[str, str], key: str) -> str:
    chosen = st.segmented_control(
        label,
        list(options),
        default=next(iter(options)),
        required=True,
        format_func=lambda option: options[option],
        key=key,
        label_visibility="collapsed",
    )
    return str(chosen or next(iter(options)))


def _downloads(results: Sequence[Result], point: OperatingPoint, painting: Painting) -> None:
    here = session.workspace()

    def overlays() -> bytes:
        mode = "both" if painting.mode == "off" else painting.mode
        with tempfile.TemporaryFile() as file:
            write_overlays(here, results, point, file, mode=mode, opacity=painting.opacity)
            file.seek(0)
            return file.read()

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
        help="A zip with every image in its own pixels, the map laid over it as shown here.",
    )


def _pictures(
    shown: Sequence[Result], results: Sequence[Result], point: OperatingPoint, painting: Painting
) -> None:
    if not shown:
        st.info(
            "No image has this verdict at this threshold."
            if results
            else "The first results are on their way."
        )
        return
    store = session.tile_store()
    chosen = session.chosen_number("image")
    selected = next((result for result in results if result.id == chosen), None)
    gallery.show(
        shown,
        point,
        painting,
        store,
        selected=None if selected is None else selected.id,
        on_open=_open,
    )
    if selected is not None:
        with st.container(border=True, key="panel_detail"):
            _turning(shown, selected)
            detail_view.show(selected, point, painting, store)


def _turning(shown: Sequence[Result], selected: Result) -> None:
    """Offer the image before, the one after, and the way back to all."""
    ids = [result.id for result in shown]
    place = ids.index(selected.id) if selected.id in ids else -1
    before, after = ids[max(place - 1, 0)], ids[min(place + 1, len(ids) - 1)]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{session.sentence(selected.image.name)}**", width="stretch")
        st.button("Previous", disabled=place < 1, shortcut="Left", on_click=_open, args=(before,))
        st.button(
            "Next", disabled=place in (-1, len(ids) - 1), shortcut="Right", on_click=_open, args=(after,)
        )
        st.button("Close", shortcut="Esc", on_click=session.forget, args=("image",))


def _open(result_id: int) -> None:
    session.choose("image", result_id)
