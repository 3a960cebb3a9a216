from dataclasses import replace

import pytest

from patchcore.thresholds.operating_point import Choice, OperatingPoint
from tests.pages.texts import HOSTILE, words
from workbench.inspections.batches import list_batches, list_results
from workbench.inspections.labels import set_label
from workbench.inspectors.versions import find_inspector, set_operating_point
from workbench.people import roles
from workbench.people.roles import Person, Role
from workbench.tuning.label_sampling import left_to_label
from workbench.tuning.review_queue import review_queue
from workbench.widgets.shared import wording
from workbench.widgets.shared.session import sentence as escaped


@pytest.fixture
def banded(full):
    """A workspace in which all three test images are in the review band."""
    version = find_inspector(full, "washer").current
    scores = [one.score for one in stored(full)]
    point = OperatingPoint.from_dict(version.operating_point)
    low, high = 0.9 * min(scores), 1.1 * max(scores)
    rules = {"rule": Choice("by_hand", {"value": high}), "accept_rule": Choice("by_hand", {"value": low})}
    set_operating_point(full, version, replace(point, accept=low, reject=high, **rules))
    return full


def stored(workspace):
    version = find_inspector(workspace, "washer").current
    results = list_results(workspace, list_batches(workspace, "washer")[0].id, version.id)
    return [one for one in results if one.score is not None]


def waiting(workspace):
    return [
        one.result.image.name for one in review_queue(workspace, find_inspector(workspace, "washer").current)
    ]


def press(app, label):
    next(one for one in app.button if one.label == label).click().run()
    assert not app.exception


def test_without_an_inspector_the_page_says_what_to_do(empty, open_app):
    app = open_app("review")
    assert "there is none yet" in words(app)


def test_an_empty_queue_explains_itself_and_offers_the_next_step(full, open_app):
    app = open_app("review", inspector="washer")
    assert "Nothing waits for a decision." in words(app) and "review band" in words(app)
    assert {"Inspect images", "Tune the threshold"} <= {button.label for button in app.button}


def test_images_are_decided_one_after_the_other_skipped_and_taken_back(banded, open_app):
    names = waiting(banded)
    assert len(names) == 3
    app = open_app("review", inspector="washer")
    assert "3 images left to decide on" in words(app) and "in the review band" in words(app)
    assert HOSTILE not in words(app)
    press(app, "Skip")
    press(app, "Defect")
    assert "2 images left" in words(app) and names[1] not in waiting(banded)
    assert {one.image.name: one.image.truth for one in stored(banded)}[names[1]] == "defect"
    press(app, "Undo")
    assert waiting(banded) == names and "3 images left" in words(app)
    assert f"**{escaped(names[1])}**" in words(app)
    press(app, "Fine")
    press(app, "Next")
    press(app, "Previous")
    assert "2 images left" in words(app)
    assert any(button.label == "Teach the image you called fine" for button in app.button)


def test_teaching_shows_its_changes_before_it_is_stored_and_can_be_undone(banded, open_app):
    version = find_inspector(banded, "washer").current
    app = open_app("review", inspector="washer")
    press(app, "Fine")
    press(app, "Teach the image you called fine")
    assert "Patches in the bank" in words(app)
    app = open_app("review", inspector="washer", teach=app.query_params["teach"][0])  # as after a reload
    assert "Patches in the bank" in words(app)
    assert find_inspector(banded, "washer").current.id == version.id
    assert [box.label for box in app.checkbox] == [
        f"Keep the threshold that was set by hand, {wording.score(version.operating_point['reject'])}"
    ]
    press(app, "Teach")
    after = find_inspector(banded, "washer").current
    assert (after.number, after.change) == (2, "teach")
    assert after.operating_point["reject"] == version.operating_point["reject"]
    assert "has not scored" in words(app)
    press(app, "Undo teaching")
    assert find_inspector(banded, "washer").current.id == version.id
    assert any(button.label == "Teach the image you called fine" for button in app.button)


def test_a_viewer_sees_the_queue_and_decides_nothing(banded, open_app, monkeypatch):
    monkeypatch.setattr(roles, "local_person", lambda: Person("Eve", Role.VIEW))
    app = open_app("review", inspector="washer")
    off = {button.label: button.disabled for button in app.button}
    assert off["Fine"] and off["Defect"] and not off["Skip"]


def test_an_address_of_nonsense_shows_the_first_image(banded, open_app):
    app = open_app("review", inspector="washer", queued="-7")
    assert "3 images left" in words(app)


def test_images_drawn_at_random_are_labelled_one_by_one_also_after_a_reload(banded, open_app):
    version, batch = find_inspector(banded, "washer").current, list_batches(banded, "washer")[0].id
    set_label(banded, stored(banded)[0].batch_image_id, "dent")
    app = open_app("evaluate", inspector="washer", set=str(batch))
    assert "0 <small>of 1</small>" in words(app)  # escapes, without a share
    set_operating_point(banded, version, replace(point_of(banded), accept=900.0, reject=900.0))
    app.run()
    press(app, "Label 20 accepted images picked at random")
    assert len(left_to_label(banded, version, batch)) == 2
    for number, key in ((2, "D"), (1, "F")):
        app = open_app("review", inspector="washer", drawn=str(batch))
        assert f"{wording.counted(number, 'image')} drawn at random left to label" in words(app)
        app.button(key=f"review_{key}").click().run()
    assert "Every image that was drawn at random has a label." in words(app)
    assert {"See the figures", "To the images in review"} <= {button.label for button in app.button}
    app = open_app("evaluate", inspector="washer", set=str(batch))
    assert (
        'about 100 % <small>(100 % to 100 %), <span class="pc-reject">2</span> of 2 labelled</small>'
        in words(app)
    )


def test_a_draw_of_another_inspector_is_no_queue(banded, open_app):
    app = open_app("review", inspector="washer", drawn="999")
    assert "3 images left to decide on" in words(app)


def point_of(workspace):
    return OperatingPoint.from_dict(find_inspector(workspace, "washer").current.operating_point)
