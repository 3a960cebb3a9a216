"""The sweep over bank sizes as a job: measured in one pass, stored, and silent on outdated thresholds."""

import numpy as np
import pytest

from patchcore.errors import Cancelled
from patchcore.thresholds.operating_point import OperatingPoint
from tests.points import by_hand
from tests.workbench.parts import picture, plate, scratch_mask, store_plates
from workbench.__main__ import JOBS
from workbench.evaluation.sweep import OTHER_RULE, latest_sweep, run_sweep, start_sweep
from workbench.inspections.batches import create_batch, score_batch
from workbench.inspections.samples import submit_sample
from workbench.inspectors.versions import load_model, reslice, set_operating_point
from workbench.jobs.requests import JobState, get_job
from workbench.storage.tables import Job
from workbench.storage.workspace import NamedImage


class Running:
    """What `process.RunningJob` offers a job's function."""

    def __init__(self, workspace, job_id):
        self.workspace, self.arguments = workspace, get_job(workspace, job_id).arguments
        self.steps, self.stop = [], False

    def progress(self, *step):
        self.steps.append(step)

    def cancelled(self):
        return self.stop


def do(workspace, job_id):
    """Do a queued job here and now."""
    running = Running(workspace, job_id)
    result = run_sweep(running)
    with workspace.database.write() as session:
        job = session.get_one(Job, job_id)
        job.state, job.result = JobState.DONE, result
    return running, result


@pytest.fixture
def batch(workspace, version):
    images = store_plates(workspace, 2, first=50, truth="good")
    mask = workspace.store_image(scratch_mask(), "m.png").sha256
    images += [
        NamedImage(image.sha256, image.name, "scratch", mask)
        for image in store_plates(workspace, 2, first=60, scratched=True)
    ]
    images += store_plates(workspace, 1, first=70)
    return create_batch(workspace, version.inspector_id, images, "Monday")


def test_a_sweep_is_queued_once_for_a_bank_and_a_batch(workspace, version, batch):
    job_id = start_sweep(workspace, version, batch)
    assert start_sweep(workspace, version, batch) == job_id != start_sweep(workspace, version, None)
    job = get_job(workspace, job_id)
    assert (job.kind, job.title, job.state) == ("sweep", "Measure bank sizes of Plate", JobState.QUEUED)
    assert JOBS["sweep"] == f"{run_sweep.__module__}:{run_sweep.__name__}"
    assert latest_sweep(workspace, version, batch) is None


def test_every_share_is_measured_as_a_bank_of_that_size_would_be(workspace, version, batch):
    running, result = do(workspace, start_sweep(workspace, version, batch))
    points = latest_sweep(workspace, version, batch)
    assert points == result["points"] and result["problems"] == []
    assert running.steps[-1] == ("scoring", 4, 4)  # the one without a label is not scored
    assert [point["in_use"] for point in points] == [False] * (len(points) - 1) + [True]
    model = load_model(workspace, version)
    for point in points:
        smaller = model.with_coreset(point["share"])
        assert point["rows"] == len(smaller.bank_)
        assert point["cover_radius"] == pytest.approx(smaller.cover_radius_)
    assert points[-1]["threshold"] == pytest.approx(version.operating_point["reject"])


def test_the_share_in_use_follows_the_version(workspace, version, batch):
    do(workspace, start_sweep(workspace, version, batch))
    list(score_batch(workspace, batch, version))
    middle = latest_sweep(workspace, version, batch)[4]
    small = reslice(workspace, version, middle["share"])
    assert [p["share"] for p in latest_sweep(workspace, small, batch) if p["in_use"]] == [middle["share"]]


def test_thresholds_of_another_rule_are_left_out(workspace, version, batch):
    do(workspace, start_sweep(workspace, version, batch))
    now = OperatingPoint.from_dict(version.operating_point)
    moved = set_operating_point(workspace, version, by_hand(9.0, now.evidence, now.bank_id, set_by="Ada"))
    points = latest_sweep(workspace, moved, batch)
    assert {(point["threshold"], point["reason"]) for point in points} == {(None, OTHER_RULE)}


def test_a_mask_of_another_size_and_a_broken_image_become_problems(workspace, version):
    mask = workspace.store_image(picture(np.eye(9, 12, dtype=np.uint8)), "m.png")
    image = store_plates(workspace, 1, first=60, scratched=True)[0]
    images = [
        NamedImage(image.sha256, image.name, "scratch", mask.sha256),
        workspace.store_image(plate(61)[:500], "cut.png", truth="good"),
        *store_plates(workspace, 1, first=50, truth="good"),
    ]
    batch = create_batch(workspace, version.inspector_id, images, "b")
    _, result = do(workspace, start_sweep(workspace, version, batch))
    said = "\n".join(result["problems"])
    assert (
        "scratch/060.png: its mask was not counted. The mask is 12 × 9" in said and "Left out cut.png" in said
    )


def test_a_sweep_without_labels_times_good_images(workspace, version):
    _, result = do(workspace, start_sweep(workspace, version, None))
    assert all(point["milliseconds"] > 0 for point in result["points"])


def test_a_sweep_can_be_cancelled(workspace, version, batch):
    running = Running(workspace, start_sweep(workspace, version, batch))
    running.stop = True
    with pytest.raises(Cancelled):
        run_sweep(running)


def test_a_sweep_is_not_taken_for_the_build_of_a_sample(workspace, version):
    class Sample:
        inspector_id = version.inspector_id

    start_sweep(workspace, version, None)
    with pytest.raises(AttributeError):  # it goes on to build, for which this sample has no folder
        submit_sample(workspace, Sample())
