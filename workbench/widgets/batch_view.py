"""The page Inspect for one batch: tools, threshold, gallery and detail, drawn anew while results come in."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence

import streamlit as st

from patchcore.operating_point import OperatingPoint, Verdict
from workbench.database import Batch, InspectorVersion, Result
from workbench.exports import results_csv, write_overlays
from workbench.inspecting import count_unscored, list_results
from workbench.widgets import detail_view, gallery, session, threshold_bar
from workbench.widgets.tile_store import Painting

POLL_SECONDS = 0.7
ORDERS = {"worst": "Worst first", "newest": "Newest", "name": "Name"}
MODES = {"heat": "Heat", "contour": "Contour", "both": "Both", "off": "Off"}


def show(batch: Batch, version: InspectorVersion) -> None:
    """Draw a batch; what is not scored yet is scored in the background meanwhile."""
    unscored = count_unscored(session.workspace(), batch.id, version.id)
    if unscored:
        session.scorer().want(batch.id, version.id)

    @st.fragment(run_every=POLL_SECONDS if unscored else None)
    def follow() -> None:
        with session.plain_errors():
            _draw(batch, version, was_unscored=unscored > 0)

    follow()


def ordered(results: Sequence[Result], order: str) -> list[Result]:
    """Return results in an order of `ORDERS`; what could not be scored comes first when the worst does."""
    if order == "newest":
        return sorted(results, key=lambda result: result.id, reverse=True)
    if order == "name":
        return sorted(results, key=lambda result: result.image.name.casefold())
    return sorted(results, key=lambda result: -float("inf") if result.score is None else -result.score)


def _draw(batch: Batch, version: InspectorVersion, *, was_unscored: bool) -> None:
    results = list_results(session.workspace(), batch.id, version.id)
    unscored = count_unscored(session.workspace(), batch.id, version.id)
    if was_unscored and not unscored:
        st.rerun()  # the poll has done its work
    _progress(batch, version, len(results), unscored)
    point = threshold_bar.trial_point(version)
    verdicts = {result.id: point.verdict(result.score) for result in results if result.score is not None}
    counts: Counter[Verdict] = Counter(verdicts.values())
    order, wanted, painting = _tools(results, point, counts)
    threshold_bar.show(version, point, results, counts)
    shown = [one for one in ordered(results, order) if wanted == "all" or verdicts.get(one.id) == wanted]
    _pictures(shown, results, point, painting)


def _progress(batch: Batch, version: InspectorVersion, scored: int, unscored: int) -> None:
    if not unscored:
        return
    total = scored + unscored
    fault = session.scorer().error(batch.id, version.id)
    if fault is None:
        st.progress(scored / total, text=f"Scoring {scored:,}/{total:,}, results appear as they are computed")
        return
    st.error(session.sentence(fault))
    if st.button("Try again"):
        session.scorer().retry(batch.id, version.id)


def _tools(
    results: Sequence[Result], point: OperatingPoint, counts: Counter[Verdict]
) -> tuple[str, str, Painting]:
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
