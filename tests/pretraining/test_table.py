from pretraining.table import kinds, markdown


def _row(area, aupro=0.5):
    return {
        "image": {"auroc": area},
        "pixel": {"auroc": 0.9, "aupro": aupro},
        "types": {"hole": {"auroc": area - 0.1}},
    }


ROWS = {
    "good/tile/0": _row(0.9),
    "good/tile/1": _row(0.8),
    "good/nut/0": _row(1.0, 0.6),
    "good/nut/1": _row(1.0, 0.8),
    "poor/tile/0": _row(0.6),
}


def test_the_best_comes_first_with_mean_and_range_and_what_lacks_is_said():
    assert markdown(ROWS).splitlines() == [
        "| backbone | nut | tile | mean |",
        "| --- | --- | --- | --- |",
        "| `good` | 1.000 (0.900 / 0.700) | 0.850 [0.800, 0.900] (0.900 / 0.500) | 0.925 |",
        "| `poor` | not measured | 0.600 (0.900 / 0.500), seeds: 1 | – |",
    ]


def test_kinds_of_defect_are_the_mean_of_the_seeds():
    assert kinds(ROWS).splitlines() == [
        "nut, good: hole 0.90",
        "tile, good: hole 0.75",
        "tile, poor: hole 0.50",
    ]
