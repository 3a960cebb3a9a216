"""The review queue: the review band and disagreements wait until somebody decides."""

from dataclasses import replace

import pytest

from patchcore.thresholds.operating_point import Choice, OperatingPoint
from tests.workbench.parts import store_plates
from workbench.inspections.batches import create_batch, list_results, score_batch
from workbench.inspections.decisions import call_defect, call_fine, take_back
from workbench.inspections.labels import set_label
from workbench.inspectors.versions import find_inspector, get_version, reslice, set_operating_point
from workbench.tuning.review_queue import called_fine, review_queue, skipped_last, unseen

DAYS = {1: "Monday", 2: "Tuesday"}


@pytest.fixture
def queued(worked):
    """Two batches with a good plate and three scratched ones, of which the one with the lowest score is in review."""
    version = get_version(worked, 1)
    images = store_plates(worked, 1, first=22, scratched=True, truth="scratch")
    later = create_batch(worked, version.inspector_id, images, "Tuesday")
    scratched = [*score_batch(worked, later, version), *list_results(worked, 1, version.id)]
    plain = scratched.pop()
    low, middle, high = sorted(scratched, key=lambda one: one.score)
    thresholds(worked, (plain.score + low.score) / 2, (low.score + middle.score) / 2)
    return {"plain": plain, "low": low, "middle": middle, "high": high}


def in_use(workspace):
    return find_inspector(workspace, "plate-1").current


def thresholds(workspace, accept, reject, **more):
    point = OperatingPoint.from_dict(in_use(workspace).operating_point)
    by_hand = {
        "rule": Choice("by_hand", {"value": reject}),
        "accept_rule": Choice("by_hand", {"value": accept}),
    }
    set_operating_point(
        workspace, in_use(workspace), replace(point, accept=accept, reject=reject, **by_hand, **more)
    )


def waiting(workspace):
    return [
        (one.result.image.name, one.verdict, one.batch) for one in review_queue(workspace, in_use(workspace))
    ]


def test_the_review_band_and_disagreements_wait_worst_first_over_all_batches(worked, queued):
    low, high, plain = queued["low"], queued["high"], queued["plain"]
    assert waiting(worked) == [(low.image.name, "review", DAYS[low.image.batch_id])]
    set_label(worked, plain.batch_image_id, "dent")
    set_label(worked, high.batch_image_id, "good")
    found = review_queue(worked, in_use(worked))
    assert [(one.result.image.name, one.verdict, one.batch, one.disagrees) for one in found] == [
        (high.image.name, "reject", DAYS[high.image.batch_id], True),
        (low.image.name, "review", DAYS[low.image.batch_id], False),
        (plain.image.name, "accept", "Monday", True),
    ]


def test_a_decided_image_leaves_the_queue_until_the_decision_is_taken_back(worked, queued):
    low = queued["low"]
    everything = waiting(worked)
    assert everything
    call_defect(worked, low)
    assert waiting(worked) == []
    take_back(worked, low)
    assert waiting(worked) == everything


def test_a_decision_holds_for_later_versions_and_what_they_have_not_scored_is_named(worked, queued):
    low = queued["low"]
    call_defect(worked, low)
    after = reslice(worked, in_use(worked), 0.2)
    assert waiting(worked) == []
    assert [(one.name, one.images) for one in unseen(worked, after)] == [("Tuesday", 1), ("Monday", 3)]
    list(score_batch(worked, 1, after))
    assert [one.name for one in unseen(worked, after)] == ["Tuesday"]
    assert low.image.name not in [name for name, _, _ in waiting(worked)]


def test_images_called_fine_but_not_accepted_may_be_taught(worked, queued):
    call_fine(worked, queued["low"])
    call_fine(worked, queued["plain"])  # accepted already
    assert [one.image.name for one in called_fine(worked, in_use(worked))] == [queued["low"].image.name]
    thresholds(worked, queued["low"].score, queued["low"].score, picture_check=False)
    assert called_fine(worked, in_use(worked)) == []


def test_images_judged_by_area_wait_where_their_verdict_says_review(worked, queued):
    low, high = queued["low"], queued["high"]
    reject = Choice("by_hand", {"value": 1e-6})
    thresholds(worked, low.score, low.score, pixel=1e-6, pixel_rule=reject, judge_by="both")
    found = {name: verdict for name, verdict, _ in waiting(worked)}
    assert found[low.image.name] == "review"  # its map shows a region, its score is accepted
    assert high.image.name not in found


def test_skipped_images_come_last_in_the_order_in_which_they_were(worked, queued):
    set_label(worked, queued["high"].batch_image_id, "good")
    set_label(worked, queued["plain"].batch_image_id, "dent")
    queue = review_queue(worked, in_use(worked))
    ids = [one.result.id for one in queue]
    again = [one.result.id for one in skipped_last(queue, [ids[1], ids[0]])]
    assert again == [*ids[2:], ids[1], ids[0]]
