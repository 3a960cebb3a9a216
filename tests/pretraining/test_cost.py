from patchcore.backbones import find_weights
from pretraining.cost import measure


def test_the_built_in_networks_keep_to_their_limits():
    cost = measure(size=64, rounds=1)
    for name in ("builtin", "builtin_texture", "builtin_metric", "builtin_context", "builtin_whole"):
        assert cost[name]["parameters_millions"] <= 3
        assert cost[name]["milliseconds"] > 0
    assert cost["wide_resnet50_2"]["parameters_millions"] > 20
    for name in ("builtin", "builtin_texture", "builtin_metric", "builtin_context", "builtin_whole"):
        weights = find_weights(name)
        assert weights is not None
        assert weights.stat().st_size <= 7_000_000
