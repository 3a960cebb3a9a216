"""The purpose of verdicts: evaluation sets count nowhere as production."""

import io

import pytest
from sqlalchemy import select

from tests.workbench.inspections.test_drift import inspect
from tests.workbench.inspections.test_labelled_sets import files
from tests.workbench.parts import store_plates
from workbench.inspections.batches import create_batch, list_batches, score_batch
from workbench.inspections.drift import find_drift
from workbench.inspections.history_export import write_csv
from workbench.inspections.history_query import Filter, count, is_defect, read_page, sample, usual_purpose
from workbench.inspections.labelled_sets import import_images, import_labelled
from workbench.inspections.purpose import set_purpose
from workbench.inspectors.versions import find_inspector, get_version, make_current, reslice
from workbench.storage.database import WorkspaceError
from workbench.storage.tables import Batch, Event
from workbench.uploads.intake import from_files

PLATE = "plate-1"
PRODUCTION, EVALUATION = Filter(purpose="production"), Filter(purpose="evaluation")


def purpose(workspace, batch_id):
    with workspace.database.read() as session:
        return session.get_one(Batch, batch_id).purpose


@pytest.mark.parametrize(
    ("bring", "names", "expected"),
    [
        (import_labelled, ("good/a.png", "scratch/b.png"), "evaluation"),
        (import_images, ("good/a.png", "scratch/b.png"), "evaluation"),
        (import_images, ("camera1/a.png", "NG/b.png"), "evaluation"),
        (import_images, ("camera1/a.png", "camera2/b.png"), "production"),
    ],
)
def test_images_that_come_with_labels_are_an_evaluation_set(
    workspace, version, tmp_path, bring, names, expected
):
    found = bring(workspace, PLATE, from_files(files(*(f"lot/{name}" for name in names)), tmp_path), "lot")
    assert purpose(workspace, found.batch_id) == expected


def test_an_evaluation_set_counts_in_no_figure_of_production(worked):
    version = get_version(worked, 1)
    images = [*store_plates(worked, 1, first=60, truth="good"), *store_plates(worked, 1, first=61)]
    batch = create_batch(worked, PLATE, images, "Set", purpose="evaluation")
    list(score_batch(worked, batch, version))
    assert (count(worked, PRODUCTION).total, count(worked, EVALUATION).total) == (3, 2)
    assert {row.purpose for row in read_page(worked, PRODUCTION).rows} == {"production"}
    assert len(sample(worked, EVALUATION, 2).rows) == 2
    accepted = count(worked, Filter(purpose="production", verdicts=("accept",))).total
    assert find_drift(worked, version.id).accepted == accepted
    file = io.BytesIO()
    write_csv(worked, Filter(), file)
    lines = file.getvalue().decode("utf-8-sig").splitlines()
    place = lines[0].split(",").index("purpose")
    assert sorted(line.split(",")[place] for line in lines[1:]) == ["evaluation"] * 2 + ["production"] * 3


def test_drift_looks_at_production_alone(worked):
    version = get_version(worked, 1)
    before = find_drift(worked, version.id).accepted
    inspect(worked, version, [1.0, 2.0])
    assert find_drift(worked, version.id).accepted == before + 2
    monday = list_batches(worked, PLATE)[0]
    set_purpose(worked, monday.id, "evaluation")
    assert find_drift(worked, version.id).accepted == 2


def test_a_batch_is_counted_otherwise_with_all_its_verdicts_and_the_change_is_recorded(worked):
    assert usual_purpose(worked, PLATE) == "production"
    monday = list_batches(worked, PLATE)[0]
    set_purpose(worked, monday.id, "evaluation")
    assert (count(worked, PRODUCTION).total, count(worked, EVALUATION).total) == (0, 3)
    assert usual_purpose(worked, PLATE) == usual_purpose(worked, None) == "evaluation"
    with worked.database.read() as session:
        event = session.scalars(select(Event).order_by(Event.id.desc())).first()
    assert event.action == "set purpose"
    assert event.details == {"batch": monday.id, "purpose": "evaluation"}
    set_purpose(worked, monday.id, "production")
    assert count(worked, PRODUCTION).total == 3
    with pytest.raises(WorkspaceError, match="There is no batch 99"):
        set_purpose(worked, 99, "evaluation")


def test_a_version_that_is_not_in_use_judges_no_production(worked):
    """Compare has other versions judge the images of a batch."""
    version = get_version(worked, 1)
    newer = reslice(worked, version, 0.1)
    batch = create_batch(worked, PLATE, store_plates(worked, 1, first=60), "Tuesday")
    assert find_inspector(worked, PLATE).current_id == newer.id
    list(score_batch(worked, batch, version))
    assert count(worked, EVALUATION).total == 1
    make_current(worked, PLATE, version.id)
    list(score_batch(worked, batch, newer))
    list(score_batch(worked, create_batch(worked, PLATE, store_plates(worked, 1, first=61), "b"), version))
    assert (count(worked, PRODUCTION).total, count(worked, EVALUATION).total) == (4, 2)


def test_what_is_known_of_a_part_is_its_decision_else_its_label(worked):
    rows = read_page(worked, Filter()).rows
    assert is_defect(worked, rows) == {row.id: True for row in rows if row.name.startswith("scratch")}
    rows[0].decision = "fine"
    assert is_defect(worked, rows[:1]) == {rows[0].id: False}
