from patchcore.backbones import find_weights
from pretraining.cost import measure


def test_the_built_in_network_keeps_to_its_limits():
    cost = measure(size=64, rounds=1)
    assert cost["builtin"]["parameters_millions"] <= 3
    assert cost["builtin"]["milliseconds"] > 0
    assert cost["wide_resnet50_2"]["parameters_millions"] > 20
    weights = find_weights("builtin")
    assert weights is not None
    assert weights.stat().st_size <= 7_000_000
