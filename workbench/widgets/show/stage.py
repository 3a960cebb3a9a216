"""The page Show as a whole: what is shown is gathered, and the component draws it over the whole window."""

from typing import Any

import streamlit as st

from patchcore.thresholds.operating_point import OperatingPoint
from workbench.inspections.batches import count_unscored, list_batches, list_results
from workbench.storage.tables import Batch, Inspector, InspectorVersion
from workbench.tuning.evidence import stored_map
from workbench.tuning.map_peaks import lost_maps
from workbench.viewer import Thresholds
from workbench.viewer.show import Contents, Need, show, thresholds_in_force
from workbench.widgets.shared import progress, sample, session, theme, wording
from workbench.widgets.show import asked, figures, place, product, story

KEY = "show"
LEFT, OTHER = "show_left", "show_batch"
EXPLANATION = "A demonstration, full screen, for people who were not in the room."
POLL_SECONDS = 2.0
NO_BATCH = "No part has been inspected yet. Bring test images on Inspect; the demonstration then shows them."
NOT_SCORED = "No part of {name} is scored yet. Open it on Inspect; the demonstration then shows its parts."
PARTLY = "{done} of {total} parts of {name} are scored; these are shown."
NO_LABELS = "The report takes a labelled set. Bring one on Evaluate."
BARE = """<style>
[data-testid="stSidebar"], [data-testid="stHeader"], [data-testid="stToolbar"] { display: none !important; }
</style>"""


def page() -> None:
    """Draw the demonstration, or say why there is none."""
    if gone := place.lost_inspector():
        theme.page_title("Show", EXPLANATION)
        st.info(gone)
        if st.button("Home", type="primary"):
            session.open_page("pages/home.py")
        return
    inspector, version = sample.inspector_or_stop("Show", EXPLANATION)
    with st.spinner("Preparing the demonstration"):
        _draw(inspector, version)


def _draw(inspector: Inspector, version: InspectorVersion) -> None:
    here, point = session.workspace(), OperatingPoint.from_dict(version.operating_point)
    shown = place.batch_of(inspector)
    batch, notices = shown.batch, [shown.notice]
    results = [] if batch is None else story.scored(list_results(here, batch.id, version.id))
    if batch is None:
        notices.append(NO_BATCH)
    else:
        session.choose("batch", batch.id)
        notices.append(_progress(batch, version, len(results)))
    part, lost = place.part(results)
    notices.append(lost)
    if point.stale:
        notices.append("The threshold is out of date, so no part has a verdict. Set it again on Tune.")
    if point.judge_by != "score":
        notices.append(
            progress.lost_words(lost_maps([stored_map(here, one) for one in results], point.min_area))
        )
    found = figures.measured(here, version, batch, results, point)
    good = product.learned(version)
    is_mixed = story.is_sorted(batch, results)
    told = story.telling(results, point)
    named = next((result for result in results if str(result.id) == part), None)
    if named is not None and place.scene() == "parts" and named.id not in {one.id for one in told}:
        told.insert(0, named)
    contents = Contents(
        title=inspector.name,
        facts=product.facts(version, good.images),
        gallery=good.pictures,
        note=product.note(version),
        parts=[
            story.part_of(here, result, point) for result in (story.mixed(results) if is_mixed else results)
        ],
        telling=[str(result.id) for result in told],
        known=found.known,
        limits=figures.limits(version, good.images, found, results, point),
        batches=_choices(inspector),
        batch="" if batch is None else str(batch.id),
        notices=[notice for notice in notices if notice],
        report=NO_LABELS if found.batch is None else "",
        mixed=is_mixed,
    )
    answers = asked.answers(inspector, version, {str(one.id): one for one in results}, found.batch)
    thresholds = thresholds_in_force(
        Thresholds(None) if point.stale else Thresholds.of(point),
        point.pixel,
        point.min_area,
        point.judge_by,
        point.picture_check,
    )
    st.html(BARE)
    _scenes(contents, answers, thresholds, part)
    if batch is not None and len(results) < _images(batch, version, len(results)):
        _follow(batch, version, len(results))


def _scenes(contents: Contents, answers: asked.Answers, thresholds: dict[str, Any], part: str) -> None:
    """Draw the scenes; a need of the browser runs this part of the page alone."""

    def needed(need: Need) -> None:
        with session.plain_errors():
            answers.answer(need)

    @session.fragment()
    def draw() -> None:
        if st.session_state.pop(LEFT, False):
            place.leave()
        if other := st.session_state.pop(OTHER, None):
            session.forget("batch", "part")
            session.choose("batch", int(other))
            st.rerun()
        show(
            contents,
            answers.material,
            thresholds,
            key=KEY,
            scene=place.scene(),
            part=part,
            on_need=needed,
            on_batch=lambda batch: st.session_state.update({OTHER: batch}) if batch.isdecimal() else None,
            on_leave=lambda: st.session_state.update({LEFT: True}),
        )

    draw()


def _choices(inspector: Inspector) -> list[tuple[str, str]]:
    batches = list_batches(session.workspace(), inspector.id)
    labels = wording.distinct({one.id: f"{one.name}, {wording.moment(one.created)}" for one in batches})
    return [(str(one), label) for one, label in labels.items()]


def _images(batch: Batch, version: InspectorVersion, done: int) -> int:
    return done + count_unscored(session.workspace(), batch.id, version.id)


def _progress(batch: Batch, version: InspectorVersion, done: int) -> str:
    total = _images(batch, version, done)
    if done == total:
        return "" if total else NOT_SCORED.format(name=batch.name)
    if not done:
        return NOT_SCORED.format(name=batch.name)
    return PARTLY.format(done=wording.count(done), total=wording.count(total), name=batch.name)


def _follow(batch: Batch, version: InspectorVersion, done: int) -> None:
    """Draw the page again when more parts are scored."""

    @session.fragment(run_every=POLL_SECONDS)
    def look() -> None:
        with session.plain_errors():
            if len(story.scored(list_results(session.workspace(), batch.id, version.id))) != done:
                st.rerun()

    look()
