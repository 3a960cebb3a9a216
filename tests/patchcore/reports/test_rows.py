"""Rows and tiles of the report."""

from patchcore.evaluation.measures import measure, on_basis
from patchcore.reports.rows import (
    MOST_PROBLEMS,
    drawn_curves,
    metric_tiles,
    score_rows,
    shortened,
    sweep_columns,
    sweep_table,
    threshold_rules,
)
from patchcore.thresholds.label_basis import CHOSEN, Cell, LabelBasis
from tests.patchcore.labelled_sets import point, some_of_each


def test_tiles_have_value_interval_and_meaning():
    tiles = {tile["label"]: tile for tile in metric_tiles(measure(some_of_each(), point=point()))}
    assert tiles["Escapes"]["value"] == "29 %"
    assert tiles["Escapes"]["below"].startswith("2 of 7; ")
    assert tiles["Image AUROC"]["value"] == f"{measure(some_of_each()).image.auroc:.3f}"
    assert " to " in tiles["Image AUROC"]["below"]
    assert "Escapes" not in {tile["label"] for tile in metric_tiles(measure(some_of_each()))}


def test_each_threshold_has_its_rule():
    rules = threshold_rules(point(), 3.0)
    assert rules == [
        ("Reject above", "3.00", "Reject at most 1 good part in 200"),
        ("Review above", "2.00", "Reject at most 1 good part in 20"),
    ]
    assert threshold_rules(None, 3.0) == []


def test_scores_by_kind_from_good_to_defect():
    rows = score_rows(measure(some_of_each()), [1.0, float("inf")])
    assert [(label, kind, len(scores)) for label, kind, scores in rows] == [
        ("good, building set", "building", 1),
        ("good", "good", 5),
        ("bent", "defect", 5),
        ("cut", "defect", 2),
    ]


def test_a_curve_without_a_mark_has_a_reason():
    def said(found):
        return [curve["words"] for curve in drawn_curves(found)]

    assert said(measure(some_of_each()))[0] == "No threshold is in force to be marked."
    nothing = said(measure(some_of_each(), point=point(8.0, 9.0)))
    assert nothing[1] == "Nothing is rejected, so nothing is marked."
    assert "of a region found" in said(measure(some_of_each(), point=point(pixel=2.5)))[2]


def test_the_sweep_in_order_with_dashes_for_what_is_unknown():
    sweep = [{"share": 0.1, "rows": 4000, "aupro": 0.9}, {"share": 0.01, "rows": 400, "aupro": None}]
    assert [key for key, _ in sweep_columns(sweep)] == ["share", "rows", "aupro"]
    first, second = sweep_table(sweep, 3.0, 0.1001)
    assert (first["cells"]["share"], first["cells"]["aupro"], first["in_use"]) == ("1 %", "–", False)
    assert (second["cells"]["rows"], second["cells"]["aupro"], second["in_use"]) == ("4,000", "0.900", True)


def test_many_problems_are_counted():
    told = shortened([f"a\n{n}" for n in range(MOST_PROBLEMS + 5)])
    assert told[0] == "a\\n0" and told[-1] == "… and 5 more."


def test_labels_that_scores_chose_have_counts_alone_and_those_of_a_random_sample_an_estimate():
    found = measure(some_of_each(), point=point(2.0, 3.0))
    rejects, escapes, auroc = metric_tiles(on_basis(found, LabelBasis("chosen", "Chosen.")))[:3]
    assert (rejects["value"], escapes["value"]) == ("1 of 5", "2 of 7")
    assert rejects["below"] == escapes["below"] == auroc["below"] == CHOSEN
    cells = (Cell("accept", 90, 10, 1), Cell("reject", 5, 5, 4))
    sampled = metric_tiles(on_basis(found, LabelBasis("sample", "Drawn.", cells)))[1]
    assert sampled["value"] == "69 %" and "estimated from a random sample" in sampled["below"]
