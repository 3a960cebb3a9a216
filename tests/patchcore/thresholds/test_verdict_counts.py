"""Counting verdicts."""

import numpy as np
from scipy.stats import beta

from patchcore.statistics.curves import Undefined
from patchcore.thresholds.verdict_counts import Rate, count_verdicts


def test_a_rate_has_the_exact_interval():
    low, high = Rate(3, 50).interval
    assert np.allclose((low, high), (beta.ppf(0.025, 3, 48), beta.ppf(0.975, 4, 47)))
    assert Rate(3, 50).value == 0.06
    assert isinstance(Rate(0, 0).value, Undefined) and isinstance(Rate(0, 0).interval, Undefined)


def test_images_without_a_verdict_are_not_counted():
    images = [(False, "reject"), (False, None), (True, "review"), (True, "reject")]
    counts = count_verdicts(images)
    assert (counts.good, counts.false_rejects, counts.defects, counts.caught, counts.review) == (
        1,
        1,
        2,
        1,
        1,
    )
    assert counts.to_dict()["escape_interval"][0] == 0.0
    assert count_verdicts([(False, None)]) is None
    assert count_verdicts(images[:1]).to_dict()["escape_interval"] is None
