"""The differences between two states."""

from tests.workbench.parts import build_small, store_plates
from workbench.evaluation.comparison import compare
from workbench.evaluation.version_difference import difference, shared_sets
from workbench.inspections.batches import create_batch, score_batch
from workbench.inspectors.timeline import find_entry, timeline
from workbench.inspectors.versions import reslice

PLATE = "plate-1"


def states(workspace, *numbers):
    entries = timeline(workspace, PLATE)
    return [find_entry(entries, number) for number in numbers]


def test_settings_and_good_images_that_differ_are_listed(workspace, version):
    build_small(workspace, 7, PLATE, coreset=0.25, seed=3)
    first, second = states(workspace, "1.1", "2.1")
    found = difference(workspace, first, second)
    assert found.settings == [("Largest share", 0.5, 0.25), ("Seed", 0, 3)]
    assert (found.added, found.removed) == (["good/006.png"], [])
    back = difference(workspace, second, first)
    assert (back.added, back.removed) == ([], ["good/006.png"])
    assert difference(workspace, first, first).settings == []


def test_two_states_are_compared_on_sets_that_both_have_scored(workspace, version):
    images = store_plates(workspace, 2, first=50, truth="good")
    images += store_plates(workspace, 2, first=60, scratched=True, truth="scratch")
    labelled = create_batch(workspace, PLATE, images, "Monday")
    unlabelled = create_batch(workspace, PLATE, store_plates(workspace, 1, first=70), "Tuesday")
    smaller = reslice(workspace, version, 0.05)
    for batch in (labelled, unlabelled):
        list(score_batch(workspace, batch, version))
    first, second = states(workspace, "1.1", "2.1")
    assert shared_sets(workspace, first, second) == []
    assert [batch.id for batch in shared_sets(workspace, first, first)] == [labelled]
    list(score_batch(workspace, labelled, smaller))
    (batch,) = shared_sets(workspace, first, second)
    assert batch.id == labelled
    found = compare(workspace, batch.id, first.as_version(), second.as_version())
    assert (found.n_good, found.n_defect) == (2, 2)
