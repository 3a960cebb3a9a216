"""Labelled scores by hand, with pictures, for tests of what is told of them."""

import numpy as np

from patchcore.evaluation.labelled_score import LabelledScore
from patchcore.thresholds.operating_point import Choice, OperatingPoint

MARK = np.zeros((40, 60), bool)
MARK[10:20, 30:40] = True


def item(name, kind, score, *, marked=True):
    def load_map():
        values = np.full((40, 60), 0.3, np.float32)
        values[10:20, 30:40] = score
        return values

    def load_pixels():
        return np.full((40, 60, 3), 120, np.uint8)

    return LabelledScore(name, kind, score, load_map, lambda: MARK if marked else None, load_pixels)


def some_of_each():
    """Of 7 defects 4 are rejected, 1 goes to review, 2 pass; of 5 good parts 1 is rejected at 2.0, 3.0."""
    good = [item(f"good/{n}.png", "good", score) for n, score in enumerate((0.8, 1.0, 1.2, 1.9, 3.2))]
    bent = [item(f"bent/{n}.png", "bent", score) for n, score in enumerate((1.1, 2.6, 3.1, 5.0, 7.0))]
    cut = [item(f"cut/{n}.png", "cut", score, marked=False) for n, score in enumerate((1.5, 6.0))]
    return [*good, *bent, *cut]


def point(accept=2.0, reject=3.0, **changes):
    values = {
        "rule": Choice("from_good", {"budget": 0.005}),
        "accept_rule": Choice("from_good", {"budget": 0.05}),
        "bank_id": "bank-1",
        "statement": "Set from 400 good images: at most 1 good part in 200 is expected to be rejected.",
        "set_by": "Ada",
        "set_at": "2025-03-03T09:12:00+00:00",
    }
    return OperatingPoint(accept, reject, **(values | changes))
