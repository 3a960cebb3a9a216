import numpy as np
import pytest
from scipy.stats import hypergeom

from patchcore.errors import DataError
from patchcore.statistics.curves import Undefined
from patchcore.statistics.stratified import Stratum, largest_count, sampled_rate


def test_the_largest_count_is_the_last_that_the_hypergeometric_distribution_allows():
    for events, sampled, size in [(0, 20, 200), (3, 20, 25), (0, 1, 2), (5, 5, 40), (7, 60, 2_000)]:
        totals = np.arange(events, size - (sampled - events) + 1)
        chances = hypergeom.cdf(events, size, totals, sampled)
        assert largest_count(events, sampled, size, 0.025) == totals[chances > 0.025].max()


def test_a_group_whose_images_are_all_labelled_has_no_width():
    found = sampled_rate([Stratum(30, 30, 3, True), Stratum(12, 12, 9, False)])
    assert found.value == found.interval[0] == found.interval[1] == 3 / 12
    assert (found.count_interval, found.population) == ((3, 3), 30)


def test_an_image_stands_for_those_it_was_drawn_from():
    found = sampled_rate([Stratum(200, 20, 2, True), Stratum(10, 10, 10, False)])
    assert found.value == pytest.approx(20 / 30)  # 2 of 20 stand for 20 of 200
    assert found.interval[0] < 20 / 30 < found.interval[1]
    assert found.count_interval[0] <= 20 <= found.count_interval[1]


def test_no_escape_among_few_accepted_images_does_not_mean_that_there_is_none():
    found = sampled_rate([Stratum(200, 20, 0, True), Stratum(15, 15, 15, False)])
    assert found.value == 0 and found.interval == (0, pytest.approx(32 / 47))


def test_a_group_without_a_sample_leaves_the_rate_open():
    found = sampled_rate([Stratum(200, 0, 0, True), Stratum(15, 15, 15, False)])
    assert isinstance(found.value, Undefined) and "200 images" in found.value.reason
    assert found.interval == (0, pytest.approx(200 / 215))
    assert isinstance(sampled_rate([Stratum(9, 9, 0, True)]).value, Undefined)


@pytest.mark.parametrize("counts", [(3, 4, 1), (5, 3, 4), (5, 3, -1)])
def test_counts_that_no_sample_has_are_refused(counts):
    with pytest.raises(DataError, match="no more events than images"):
        Stratum(*counts, counted=True)


@pytest.mark.parametrize(
    "groups",  # images, defects, images drawn: of accepted, of reviewed, of rejected ones
    [
        ((203, 38, 20), (20, 12, 20), (31, 10, 10)),  # two thirds escape, as on the tiles of the first trial
        ((400, 2, 20), (30, 6, 10), (25, 20, 10)),  # escapes are rare
        ((40, 20, 5), (10, 5, 3), (10, 9, 3)),  # few images
        ((60, 0, 15), (15, 1, 5), (20, 1, 5)),  # hardly any defect
    ],
)
def test_the_interval_covers_the_truth_at_least_as_often_as_it_says(groups):
    rng, times, covered, estimates = np.random.default_rng(3), 400, 0, []
    truth = groups[0][1] / sum(defects for _, defects, _ in groups)
    for _ in range(times):
        strata = [
            Stratum(size, drawn, int((rng.permutation(size)[:drawn] < defects).sum()), place == 0)
            for place, (size, defects, drawn) in enumerate(groups)
        ]
        found = sampled_rate(strata)
        covered += found.interval[0] <= truth <= found.interval[1]
        if not isinstance(found.value, Undefined):
            estimates.append(found.value)
    assert covered >= 0.95 * times
    assert (
        abs(np.mean(estimates) - truth) < 0.12
    )  # a ratio of estimates is biased a little where images are few
