import time

from tests.workbench.parts import build_small, store_plates
from workbench.inspections.background_scorer import Scorer
from workbench.inspections.batches import count_unscored, create_batch


def test_a_batch_is_scored_in_the_background_once(workspace):
    version = build_small(workspace)
    batch = create_batch(workspace, version.inspector_id, store_plates(workspace, 3), "three")
    scorer = Scorer(workspace)
    scorer.want(batch, version.id)
    scorer.want(batch, version.id)
    deadline = time.monotonic() + 60
    while scorer.wait(batch, version.id, 0.2):
        assert time.monotonic() < deadline
    assert count_unscored(workspace, batch, version.id) == 0
    assert scorer.error(batch, version.id) is None
    scorer.stop()


def test_the_scorer_gives_the_reason_it_stopped_and_can_retry(workspace):
    scorer = Scorer(workspace)
    scorer.want(1, 999)
    while scorer.wait(1, 999, 0.2):
        pass
    assert "no version 999" in scorer.error(1, 999)
    scorer.want(1, 999)  # not again by itself
    assert not scorer.wait(1, 999, 0.2)
    scorer.retry(1, 999)
    while scorer.wait(1, 999, 0.2):
        pass
    assert scorer.error(1, 999) is not None
    scorer.stop()
