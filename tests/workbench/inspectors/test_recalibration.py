"""Recalibrating: a threshold follows the bank by its own rule, on scores of that bank; else another stands in."""

import pytest

from patchcore.maps.regions import clearing_threshold
from patchcore.thresholds.decision import decide
from patchcore.thresholds.operating_point import Choice, OperatingPoint
from tests.points import by_hand
from tests.workbench.parts import evidence, remove_good, store_plates
from workbench.inspections.batches import create_batch, good_batch, load_map, score_batch
from workbench.inspectors.point_history import point_history, store_point
from workbench.inspectors.versions import get_version, load_model, reslice, share_numbers


@pytest.fixture
def batch(workspace, version):
    images = store_plates(workspace, 2, first=50, truth="good")
    images += store_plates(workspace, 2, first=60, scratched=True, truth="scratch")
    batch = create_batch(workspace, version.inspector_id, images, "Monday")
    for one in (batch, good_batch(workspace, version)):
        list(score_batch(workspace, one, version))
    return batch


def decided(workspace, version, batch, rule, good="leave-one-out", **more):
    known = evidence(workspace, version, batch, good, min_area=more.get("min_area", 1))
    point = decide(rule, known, version.operating_point["bank_id"], set_by="Ada", **more)
    return store_point(workspace, version, point, "")


def point_of(version):
    return OperatingPoint.from_dict(version.operating_point)


def changed(workspace, version, how, progress=None):
    if how == "share":
        return reslice(workspace, version, 0.05, progress=progress)
    worst = max(version.good_scores, key=version.good_scores.get)
    return remove_good(workspace, version, [worst], progress)


@pytest.mark.parametrize("how", ["share", "images"])
@pytest.mark.parametrize("good", ["leave-one-out", "held-out", "both"])
def test_a_rule_on_defects_and_maps_is_applied_to_scores_of_the_new_bank(
    workspace, version, batch, how, good
):
    pixel = Choice("provisional")
    version = decided(
        workspace, version, batch, Choice("no_escapes"), good, pixel_rule=pixel, min_area=20, judge_by="both"
    )
    stages = []
    after = changed(workspace, version, how, lambda *step: stages.append(step))
    point = point_of(after)
    model = load_model(workspace, after)
    expected = {sha256: model.score(workspace.image_path(sha256)).score for sha256 in point.evidence.defect}
    assert point.evidence.defect == pytest.approx(expected) and len(expected) == 2
    for one in (batch, good_batch(workspace, after)):
        list(score_batch(workspace, one, after))
    anew = evidence(workspace, after, batch, good, min_area=20)
    assert point.evidence.good == pytest.approx(anew.good, rel=1e-5)
    assert point.evidence.map_peaks == pytest.approx(anew.map_peaks, rel=1e-4)
    assert point.reject == pytest.approx(
        decide(Choice("no_escapes"), anew, point.bank_id, set_by="").reject, rel=1e-5
    )
    assert (point.rule.name, point.judge_by, point.min_area, point.stale) == ("no_escapes", "both", 20, "")
    scoring = [step for step in stages if step[0] == "scoring"]
    assert [done for _, done, _ in scoring] == list(range(1, scoring[-1][2] + 1))


def test_stored_maps_show_nothing_at_the_pixel_threshold_that_follows(workspace, version, batch):
    version = decided(workspace, version, batch, Choice("provisional"), pixel_rule=Choice("provisional"))
    after = reslice(workspace, version, 0.05)
    pixel = point_of(after).pixel
    peaks = [
        clearing_threshold(load_map(workspace, result))
        for result in score_batch(workspace, good_batch(workspace, after), after)
    ]
    assert pixel == pytest.approx(max(peaks), rel=1e-5)


def test_a_rule_on_good_images_alone_scores_nothing(workspace, version, monkeypatch):
    monkeypatch.setattr(
        "workbench.inspectors.recalibration._score", lambda _ws, _model, images, _progress: dict(images)
    )
    after = reslice(workspace, version, 0.05)
    model = load_model(workspace, after)
    assert point_of(after).reject == pytest.approx(model.threshold_)
    assert point_of(after).evidence.good == after.good_scores


def test_a_point_set_by_hand_is_replaced_and_stays_in_the_history(workspace, version):
    now = point_of(version)
    version = store_point(workspace, version, by_hand(9.0, now.evidence, now.bank_id, set_by="Ada"), "")
    point = point_of(reslice(workspace, version, 0.05))
    assert (point.rule.name, point.set_by) == ("provisional", "the program")
    assert point.note.startswith("Stands in for 9, which is in the history. It was set by hand")
    assert [stored.point.reject for stored in point_history(workspace, "plate-1")][1:] == [9.0, now.reject]


def test_a_missing_image_makes_the_point_stale(workspace, version, batch):
    version = decided(workspace, version, batch, Choice("no_escapes"))
    gone = next(iter(point_of(version).evidence.defect))
    workspace.image_path(gone).write_bytes(b"no picture")
    point = point_of(reslice(workspace, version, 0.05))
    assert point.rule.name == "provisional" and "cannot be scored again" in point.note


def test_the_preview_says_when_its_threshold_is_preliminary(workspace, version, batch):
    assert share_numbers(workspace, version, 0.05).pending == ""
    version = decided(workspace, version, batch, Choice("no_escapes"))
    ahead = share_numbers(workspace, version, 0.05)
    assert "scored again when this bank is put into use" in ahead.pending
    assert ahead.point.rule.name == "provisional" and not ahead.point.stale
    assert get_version(workspace, version.id).share == version.share
