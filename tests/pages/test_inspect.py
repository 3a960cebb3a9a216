from dataclasses import replace

import pytest

from patchcore.disk.work_notes import STOPPED
from patchcore.thresholds.operating_point import Choice, OperatingPoint
from tests.pages.texts import HOSTILE, agree, words
from tests.workbench.processes import wait_until
from workbench.inspections.batches import list_batches, list_results
from workbench.inspectors.versions import find_inspector, set_operating_point
from workbench.people import roles
from workbench.storage.tables import Result
from workbench.widgets.inspect import batch_view
from workbench.widgets.shared import detail_view


@pytest.fixture
def given(monkeypatch):
    """What the page gives the viewers, by the viewer's name."""
    seen = {}

    def gallery(tiles, thresholds, **rest):
        seen["gallery"] = {"tiles": tiles, "thresholds": thresholds, **rest}

    def detail(item, name, load, score, thresholds, **rest):
        seen["detail"] = {"name": name, "load": load, "score": score, "thresholds": thresholds, **rest}

    monkeypatch.setattr(batch_view, "gallery", gallery)
    monkeypatch.setattr(detail_view, "detail", detail)
    return seen


def test_without_an_inspector_the_page_says_what_to_do(empty, open_app):
    app = open_app("inspect")
    assert "there is none yet" in words(app)
    assert {"Build an inspector", "Open the sample product"} <= {button.label for button in app.button}


def test_every_scored_image_is_a_tile_and_the_others_are_named(full, open_app, given):
    app = open_app("inspect", inspector="washer")
    tiles = given["gallery"]["tiles"]
    assert [tile.name for tile in tiles] == [one.image.name for one in stored(full) if one.score is not None]
    assert all(tile.picture.read().startswith(b"PCT1") for tile in tiles)
    assert len(given["gallery"]["reference"]) == 4
    assert "1 image could not be scored" in app.expander[0].label and "notes.png" in words(app)
    assert "detail" not in given


def test_images_that_stopped_the_program_are_tried_again_when_asked(full, open_app):
    broken = next(one for one in stored(full) if one.score is None)
    reason = f"{STOPPED}, the last time today. Save the file again from where it came, or delete it."
    with full.database.write() as rows:
        rows.get_one(Result, broken.id).error = reason
    app = open_app("inspect", inspector="washer")
    assert STOPPED in words(app)
    press(app, "Try 1 image again")
    wait_until(lambda: unreadable(full))
    assert STOPPED not in words(open_app("inspect", inspector="washer"))


def unreadable(workspace):
    """The results that have the decoder's own reason."""
    return [one for one in stored(workspace) if one.error and "this is text" in one.error]


def test_a_file_name_is_never_html(full, open_app):
    hostile = next(one for one in stored(full) if one.image.name == HOSTILE)
    app = open_app("inspect", inspector="washer", image=str(hostile.id))
    assert not app.exception and HOSTILE not in words(app)


def test_thresholds_of_the_address_are_in_view_and_score_nothing(full, open_app, given):
    before = [result.created for result in stored(full)]
    open_app("inspect", inspector="washer", threshold="0.25", review="0.2")
    shown = given["gallery"]["thresholds"]
    assert (shown.reject, shown.review) == (0.25, 0.2)
    open_app("inspect", inspector="washer", threshold="0.25", review="0.3")  # never above the other
    assert given["gallery"]["thresholds"].review == 0.25
    assert [result.created for result in stored(full)] == before


def test_a_review_band_can_be_switched_off_and_on(full, open_app, given):
    app = open_app("inspect", inspector="washer", threshold="0.25", review="none")
    assert given["gallery"]["thresholds"].review is None and not app.toggle(key="review_band").value
    app.toggle(key="review_band").set_value(True).run()
    assert given["gallery"]["thresholds"].review == pytest.approx(0.225)
    app.toggle(key="review_band").set_value(False).run()
    assert given["gallery"]["thresholds"].review is None


def test_an_outdated_address_takes_nothing_back(full, open_app, given):
    app = open_app("inspect", inspector="washer", threshold="0.25", review="0.2")
    app.toggle(key="review_band").set_value(False).run()
    app.query_params["review"] = "0.2"  # as a browser sends it that is behind by a run
    app.run()
    assert given["gallery"]["thresholds"].review is None
    assert app.query_params["review"] == ["none"] or app.query_params["review"] == "none"


def test_a_threshold_is_stored_only_by_the_button(full, open_app):
    old = point(full)["reject"]
    app = open_app("inspect", inspector="washer", threshold=str(old / 2))
    assert point(full)["reject"] == old
    press(app, "Use this threshold")
    assert point(full)["reject"] == old / 2 and point(full)["rule"]["name"] == "by_hand"
    assert "threshold" not in app.query_params and "review" not in app.query_params


def test_a_threshold_stored_here_leaves_regions_and_judging(full, open_app, given):
    version, before = find_inspector(full, "washer").current, OperatingPoint.from_dict(point(full))
    choice = Choice("by_hand", {"value": 0.2})
    set_operating_point(
        full, version, replace(before, pixel=0.2, pixel_rule=choice, min_area=9, judge_by="area")
    )
    app = open_app("inspect", inspector="washer", threshold="0.25", review="none")
    shown = given["gallery"]
    assert (shown["judge_by"], shown["min_area"], shown["pixel_threshold"]) == ("area", 9, 0.2)
    assert all(tile.peak is not None for tile in shown["tiles"])
    press(app, "Use this threshold")
    kept = point(full)
    assert (kept["reject"], kept["accept"], kept["pixel"], kept["min_area"]) == (0.25, 0.25, 0.2, 9)
    assert (kept["judge_by"], kept["set_by"]) == ("area", roles.current().name)


def test_a_button_leads_back_to_the_threshold_in_force(full, open_app, given):
    app = open_app("inspect", inspector="washer", threshold="0.001")
    press(app, "Back to ")
    assert given["gallery"]["thresholds"].reject == point(full)["reject"]
    assert "threshold" not in app.query_params


def test_an_address_opens_batch_image_and_threshold(full, open_app, given):
    result = stored(full)[0]
    open_app("inspect", inspector="washer", image=str(result.id), threshold="0.25")
    shown = given["detail"]
    assert (shown["name"], shown["score"]) == (result.image.name, result.score)
    assert shown["thresholds"].reject == 0.25
    assert shown["why"].name.endswith(".jpg") and shown["why"].distance > 0
    pixels, scores = shown["load"]()
    assert pixels.shape[:2] == scores.shape == (result.height, result.width)
    boxes = {tile.name: tile.worst_box for tile in given["gallery"]["tiles"]}
    assert shown["worst_box"] == boxes[result.image.name] == result.worst_box is not None
    assert given["gallery"]["height"] == batch_view.ONE_ROW  # the detail has the page
    open_app("inspect", inspector="washer")
    assert given["gallery"]["height"] == batch_view.TALL


def test_a_decision_on_an_image_is_stored_and_undone(full, open_app, given):
    result = next(one for one in stored(full) if one.score is not None)
    app = open_app("inspect", inspector="washer", image=str(result.id))
    press(app, "This is a defect")
    assert "called a defect" in words(app) and truth_of(full, result) == "defect"
    assert given["gallery"]["tiles"][0].label == "defect"
    press(app, "Undo")
    assert truth_of(full, result) is None
    assert {"This is fine", "This is a defect"} <= {button.label for button in app.button}


def test_this_is_fine_teaches_only_after_its_changes_were_shown(full, open_app, given):
    version = find_inspector(full, "washer").current
    result = max(stored(full), key=lambda one: one.score or 0.0)
    strict = replace(OperatingPoint.from_dict(point(full)), accept=result.score / 2, reject=result.score / 2)
    set_operating_point(full, version, strict)
    app = open_app("inspect", inspector="washer", image=str(result.id))
    press(app, "This is fine")
    assert "Patches in the bank" in words(app) and truth_of(full, result) is None
    press(app, "Don't teach")
    assert "Patches in the bank" not in words(app)
    press(app, "This is fine")
    next(button for button in app.button if button.label == "Teach").click().run()
    assert not app.exception and truth_of(full, result) == "good"
    after = find_inspector(full, "washer").current
    assert (after.number, after.change) == (2, "teach") and "image" not in app.query_params
    press(app, "Undo teaching")
    assert find_inspector(full, "washer").current.id == version.id and truth_of(full, result) is None


def truth_of(workspace, result):
    return next(one.image.truth for one in stored(workspace, result.version_id) if one.id == result.id)


def test_an_address_of_nonsense_does_no_harm(full, open_app, given):
    open_app("inspect", inspector="washer", batch="-7", image="²", threshold="nan", review="<")
    assert len(given["gallery"]["tiles"]) == 3
    assert given["gallery"]["thresholds"].reject == point(full)["reject"]


def stored(workspace, version_id=None):
    version_id = version_id or find_inspector(workspace, "washer").current.id
    return list_results(workspace, list_batches(workspace, "washer")[0].id, version_id)


def point(workspace):
    return find_inspector(workspace, "washer").current.operating_point


def press(app, label):
    next(one for one in app.button if one.label.startswith(label)).click().run()
    agree(app)
