"""A doubtful picture is reviewed wherever a verdict is formed or stored, unless the check is off."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import select, update

from patchcore.inspection import inspect
from patchcore.thresholds.operating_point import Choice, OperatingPoint
from tests.workbench.parts import SIDE, picture, remove_good, store_plates
from workbench.evaluation.comparison import compare
from workbench.evaluation.measures import evaluation_of
from workbench.inspections.batches import create_batch, score_batch
from workbench.inspections.decisions import call_fine
from workbench.inspections.exports import results_csv
from workbench.inspections.history_export import write_csv
from workbench.inspections.history_query import Filter
from workbench.inspections.picture_doubts import doubt_sentences
from workbench.inspectors.good_doubts import good_doubts
from workbench.inspectors.versions import get_version, load_model, set_operating_point
from workbench.storage.tables import Inspection, InspectorVersion, Result
from workbench.tuning import evidence
from workbench.tuning.evidence import judged, verdict_of
from workbench.tuning.review_queue import review_queue
from workbench.tuning.teaching import keep_teaching
from workbench.tuning.teaching_preview import preview_teaching

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)  # no matter of the database
LENIENT = 1e6  # by patches alone everything is accepted
BY_HAND = Choice("by_hand", {"value": LENIENT})
BLANKS = {
    "black.png": np.zeros((SIDE, SIDE, 3), np.uint8),
    "white.png": np.full((SIDE, SIDE, 3), 255, np.uint8),
    "grey.png": np.full((SIDE, SIDE, 3), 128, np.uint8),
}


@pytest.fixture
def lenient(workspace, version):
    """A version that accepts every picture by its patches, with the check on."""
    return put(workspace, version, accept=LENIENT, reject=LENIENT, rule=BY_HAND, accept_rule=None)


def put(workspace, version, **changes):
    point = OperatingPoint.from_dict(get_version(workspace, version.id).operating_point)
    set_operating_point(workspace, version, replace(point, **changes))
    return get_version(workspace, version.id)


@pytest.fixture
def scored(workspace, lenient):
    """A batch of three blanks, labelled as defects, and a good plate; its id and its results by name."""
    images = [workspace.store_image(picture(pixels), name, truth="blank") for name, pixels in BLANKS.items()]
    images += store_plates(workspace, 1, first=70, truth="good")
    batch = create_batch(workspace, lenient.inspector_id, images, "Monday")
    return batch, {result.image.name: result for result in score_batch(workspace, batch, lenient)}


def lines(table):
    return {line["file"]: line for line in csv.DictReader(io.StringIO(table.decode("utf-8-sig")))}


def test_blanks_are_to_review_in_history_queue_and_files(workspace, lenient, scored):
    batch, results = scored
    point, model = OperatingPoint.from_dict(lenient.operating_point), load_model(workspace, lenient)
    history = io.BytesIO()
    write_csv(workspace, Filter(), history)
    table, past = lines(results_csv(workspace, list(results.values()), point)), lines(history.getvalue())
    with workspace.database.read() as session:
        rows = {row.name: row for row in session.scalars(select(Inspection))}
    known = {one.name: one for one in evidence.tested_images(workspace, lenient, batch)}
    for name, result in results.items():
        alone = inspect(model, workspace.image_path(result.image.sha256), point)  # as the command line does
        expected = "review" if name in BLANKS else "accept"
        assert alone.verdict == expected and [one.sentence for one in alone.doubts] == doubt_sentences(result)
        assert judged(workspace, result, point) == verdict_of(known[name], point) == expected
        assert rows[name].verdict == table[name]["verdict"] == past[name]["verdict"] == expected
        assert rows[name].doubts == result.doubts and rows[name].picture_check is True
        sentences = " ".join(doubt_sentences(result))
        assert table[name]["doubts"] == past[name]["doubts"] == sentences
        assert bool(sentences) == (name in BLANKS) and past[name]["picture check"] == "on"
    assert {one.result.image.name for one in review_queue(workspace, lenient)} == set(BLANKS)


def test_evaluation_counts_them_as_review_and_the_switch_turns_them_into_escapes(workspace, lenient, scored):
    batch, results = scored
    counts = evaluation_of(workspace, batch, lenient).counts
    assert (counts.review, counts.escape_rate.events) == (3, 0)
    off = put(workspace, lenient, picture_check=False)
    counts = evaluation_of(workspace, batch, off).counts
    assert (counts.review, counts.escape_rate.events) == (0, 3)
    point = OperatingPoint.from_dict(off.operating_point)
    assert {judged(workspace, result, point) for result in results.values()} == {"accept"}
    labels = {one.result.image.name: one.verdict for one in review_queue(workspace, off)}
    assert labels == dict.fromkeys(BLANKS, "accept")  # they wait because they contradict their labels
    differing = compare(workspace, batch, lenient, off).disagreements
    assert {(one.first_verdict, one.second_verdict) for one in differing} == {("review", "accept")}


@SQLITE
def test_judged_by_regions_they_are_reviewed_too(workspace, lenient, scored):
    batch, _ = scored
    by_area = put(workspace, lenient, judge_by="area", pixel=LENIENT, pixel_rule=BY_HAND)
    point = OperatingPoint.from_dict(by_area.operating_point)
    known = evidence.tested_images(workspace, by_area, batch)
    assert [verdict_of(one, point) for one in known] == ["review"] * 3 + ["accept"]
    assert {one.result.image.name for one in review_queue(workspace, by_area)} == set(BLANKS)
    assert evaluation_of(workspace, batch, by_area).counts.review == 3


def test_scores_of_before_the_check_are_judged_by_their_patches(workspace, lenient, scored):
    with workspace.database.write() as session:
        session.execute(update(Result).values(doubts=None))
        session.execute(update(Inspection).values(doubts=None, picture_check=None))
        version = session.get_one(InspectorVersion, lenient.id)
        version.numbers = {name: value for name, value in version.numbers.items() if name != "good_doubts"}
        version.operating_point = {
            name: value for name, value in version.operating_point.items() if name != "picture_check"
        }
    old = get_version(workspace, lenient.id)
    point = OperatingPoint.from_dict(old.operating_point)
    assert point.picture_check and good_doubts(old) == {}
    with workspace.database.read() as session:
        for result in session.scalars(select(Result)):
            assert judged(workspace, result, point) == "accept" and doubt_sentences(result) == []
    history = io.BytesIO()
    write_csv(workspace, Filter(), history)
    assert {line["doubts"] + line["picture check"] for line in lines(history.getvalue()).values()} == {""}


@SQLITE
def test_versions_taught_and_with_fewer_good_images_keep_the_check(workspace, lenient, scored):
    _, results = scored
    call_fine(workspace, results["grey.png"])
    taught = keep_teaching(workspace, preview_teaching(workspace, lenient, [results["grey.png"]]))
    fewer = remove_good(workspace, taught, [next(iter(taught.good_scores))])
    for version in (taught, fewer):
        model = load_model(workspace, version)
        kinds = {name: {one.kind for one in model.score(pixels).doubts} for name, pixels in BLANKS.items()}
        assert "brightness" in kinds["black.png"] and not kinds["grey.png"]
        assert OperatingPoint.from_dict(version.operating_point).picture_check
