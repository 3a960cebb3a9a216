"""The page Tune at work: scores with their thresholds, what they do, the images nearest to them, and the regions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import streamlit as st

from patchcore.errors import PatchCoreError
from patchcore.thresholds.decision import statement_of
from patchcore.thresholds.label_basis import A_SET, LabelBasis
from patchcore.thresholds.operating_point import Evidence, OperatingPoint, Verdict
from patchcore.thresholds.rules import is_good_only
from patchcore.thresholds.verdict_counts import count_verdicts, unlabelled_words
from workbench.inspections.batches import find_tile, good_batch
from workbench.inspections.labels import set_label, undo_label
from workbench.people.roles import Role
from workbench.storage.tables import Batch, InspectorVersion
from workbench.storage.workspace import Workspace
from workbench.tuning.evidence import GoodSource, Known, evidence_from, good_of, known_images, verdict_of
from workbench.tuning.label_sampling import label_basis
from workbench.viewer import Dot, Thresholds, Tile, gallery, outcome, threshold_strip
from workbench.viewer.items import Label, kind_of, label_of
from workbench.widgets.shared import access, progress, revision_guard, session
from workbench.widgets.shared.scoring import bar
from workbench.widgets.tune import advice, label_offer, trial
from workbench.widgets.tune.trial import Trial

LINK = "tune"
BORDERLINE = 10
ROW, TILE_WIDTH = 262, 136  # pixels of a row of tiles that can be labelled, and of one of them
MAPS = bar.Purpose(
    "Scoring for maps",
    "Make the maps of",
    "Good images get a map only where it is asked for; with it they stand among the images above.",
)
GOOD_SOURCES: dict[GoodSource, str] = {
    "leave-one-out": "of the build, each left out",
    "held-out": "of this batch",
    "both": "both together",
}


@dataclass(frozen=True)
class Decision:
    """The decision at hand: the known images, the thresholds on trial, and the thresholds in force.

    `basis` says how the labels of the batch came about, with the rates of a random sample at the thresholds on trial.
    """

    version: InspectorVersion
    batch: Batch | None
    known: list[Known]
    evidence: Evidence
    stored: OperatingPoint
    trial: Trial
    point: OperatingPoint
    basis: LabelBasis = A_SET
    fault: str = ""

    @property
    def thresholds(self) -> Thresholds:
        """The lines on the strip."""
        return Thresholds.of(self.point)

    @property
    def statement(self) -> str:
        """The rule in words with the verdicts that the table beside it counts, and those on images without a label."""
        counts = count_verdicts((one.is_defect, self.verdict(one)) for one in in_rates(self.known))
        others = unlabelled_words(self.verdict(one) for one in self.known if one.truth is None)
        try:
            words = statement_of(self.point, counts)
        except PatchCoreError:  # a rule of another program, whose own words are stored
            words = self.point.statement
        return f"{words} {others}".strip()

    def verdict(self, image: Known) -> Verdict | None:
        """Judge an image by the thresholds on trial."""
        return verdict_of(image, self.point)

    @property
    def is_new(self) -> bool:
        """Whether another decision than the one in force is on trial."""
        return session.chosen(trial.NAME) is not None and not self.fault


def decision(version: InspectorVersion, batch: Batch | None) -> Decision:
    """Return the decision at hand; where a rule cannot be met, the point in force stands in and `fault` says why."""
    here = session.workspace()
    known = known_images(here, version, None if batch is None else batch.id)
    stored, tried = OperatingPoint.from_dict(version.operating_point), trial.current(version)
    _wait_for_regions(known, stored, tried)
    evidence = evidence_from(known, good_source(known), min_area=tried.min_area)
    point, fault = replace(stored, stale=""), ""
    basis = _basis(version, batch, point, known)
    if session.chosen(trial.NAME) is not None:
        chosen = basis.kind != "set" and _uses_labels(tried, known)
        try:
            point = tried.point(evidence, stored.bank_id, labels_chosen=chosen)
        except PatchCoreError as error:
            fault = str(error)
        if basis.kind == "sample":
            basis = _basis(version, batch, point, known)
    return Decision(version, batch, known, evidence, stored, tried, point, basis, fault)


def _basis(
    version: InspectorVersion, batch: Batch | None, point: OperatingPoint, known: Sequence[Known]
) -> LabelBasis:
    if batch is None:
        return A_SET
    tested = [one for one in known if one.source == "test"]
    return label_basis(session.workspace(), version, batch.id, point, tested)


def _uses_labels(tried: Trial, known: Sequence[Known]) -> bool:
    """Whether a rule on trial uses labelled images of the batch."""
    if good_source(known) != "leave-one-out":
        return True
    rules = (tried.rule, tried.accept_rule, tried.pixel_rule)
    return not all(rule is None or is_good_only(rule) for rule in rules)


def _wait_for_regions(known: Sequence[Known], stored: OperatingPoint, tried: Trial) -> None:
    """End the page with a bar, as long as too many maps are not measured for what it shows of regions."""
    if stored.judge_by != "score" or tried.judge_by != "score":
        wanted = list(known)
    else:  # rules for the pixel threshold are offered from the good images' maps, if all of them are there
        wanted = good_of(known, good_source(known))
        wanted = [] if any(one.stored_map is None for one in wanted) else wanted
    if progress.wait_for_regions([one.stored_map for one in wanted], tried.min_area):
        st.stop()


def good_source(known: Sequence[Known]) -> GoodSource:
    """Return which good images thresholds are set from; held-out ones only where there are any."""
    chosen = session.chosen("good")
    if chosen in GOOD_SOURCES and any(image.source == "test" and image.truth == "good" for image in known):
        return chosen
    return "leave-one-out"


def scores(now: Decision) -> None:
    """Draw the strip of all scores, and below it the images nearest the threshold, which can be labelled."""
    threshold_strip(
        [_dot(image, now) for image in now.known],
        now.thresholds,
        key="tune_strip",
        link=LINK,
        density=True,
        pixel_threshold=now.point.pixel,
        min_area=now.point.min_area,
        judge_by=now.point.judge_by,
        picture_check=now.point.picture_check,
        on_thresholds=lambda moved: trial.keep(trial.current(now.version).moved(now.thresholds, moved)),
        on_opened=lambda key: open_image(now, key),
    )


def borderline(now: Decision) -> None:
    """Draw the images nearest the threshold; a click on good or defect labels one, and can be undone."""
    with st.container(horizontal=True, vertical_alignment="center", key="borderline_head"):
        st.markdown("**Nearest the threshold**", width="content")
        how = access.why_not(Role.OPERATE) or "Click good or defect under an image, or press G or D."
        st.caption(f"Label what you know. {how}", width="stretch")
        if now.batch is not None and access.button("Undo the last label", Role.OPERATE, key="undo_label"):
            with revision_guard.attempt():
                image = undo_label(session.workspace(), now.batch.id)
                st.toast("There is no label to undo." if image is None else _undone(image.name, image.truth))
            st.rerun()
    here = session.workspace()
    tiles = [_tile(image, now, here) for image in now.known if image.result is not None]
    if not tiles:
        st.caption("No image is scored yet.")
        return
    gallery(
        tiles,
        now.thresholds,
        key="tune_near",
        link=LINK,
        strip=False,
        borderline=BORDERLINE,
        labels=access.may(Role.OPERATE),
        height=2 * ROW,
        tile_width=TILE_WIDTH,
        pixel_threshold=now.point.pixel,
        min_area=now.point.min_area,
        judge_by=now.point.judge_by,
        picture_check=now.point.picture_check,
        on_opened=lambda key: open_image(now, key),
        on_labelled=lambda key, label: _label(now, key, label),
    )


def effects(now: Decision) -> None:
    """Draw how the thresholds judge the known images."""
    counted = {image.key for image in in_rates(now.known)}
    outcome(
        [_dot(image, now) for image in now.known if image.key in counted],
        now.thresholds,
        Thresholds.of(now.stored),
        others=[_dot(image, now) for image in now.known if image.key not in counted],
        key="tune_outcome",
        link=LINK,
        pixel_threshold=now.point.pixel,
        stored_pixel=now.stored.pixel,
        min_area=now.point.min_area,
        judge_by=now.point.judge_by,
        picture_check=now.point.picture_check,
        stored_judge_by=now.stored.judge_by,
        stored_picture_check=now.stored.picture_check,
        counts_alone=_counted_alone(now),
    )
    if now.batch is not None and any(one.source == "test" and one.truth is not None for one in now.known):
        label_offer.show(now.version, now.batch, now.basis)
        advice.show(now.version, [one for one in now.known if one.source == "test"], "tune")


def _counted_alone(now: Decision) -> list[Literal["good", "defect"]]:
    """Return the kinds of parts whose labels are no plain sample; those of the build are all its good images."""
    if now.basis.kind == "set":
        return []
    return ["defect"] if good_source(now.known) == "leave-one-out" else ["good", "defect"]


def follow_scoring(version: InspectorVersion, batch: Batch | None) -> None:
    """Draw the scoring of images without a score, and redraw the page once all are scored.

    The page is not redrawn sooner, because that closes a list that the user has just opened.
    """
    batches = [good_batch(session.workspace(), version), *([] if batch is None else [batch.id])]
    bar.everything_scored(batches, version, "scoring_maps", MAPS)


def peak(image: Known, now: Decision) -> float | None:
    """Return the pixel threshold from which an image's map shows no region; None where verdicts go by score alone."""
    judged = {now.point.judge_by, now.stored.judge_by}
    return None if judged == {"score"} else image.map_peak(now.point.min_area)


def open_image(now: Decision, key: str) -> None:
    """Look closely at an image."""
    image = next((one for one in now.known if one.key == key), None)
    if image is not None and image.result is not None:
        session.choose("look", image.result.id)


def in_rates(known: Sequence[Known]) -> list[Known]:
    """Return the images that the rates count: good images of the chosen source, and all defects."""
    good = {image.key for image in good_of(known, good_source(known))}
    return [image for image in known if image.is_defect or image.key in good]


def _dot(image: Known, now: Decision) -> Dot:
    kind = kind_of(image.truth, in_bank=image.source == "leave-one-out")
    group = _words(str(image.truth)) if kind == "defect" else None
    return Dot(image.key, image.name, image.score, kind, group, peak(image, now), image.doubts)


def _tile(image: Known, now: Decision, here: Workspace) -> Tile:
    result = image.result
    assert result is not None
    in_bank = image.source == "leave-one-out"
    label = label_of(image.truth)
    known = None if image.truth is None or in_bank else _words(image.truth)
    return Tile(
        image.key,
        image.name,
        image.score,
        find_tile(here, result),
        label,
        known,
        peak(image, now),
        fixed=in_bank,
        doubts=image.doubts,
        worst_box=result.worst_box,
    )


def _words(truth: str) -> str:
    return truth.replace("_", " ")


def _label(now: Decision, key: str, label: Label | None) -> None:
    image = next((one for one in now.known if one.key == key), None)
    if image is not None and image.result is not None and image.source == "test":
        own: dict[int, str | None] = st.session_state.setdefault("labels_given", {})
        place = image.result.batch_image_id
        # On what was shown, or on one's own label where that has not been shown yet.
        with revision_guard.attempt():
            set_label(session.workspace(), place, label, expected=own.get(place, image.truth))
            own[place] = label


def _undone(name: str, truth: str | None) -> str:
    state = "not labelled" if truth is None else f"labelled {truth}"
    return f"{session.sentence(name)} is {session.sentence(state)} again."
