from dataclasses import replace

import numpy as np
import pytest
import streamlit as st

from patchcore.thresholds.operating_point import Choice, OperatingPoint
from tests.pages.texts import HOSTILE, agree, words
from tests.patchcore.thresholds.toy import sigmas  # noqa: F401 - a fixture
from workbench.inspections.background_scorer import Scorer
from workbench.inspections.batches import good_batch, list_batches, list_results, score_batch
from workbench.inspections.labels import set_label
from workbench.inspectors.point_history import point_history
from workbench.inspectors.versions import find_inspector, set_operating_point
from workbench.people import roles
from workbench.tuning.label_sampling import draw_sample, left_to_label
from workbench.viewer import RegionRule, Thresholds
from workbench.widgets.shared import detail_view
from workbench.widgets.tune import overview


@pytest.fixture
def given(monkeypatch):
    """What the page gives the viewers, by the viewer's name."""
    seen = {"events": []}

    def strip(dots, thresholds, **rest):
        seen["strip"] = {"dots": dots, "thresholds": thresholds, **rest}
        if seen["events"]:  # told to the page as the browser does: a call before a run
            seen["events"].pop()()
            st.rerun()

    def gallery(tiles, thresholds, **rest):
        seen["near"] = {"tiles": tiles, "thresholds": thresholds, **rest}

    def outcome(dots, thresholds, stored, **rest):
        seen["outcome"] = {"dots": dots, "thresholds": thresholds, "stored": stored, **rest}

    def detail(item, name, load, score, thresholds, **rest):
        seen["detail"] = {"item": item, "name": name, "thresholds": thresholds, **rest}

    monkeypatch.setattr(overview, "threshold_strip", strip)
    monkeypatch.setattr(overview, "gallery", gallery)
    monkeypatch.setattr(overview, "outcome", outcome)
    monkeypatch.setattr(detail_view, "detail", detail)
    return seen


@pytest.fixture
def mapped(full):
    """The workspace with the maps of its good images, which the page otherwise has made in the background."""
    version = find_inspector(full, "washer").current
    assert len(list(score_batch(full, good_batch(full, version), version))) == 4
    return full


def test_without_an_inspector_the_page_says_what_to_do(empty, open_app):
    app = open_app("tune")
    assert "there is none yet" in words(app)


def test_every_known_image_is_a_dot_on_the_strip(mapped, full, open_app, given):
    open_app("tune", inspector="washer")
    kinds = [dot.kind for dot in given["strip"]["dots"]]
    assert kinds == ["reference"] * 4 + ["image"] * 3
    tiles = given["near"]["tiles"]
    assert [tile.fixed for tile in tiles] == [True] * 4 + [False] * 3
    assert all(tile.picture.read().startswith(b"PCT1") for tile in tiles)
    assert {dot.key for dot in given["strip"]["dots"]} == {tile.key for tile in tiles}
    stored = point(full)
    assert given["strip"]["thresholds"].reject == stored.reject == given["outcome"]["stored"].reject
    assert [dot.kind for dot in given["outcome"]["dots"]] == ["reference"] * 4  # nothing else is known yet


def field(app, label):
    """The list of a label; its key changes when the page sets it."""
    return next(box for box in app.selectbox if box.label == label)


def bars(app):
    return " ".join(one.proto.text for one in app.get("progress"))


def test_maps_of_the_good_images_are_made_in_the_background(full, open_app, given):
    app = open_app("tune", inspector="washer")
    assert len(given["near"]["tiles"]) == 3 and "Scoring for maps" in bars(app)
    version, scorer = find_inspector(full, "washer").current, Scorer(full)
    scorer.want(good_batch(full, version), version.id)
    while scorer.wait(good_batch(full, version), version.id, 1.0):
        pass
    scorer.stop()
    app.run()
    assert len(given["near"]["tiles"]) == 7 and "Scoring" not in bars(app)


def test_too_few_good_images_get_a_sentence_and_the_strictest_rule_they_allow(full, open_app, given):
    app = open_app("tune", inspector="washer")
    app.selectbox(key="tune_rule").set_value("from_good").run()
    assert app.text_input(key="tune_rule_from_good_budget").value == "200"
    assert "at least 195 more good images are needed" in app.warning[0].value
    assert button(app, "Use this").disabled
    app.text_input(key="tune_rule_from_good_budget").set_value("4").run()
    scores = sorted(find_inspector(full, "washer").current.good_scores.values())
    assert not app.warning and given["strip"]["thresholds"].reject == scores[3]  # ceil(5 x 3/4) = 4th of 4
    app.text_input(key="tune_rule_from_good_budget").set_value("200").run()
    press(app, "Set it from the worst of these 4 good images")
    assert not app.warning and given["strip"]["thresholds"].reject == scores[3]


def test_a_dragged_line_is_a_rule_by_hand_and_is_stored_with_its_note(full, open_app, given):
    app = open_app("tune", inspector="washer")
    assert button(app, "Use this").disabled
    drag(app, given, Thresholds(0.25, 0.2))
    assert field(app, "Reject above").value == field(app, "Send to review").value == "by_hand"
    assert given["outcome"]["thresholds"] == Thresholds(0.25, 0.2)
    app.text_input(key="tune_note_washer").input("after the new lamp")
    press(app, "Use this")
    kept = point(full)
    assert (kept.reject, kept.accept, kept.note, kept.set_by) == (
        0.25,
        0.2,
        "after the new lamp",
        roles.current().name,
    )
    assert "trial" not in app.query_params and button(app, "Use this").disabled
    assert len(kept.evidence.good) == 4


def test_the_rule_and_the_table_count_the_same_verdicts_and_say_what_becomes_of_unlabelled_images(
    full, open_app, given
):
    version = find_inspector(full, "washer").current
    results = list_results(full, list_batches(full, "washer")[0].id, version.id)
    scored = sorted((one for one in results if one.score is not None), key=lambda one: one.score)
    set_label(full, scored[-1].batch_image_id, "scratch")
    app = open_app("tune", inspector="washer")
    drag(app, given, Thresholds(0.25, None))
    text = words(app)
    assert "Set by hand to 0.25. It rejects 4 of 4 good images and accepts 0 of 1 defect." in text.replace(
        "\\", ""
    )
    assert "Of 2 images without a label it rejects 2." in text.replace("\\", "")
    drag(app, given, Thresholds(1e4, None))
    assert "It rejects 0 of 4 good images and accepts 1 of 1 defect." in words(app).replace("\\", "")
    kinds = [dot.kind for dot in given["outcome"]["dots"]]
    assert (kinds.count("reference"), kinds.count("defect"), len(given["outcome"]["others"])) == (4, 1, 2)


def test_a_threshold_that_rejects_nothing_or_everything_is_put_in_force_only_after_a_second_look(
    full, open_app, given
):
    before = point(full)
    app = open_app("tune", inspector="washer")
    for line, told in (
        (0.25, "Everything would be rejected: all 7"),
        (1e4, "Nothing would be rejected: the highest"),
    ):
        drag(app, given, Thresholds(line, None))
        button(app, "Use this").click().run()
        assert told in app.warning[0].value.replace("\\", "") and point(full) == before
    button(app, "Leave it as it is").click().run()
    assert point(full) == before and not app.exception
    button(app, "Use this").click().run()
    button(app, "Put it in force").click().run()
    assert point(full).reject == 1e4 and "rejects 0 of 4 good images" in point(full).statement


def test_an_outdated_browser_does_not_undo_a_dragged_line(full, open_app, given):
    app = open_app("tune", inspector="washer")
    rule = app.selectbox(key="tune_rule").set_value("from_good")
    rule.run()
    drag(app, given, Thresholds(0.25, 0.2))
    send_late(app, rule)
    assert given["outcome"]["thresholds"] == Thresholds(0.25, 0.2)
    field(app, "Reject above").set_value("from_good").run()  # and the list of now is heard
    assert given["outcome"]["thresholds"] != Thresholds(0.25, 0.2)


def test_a_late_number_of_an_earlier_rule_is_ignored(full, open_app, given):
    app = open_app("tune", inspector="washer")
    app.selectbox(key="tune_review").set_value("from_good").run()
    one_in = app.text_input(key="tune_review_from_good_budget")
    drag(app, given, Thresholds(0.25, 0.2))  # the review line is set by hand too: its rule's number is gone
    one_in.set_value("30")
    send_late(app, one_in)
    assert given["outcome"]["thresholds"] == Thresholds(0.25, 0.2)
    assert field(app, "Reject above").value == field(app, "Send to review").value == "by_hand"


def test_an_outdated_browser_does_not_undo_a_moved_slider(mapped, full, open_app, given):
    app = open_app("tune", inspector="washer")
    area = app.text_input(key="tune_area").set_value("5")
    area.run()
    given["events"].append(lambda: given["detail"]["on_rule"](RegionRule(0.1, 70)))
    app.run()
    assert given["detail"]["min_area"] == 70
    send_late(app, area)
    assert given["detail"]["min_area"] == 70
    app.text_input(key="tune_area:1").set_value("8").run()
    assert given["detail"]["min_area"] == 8


def test_changes_of_two_fields_before_one_run_both_count(full, open_app, given):
    app = open_app("tune", inspector="washer")
    first = given["strip"]["on_thresholds"]
    app.selectbox(key="tune_judge").set_value("area").run()
    given["events"].append(lambda: first(Thresholds(0.25, 0.2)))  # of the page before
    app.run()
    assert app.selectbox(key="tune_judge").value == "area"
    assert given["outcome"]["thresholds"] == Thresholds(0.25, 0.2)


def send_late(app, element):
    """Run the page as a browser does that still sends a field as it was."""
    late = app._tree.get_widget_states()
    late.widgets.append(element._widget_state)
    app._run(late)


def test_labels_make_more_rules_and_can_be_taken_back(mapped, full, open_app, given):
    app = open_app("tune", inspector="washer")
    assert "no_escapes" not in app.selectbox(key="tune_rule").options
    assert "More rules appear" in words(app)
    worst = max(given["near"]["tiles"][4:], key=lambda tile: tile.score)
    label(app, given, worst.key, "defect")
    assert [dot.kind for dot in given["strip"]["dots"]].count("defect") == 1
    app.selectbox(key="tune_rule").set_value("no_escapes").run()
    assert given["strip"]["thresholds"].reject < worst.score
    press(app, "Use this")
    assert list(point(full).evidence.defect.values()) == [worst.score]
    press(app, "Undo the last label")
    assert truths(full) == [None] * 4


def test_an_image_of_the_bank_keeps_its_label(mapped, full, open_app, given):
    app = open_app("tune", inspector="washer")
    label(app, given, given["near"]["tiles"][0].key, "defect")
    assert [dot.kind for dot in given["strip"]["dots"]].count("reference") == 4


def test_earlier_thresholds_are_restored(full, open_app, given):
    first = point(full)
    app = open_app("tune", inspector="washer")
    drag(app, given, Thresholds(0.25))
    press(app, "Use this")
    assert point(full).reject == 0.25
    press(app, "Restore")
    assert point(full).reject == first.reject
    assert [stored.point.reject for stored in point_history(full, "washer")] == [
        first.reject,
        0.25,
        first.reject,
    ]
    drag(app, given, Thresholds(900.0))
    press(app, "Use this")
    press(app, "Restore")
    next(one for one in app.button if one.label == "Restore").click().run()  # of 900
    assert point(full).reject == first.reject and "Nothing would be rejected" in app.warning[0].value
    agree(app)
    assert point(full).reject == 900.0


def test_regions_are_set_live_and_images_judged_by_them(full, open_app, given):
    app = open_app("tune", inspector="washer")
    assert given["detail"]["adjustable"] and not given["detail"]["reveal"]
    told(app, given, lambda: given["detail"]["on_rule"](RegionRule(0.2, 12)))
    assert given["detail"]["pixel_threshold"] == 0.2 and given["near"]["min_area"] == 12
    app.selectbox(key="tune_judge").set_value("area").run()
    assert given["near"]["judge_by"] == "area"
    assert all(tile.peak is not None for tile in given["near"]["tiles"])
    app.text_input(key="tune_scale").set_value("0,5").run()
    app.text_input(key="tune_area_mm").set_value("10").run()
    assert given["near"]["min_area"] == 40  # 10 mm² / 0.25 mm²
    press(app, "Use this")
    kept = point(full)
    assert (kept.judge_by, kept.pixel, kept.min_area, kept.millimetres_per_pixel) == ("area", 0.2, 40, 0.5)


def test_the_pixel_threshold_comes_from_the_good_images_maps(mapped, full, open_app, given):
    app = open_app("tune", inspector="washer")
    app.selectbox(key="tune_pixel").set_value("provisional").run()
    assert not app.warning
    press(app, "Use this")
    kept = point(full)
    assert len(kept.evidence.map_peaks) == 4 and kept.pixel == max(kept.evidence.map_peaks.values())


def test_an_outdated_threshold_gets_a_sentence_and_can_be_set_again(full, open_app, given):
    inspector = find_inspector(full, "washer")
    with full.database.write() as session:
        row = session.get(type(inspector.current), inspector.current.id)
        row.operating_point = point(full).outdated("The bank has changed.").to_dict()
    app = open_app("tune", inspector="washer")
    assert any("out of date" in one.value for one in app.warning)
    app.selectbox(key="tune_rule").set_value("no_false_rejects").run()
    press(app, "Use this")
    assert not point(full).stale and not any("out of date" in one.value for one in app.warning)


def test_an_address_of_nonsense_does_no_harm(full, open_app, given):
    open_app("tune", inspector="washer", trial="{}", look="-3", good="<b>")
    assert given["strip"]["thresholds"].reject == point(full).reject


def test_names_are_never_html(full, open_app):
    app = open_app("tune", inspector="washer")
    set_operating_point(full, find_inspector(full, "washer").current, point(full))
    assert HOSTILE not in words(app)


def point(workspace):
    return OperatingPoint.from_dict(find_inspector(workspace, "washer").current.operating_point)


def truths(workspace):
    version = find_inspector(workspace, "washer").current
    batch = list_batches(workspace, "washer")[0].id
    return [result.image.truth for result in list_results(workspace, batch, version.id)]


def drag(app, given, thresholds):
    told(app, given, lambda: given["strip"]["on_thresholds"](thresholds))


def label(app, given, key, known):
    told(app, given, lambda: given["near"]["on_labelled"](key, known))


def told(app, given, call):
    """Do what a viewer does: call back, then run."""
    given["events"].append(call)
    app.run()
    assert not app.exception


def button(app, text):
    return next(one for one in app.button if one.label == text)


def press(app, text):
    next(one for one in app.button if one.label == text and not one.disabled).click().run()
    agree(app)


def test_a_rule_of_one_file_and_one_line_is_offered_and_applied(full, open_app, given, sigmas):  # noqa: F811
    app = open_app("tune", inspector="washer")
    assert "Mean and spread of the good scores" in app.selectbox(key="tune_rule").options
    app.selectbox(key="tune_rule").set_value("sigmas").run()
    count = app.text_input(key="tune_rule_sigmas_count")
    assert (count.label, float(count.value)) == ("Standard deviations", 3.0)
    count.set_value("10").run()
    assert "is out of range" in words(app)
    count = app.text_input(key="tune_rule_sigmas_count:1")
    count.set_value("2").run()
    scores = np.array(list(find_inspector(full, "washer").current.good_scores.values()))
    assert given["strip"]["thresholds"].reject == pytest.approx(scores.mean() + 2 * scores.std())
    press(app, "Use this")
    assert point(full).rule == Choice("sigmas", {"count": 2.0})


def test_labels_set_one_by_one_have_counts_alone_until_images_drawn_at_random_are_labelled(
    full, open_app, given
):
    version = find_inspector(full, "washer").current
    set_operating_point(full, version, replace(point(full), accept=900.0, reject=900.0))
    batch = list_batches(full, "washer")[0].id
    first, *rest = [one for one in list_results(full, batch, version.id) if one.score is not None]
    set_label(full, first.batch_image_id, "dent")
    app = open_app("tune", inspector="washer")
    assert given["outcome"]["counts_alone"] == ["defect"] and "scores chose the images" in words(app)
    field(app, "Reject above").set_value("no_escapes").run()
    assert "no plain sample of the parts" in words(app).replace("\\", "")
    draw_sample(full, version, batch, None)
    left = left_to_label(full, version, batch)
    assert {one.id for one in left} == {one.id for one in rest}
    app.run()
    assert button(app, "Label the 2 images drawn at random")
    for one in left:
        set_label(full, one.batch_image_id, "good")
    said = words(app.run()).replace("\\", "")
    assert "Estimated from images drawn at random: " in said and "and from 1 image labelled before" in said
    assert "Escapes: about 0 % of defects (0 % to 0 %), 0 to 0 of" in said  # at the rule on trial
