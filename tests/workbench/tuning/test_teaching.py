"""Teaching an inspector: the preview against scoring everything again, what is kept, and undo."""

import numpy as np
import pytest

from patchcore.errors import SettingsError
from patchcore.thresholds.decision import decide
from patchcore.thresholds.operating_point import Choice, Evidence, OperatingPoint
from tests.points import by_hand
from tests.workbench.parts import plate, remove_good, store_plates
from workbench.inspections.batches import create_batch, list_results, score_batch
from workbench.inspections.decisions import decided
from workbench.inspections.labels import set_label
from workbench.inspectors.version_files import ELSEWHERE
from workbench.inspectors.versions import (
    find_inspector,
    good_images,
    list_versions,
    load_model,
    make_current,
    reslice,
    set_operating_point,
)
from workbench.people.roles import NotAllowed, Person, Role, acting
from workbench.storage.database import WorkspaceError
from workbench.storage.revisions import ChangedMeanwhile
from workbench.storage.tables import GOOD
from workbench.tuning.teaching import can_undo, keep_teaching, taught_names, undo_teaching
from workbench.tuning.teaching_preview import preview_teaching

ADA = Person("Ada", Role.ENGINEER)
on_one_database = pytest.mark.parametrize(
    "database_kind", ["sqlite"], indirect=True
)  # no matter of the database


@pytest.fixture
def scored(workspace, version):
    """Results of two batches: scratched plates of which one is called fine, and a good one."""
    first = create_batch(
        workspace, version.inspector_id, store_plates(workspace, 3, first=20, scratched=True), "Monday"
    )
    second = [
        *store_plates(workspace, 1, first=42, scratched=True, truth="scratch"),
        *store_plates(workspace, 1, first=9),
    ]
    later = create_batch(workspace, version.inspector_id, second, "Tuesday")
    return [result for batch in (first, later) for result in score_batch(workspace, batch, version)]


def in_use(workspace):
    return find_inspector(workspace, "plate-1").current


def truths(workspace, version_id, batch=1):
    return [result.image.truth for result in list_results(workspace, batch, version_id)]


@on_one_database
def test_the_preview_says_which_verdicts_change_and_stores_nothing(workspace, version, scored):
    seen = []
    preview = preview_teaching(workspace, version, scored[:2], lambda *step: seen.append(step))
    before = OperatingPoint.from_dict(version.operating_point)
    after = preview.numbers.point
    expected = {}
    for result in scored[2:]:
        score = preview.model.score(workspace.image_path(result.image.sha256)).score
        if before.verdict(result.score) != after.verdict(score):
            expected[result.image.name] = (before.verdict(result.score), after.verdict(score), score)
    found = {one.result.image.name: (one.before, one.after, one.score) for one in preview.changes}
    assert found == expected and len(found) >= 2
    assert preview.scores[scored[0].image.sha256] <= after.accept
    assert [change.result.image.name for change in preview.escapes] == ["scratch/042.png"]
    assert preview.changes[0].is_escape
    assert preview.sentence().endswith("; one of them you labelled a defect.")
    assert f"{len(found)} images would now be accepted" in preview.sentence()
    assert {step[0] for step in seen} == {"calibration", "earlier verdicts"}
    assert in_use(workspace).id == version.id and len(list_versions(workspace, "plate-1")) == 1
    assert truths(workspace, version.id) == [None, None, None]


def test_kept_and_undone(workspace, version, scored):
    preview = preview_teaching(workspace, version, scored[:2])
    with acting(ADA):
        after = keep_teaching(workspace, preview)
    assert in_use(workspace).id == after.id
    assert (after.number, after.change, after.made_by, after.note) == (
        2,
        "teach",
        "Ada",
        "Taught scratch/020.png, scratch/021.png",
    )
    assert after.patches == version.patches + preview.added and after.share == version.share
    images = good_images(workspace, after)
    assert [(image.name, image.taught) for image in images if image.taught] == [
        ("scratch/020.png", True),
        ("scratch/021.png", True),
    ]
    assert len(images) == 8 and after.good_scores.keys() == version.good_scores.keys()
    assert truths(workspace, version.id) == [GOOD, GOOD, None]
    assert decided(workspace, version.id, scored)[scored[0].batch_image_id].by == "Ada"
    again = {result.image.name: result for result in score_batch(workspace, 1, after)}
    assert again["scratch/020.png"].score == preview.scores[scored[0].image.sha256]
    changed = [one for one in preview.changes if one.result.image.name in again]
    assert changed and all(again[one.result.image.name].score == one.score for one in changed)

    assert can_undo(after) and taught_names(after) == ["scratch/020.png", "scratch/021.png"]
    with acting(ADA):
        before = undo_teaching(workspace, after)
    assert (before.id, in_use(workspace).id) == (version.id, version.id)
    assert truths(workspace, version.id) == [None, None, None]
    assert decided(workspace, version.id, scored) == {}
    model = load_model(workspace, before)
    assert [model.score(workspace.image_path(one.image.sha256)).score for one in scored] == [
        one.score for one in scored
    ]


def test_a_label_given_since_is_not_taken_back(workspace, version, scored):
    after = keep_teaching(workspace, preview_teaching(workspace, version, scored[:2]))
    set_label(workspace, scored[0].batch_image_id, "dent")
    undo_teaching(workspace, after)
    assert truths(workspace, version.id) == ["dent", None, None]


@on_one_database
def test_a_taught_version_can_be_resliced_and_taught_again_and_its_image_removed(workspace, version, scored):
    after = keep_teaching(workspace, preview_teaching(workspace, version, scored[:1]))
    smaller = reslice(workspace, after, 0.1)
    taught = load_model(workspace, after).full_bank_.taught
    assert (
        load_model(workspace, smaller).bank_.taught
        == taught
        == smaller.patches - load_model(workspace, smaller).bank_.built
    )
    sha256 = scored[0].image.sha256
    back = remove_good(workspace, after, [sha256])
    assert load_model(workspace, back).bank_.taught == 0
    assert (back.good_scores, back.patches) == (version.good_scores, version.patches)
    assert not any(image.taught for image in good_images(workspace, back))


@on_one_database
def test_thresholds_set_by_hand_stay_unless_the_good_images_are_to_set_them(workspace, version, scored):
    point = OperatingPoint.from_dict(version.operating_point)
    hand = by_hand(point.reject * 1.1, point.evidence, point.bank_id, set_by="Ada", accept=point.reject)
    version = set_operating_point(workspace, version, hand)
    kept = preview_teaching(workspace, version, scored[:1])
    assert kept.kept_by_hand and (kept.numbers.point.accept, kept.numbers.point.reject) == (
        hand.accept,
        hand.reject,
    )
    assert kept.numbers.point.rule == hand.rule and not kept.numbers.point.stale
    assert kept.numbers.point.evidence.good == kept.numbers.good_scores
    anew = preview_teaching(workspace, version, scored[:1], keep_by_hand=False)
    assert anew.kept_by_hand is False and anew.numbers.point.rule.name == "provisional"
    after = keep_teaching(workspace, kept)
    assert after.operating_point["reject"] == hand.reject
    assert preview_teaching(workspace, after, [next(score_batch(workspace, 2, after))])


@on_one_database
def test_evidence_no_longer_rests_on_what_was_taught(workspace, version, scored):
    """A rule that lets no known defect through would otherwise be drawn by the taught image's low score."""
    point = OperatingPoint.from_dict(version.operating_point)
    defects = {one.image.sha256: one.score for one in scored[:2]}
    labelled = decide(
        Choice("no_escapes"), Evidence(point.evidence.good, defects), point.bank_id, set_by="Ada"
    )
    version = set_operating_point(workspace, version, labelled)
    preview = preview_teaching(workspace, version, scored[:1])
    assert set(preview.numbers.point.evidence.defect) == {scored[1].image.sha256}
    assert preview.numbers.point.rule.name == "no_escapes"


@on_one_database
def test_the_second_of_two_writers_is_told(workspace, version, scored):
    first, second = (preview_teaching(workspace, version, [one]) for one in scored[:2])
    after = keep_teaching(workspace, first)
    with pytest.raises(ChangedMeanwhile, match="Plate"):
        keep_teaching(workspace, second)
    assert truths(workspace, version.id) == [GOOD, None, None]
    assert len(list_versions(workspace, "plate-1")) == 2
    with pytest.raises(WorkspaceError, match="Another version"):
        preview_teaching(workspace, version, scored[:1])
    make_current(workspace, "plate-1", version.id)
    with pytest.raises(WorkspaceError, match="not in use any more"):
        undo_teaching(workspace, after)
    with pytest.raises(WorkspaceError, match="not made by teaching"):
        undo_teaching(workspace, version)


@on_one_database
def test_only_engineers_teach(workspace, version, scored):
    preview = preview_teaching(workspace, version, scored[:1])
    with acting(Person("Bob", Role.OPERATE)):
        for refused in (
            lambda: preview_teaching(workspace, version, scored[:1]),
            lambda: keep_teaching(workspace, preview),
            lambda: undo_teaching(workspace, version),
        ):
            with pytest.raises(NotAllowed, match="engineer"):
                refused()
    assert len(list_versions(workspace, "plate-1")) == 1


@on_one_database
def test_an_imported_inspector_is_taught_where_its_good_images_are(workspace, version, scored):
    version.numbers = {**version.numbers, ELSEWHERE: []}
    with pytest.raises(SettingsError, match="not in this workspace"):
        preview_teaching(workspace, version, scored[:1])


@on_one_database
def test_images_of_the_same_name_are_told_apart(workspace, version):
    """A test image may be called as a good one is; its score is none of the good images'."""
    image = workspace.store_image(plate(50, scratched=True), "good/000.png")
    batch = create_batch(workspace, version.inspector_id, [image], "Monday")
    (result,) = score_batch(workspace, batch, version)
    preview = preview_teaching(workspace, version, [result])
    assert preview.numbers.good_scores.keys() == version.good_scores.keys()
    assert all(np.isfinite(list(preview.numbers.good_scores.values())))
    assert preview.sentence() == "No earlier verdict on another image would change."
