"""The audit: a bad photograph among the good ones ranks first, and its worst patch is framed."""

import pytest

from tests.workbench.parts import SMALL, plate, remove_good, store_plates
from workbench.evaluation.audit import audit
from workbench.inspections.batches import good_batch, score_batch
from workbench.inspectors.building import BuildSettings, build
from workbench.inspectors.versions import get_version


@pytest.fixture
def planted(workspace):
    """A version whose fourth good image has a scratch."""
    images = store_plates(workspace, 9)
    images[3] = workspace.store_image(plate(3, scratched=True), "good/scratched.png")
    version = build(workspace, BuildSettings(name="Plate", **SMALL), images, inspector_id="plate-1")
    return get_version(workspace, version.id)


def test_one_bad_photograph_among_the_good_ranks_first(workspace, planted):
    ranked = audit(workspace, planted)
    assert ranked[0].name == "good/scratched.png" and len(ranked) == 9
    assert [one.score for one in ranked] == sorted(planted.good_scores.values(), reverse=True)
    assert ranked[0].times_median > 1.5 and ranked[0].deviations > 5
    assert (ranked[0].worst_box, ranked[0].result_id) == (None, None)


def test_the_worst_patch_is_framed_once_its_map_is_made(workspace, planted):
    list(score_batch(workspace, good_batch(workspace, planted), planted))
    first = audit(workspace, planted)[0]
    x0, y0, x1, y1 = first.worst_box
    assert y0 < 35 and y1 > 29 and x0 < x1  # the scratch goes from row 29 to 35
    assert first.result.image.name == first.name and first.result_id == first.result.id


def test_a_removed_image_is_gone_and_the_threshold_falls(workspace, planted):
    worst = audit(workspace, planted)[0]
    after = remove_good(workspace, planted, [worst.sha256])
    ranked = audit(workspace, after)
    assert worst.sha256 not in {one.sha256 for one in ranked} and len(ranked) == 8
    assert after.operating_point["reject"] < planted.operating_point["reject"]


def test_numbers_are_multiples_of_the_median(workspace, version):
    version.good_scores = dict(zip(version.good_scores, [1.0, 2.0, 2.0, 3.0, 5.0, 10.0], strict=True))
    ranked = audit(workspace, version)
    assert [one.times_median for one in ranked] == [4.0, 2.0, 1.2, 0.8, 0.8, 0.4]
    assert ranked[0].deviations == pytest.approx(
        (10 - 2.5) / (1.4826 * 1.0)
    )  # |x - 2.5|: .5 .5 .5 1.5 2.5 7.5


def test_equal_scores_have_no_spread_and_no_images_no_rank(workspace, version):
    version.good_scores = dict.fromkeys(version.good_scores, 2.0)
    assert {(one.times_median, one.deviations) for one in audit(workspace, version)} == {(1.0, None)}
    version.good_scores = dict.fromkeys(version.good_scores, 0.0)
    assert {one.times_median for one in audit(workspace, version)} == {1.0}
    version.good_scores = {}
    assert audit(workspace, version) == []
