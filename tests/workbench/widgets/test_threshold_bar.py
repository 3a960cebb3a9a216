import pytest

from workbench.widgets.threshold_bar import axis_top


@pytest.mark.parametrize(
    ("threshold", "scores", "top"), [(3.42, [5.1], 7.0), (0.6, [0.5], 1.5), (1.0, [9.7], 10.0)]
)
def test_the_axis_ends_at_a_round_score_beyond_all(threshold, scores, top):
    assert axis_top(threshold, scores) == pytest.approx(top)
