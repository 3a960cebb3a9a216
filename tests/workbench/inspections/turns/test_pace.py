"""The time of an image, from what was measured."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from workbench.inspections.turns.pace import ENOUGH, Pace, stored_pace, typical
from workbench.storage.tables import Batch, BatchImage, Result
from workbench.storage.timestamps import now


def test_pauses_do_not_count():
    assert typical([0.1, 0.1, 0.2, 0.1, 60.0]) == pytest.approx(0.125)


def test_a_pace_is_known_after_a_few_images_and_follows_the_latest():
    pace = Pace()
    for _ in range(ENOUGH - 1):
        pace.note(1.0)
    assert pace.seconds is None
    pace.note(1.0)
    assert pace.seconds == 1.0
    for _ in range(100):
        pace.note(0.25)
    assert pace.seconds == 0.25


def add_results(workspace, seconds, gaps, *, batch=None, watch=None):
    """Results of version 1, in a new batch, one after another at these gaps; the scoring alone took `seconds`."""
    when = now()
    with workspace.database.write() as session:
        sha256 = session.scalar(select(BatchImage.sha256))
        batch = Batch(inspector_id="plate-1", name="another", watch_id=watch)
        session.add(batch)
        session.flush()
        for position, gap in enumerate(gaps):
            when += timedelta(seconds=gap)
            image = BatchImage(batch_id=batch.id, position=position, sha256=sha256, name="a")
            session.add(image)
            session.flush()
            session.add(Result(batch_image_id=image.id, version_id=1, seconds=seconds, created=when))
            session.flush()
    return batch.id


def test_stored_results_give_the_pace_of_their_batch_else_of_their_version(worked):
    slow = add_results(worked, 0.4, [0.5] * 6 + [90.0] + [0.5] * 6)
    fast = add_results(worked, 0.04, [0.05] * 6)
    assert stored_pace(worked, slow, 1) == pytest.approx(0.5)
    assert stored_pace(worked, fast, 1) == pytest.approx(0.05)
    single = add_results(worked, 0.4, [0.5])  # too few of its own: all of the version's latest count
    assert 0.05 < stored_pace(worked, single, 1) < 0.5
    assert stored_pace(worked, slow, 999) is None  # a version that has scored nothing
