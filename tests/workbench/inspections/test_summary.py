"""The numbers on the card of an inspector."""

from tests.workbench.parts import store_plates
from workbench.inspections.batches import create_batch, list_batches, list_results, score_batch
from workbench.inspections.decisions import call_fine
from workbench.inspections.purpose import set_purpose
from workbench.inspections.summary import summarise
from workbench.inspectors.versions import get_version


def test_production_is_counted_beside_what_people_found_wrong_and_beside_evaluation(worked):
    version = get_version(worked, 1)
    labelled = [
        *store_plates(worked, 2, first=60, truth="good"),
        *store_plates(worked, 1, first=62, scratched=True, truth="scratch"),
    ]
    list(score_batch(worked, create_batch(worked, "plate-1", labelled, "Set", purpose="evaluation"), version))
    found = summarise(worked, version)
    monday = list_batches(worked, "plate-1")[-1]
    results = list_results(worked, monday.id, version.id)
    rejected = [one for one in results if one.image.truth == "scratch"]
    assert found.latest.total == len(results) == 3 and found.latest.reject == len(rejected)
    assert (found.false_rejects, found.escapes) == (0, 0)
    assert (found.evaluated.good, found.evaluated.defects, found.evaluated.escapes) == (2, 1, 0)
    list(
        score_batch(worked, create_batch(worked, "plate-1", labelled, "Again", purpose="evaluation"), version)
    )
    assert summarise(worked, version).evaluated == found.evaluated  # the same pictures in another set
    call_fine(worked, rejected[0])
    assert summarise(worked, version).false_rejects == 1
    set_purpose(worked, monday.id, "evaluation")
    found = summarise(worked, version)
    assert (found.latest.total, found.false_rejects) == (0, 0) and found.last is not None
    assert found.evaluated.defects + found.evaluated.good == 5
