"""The basis of labels: what came with images, what a person chose, and what was drawn at random."""

from dataclasses import replace

import pytest

from patchcore.thresholds.operating_point import OperatingPoint
from tests.workbench.parts import VIC
from workbench.inspections.batches import create_batch, list_results
from workbench.inspections.labels import set_label, undo_label
from workbench.inspectors.versions import get_version, set_operating_point
from workbench.people.roles import NotAllowed, acting
from workbench.storage.database import WorkspaceError
from workbench.storage.tables import Batch, BatchImage, Result
from workbench.storage.workspace import NamedImage
from workbench.tuning.label_sampling import (
    AT_ONCE,
    draw_sample,
    label_basis,
    left_to_label,
    sampling_of,
)
from workbench.widgets.show import figures

ACCEPT, REJECT = 10.0, 20.0
HIDDEN = 12  # defects among 50 accepted images
SIZES = {"accept": 50, "review": 8, "reject": 6}


@pytest.fixture
def batch(worked):
    """A day's 64 images: 50 accepted, of which 12 are defects that nobody knows of, 8 in review and 6 rejected."""
    version = get_version(worked, 1)
    point = OperatingPoint.from_dict(version.operating_point)
    set_operating_point(worked, version, replace(point, accept=ACCEPT, reject=REJECT))
    scores = [5.0 + n / 100 for n in range(50)] + [11.0 + n for n in range(8)] + [30.0 + n for n in range(6)]
    images = [NamedImage(hash_of(worked), f"{n:03d}.png") for n in range(len(scores))]
    batch_id = create_batch(worked, "plate-1", images, "Line 3")
    with worked.database.write() as session:
        rows = session.query(BatchImage).where(BatchImage.batch_id == batch_id).order_by(BatchImage.position)
        session.add_all(
            Result(batch_image_id=row.id, version_id=1, score=score)
            for row, score in zip(rows, scores, strict=True)
        )
    return batch_id


def truth_of(name):
    """Every fourth of the accepted images is a defect, and so is all that is not accepted but four."""
    number = int(name.split(".")[0])
    return "scratch" if (number < 48 and number % 4 == 0) or (50 <= number < 60) else "good"


def version_of(workspace):
    return get_version(workspace, 1)


def basis(workspace, batch_id, **point):
    version = version_of(workspace)
    at = replace(OperatingPoint.from_dict(version.operating_point), **point)
    return label_basis(workspace, version, batch_id, at)


def label_all(workspace, results):
    for result in results:
        set_label(workspace, result.batch_image_id, truth_of(result.image.name))


def ids(workspace, batch_id):
    with workspace.database.read() as session:
        rows = session.query(BatchImage).where(BatchImage.batch_id == batch_id).order_by(BatchImage.position)
        return [row.id for row in rows]


def test_labels_that_came_with_the_images_are_a_set_and_a_correction_leaves_it_one(worked):
    assert basis(worked, 1).kind == "set"  # one of its two images has a label, which came with it
    set_label(worked, ids(worked, 1)[0], "dent")
    assert basis(worked, 1).kind == "set"
    set_label(worked, ids(worked, 1)[0], None)
    set_label(worked, ids(worked, 1)[0], "scratch")
    assert basis(worked, 1).kind == "set"


def test_labels_set_one_by_one_are_chosen_until_every_image_has_one(worked, batch):
    places = ids(worked, batch)
    for place in places[50:60]:
        set_label(worked, place, "scratch")
    found = basis(worked, batch)
    assert found.kind == "chosen" and found.escapes() is None
    assert "10 images were labelled one by one. These labels are no sample" in found.sentence
    for place in places:
        set_label(worked, place, "good")
    assert basis(worked, batch).kind == "set"
    with worked.database.write() as session:  # as the rule of retention does with old images
        session.query(Result).where(Result.batch_image_id == places[-1]).delete()
        session.query(BatchImage).where(BatchImage.id == places[-2]).update({"truth": None})
    assert basis(worked, batch).kind == "chosen"


def test_the_draw_is_random_in_each_verdict_and_goes_on_where_it_was_left(worked, batch):
    draw_sample(worked, version_of(worked), batch, None, seed=5)
    sampling = sampling_of(worked, batch)
    assert (sampling.sizes, sampling.wanted) == (SIZES, AT_ONCE)
    waiting = left_to_label(worked, version_of(worked), batch)
    assert [result.score < ACCEPT for result in waiting] == [True] * 20 + [False] * 14
    assert [result.score for result in waiting[:20]] != sorted(result.score for result in waiting[:20])
    label_all(worked, waiting[:5])
    left = left_to_label(worked, version_of(worked), batch)
    assert [one.id for one in left] == [one.id for one in waiting[5:]]
    draw_sample(
        worked, version_of(worked), batch, None, seed=6
    )  # of a page from before the draw: nothing is done
    assert sampling_of(worked, batch) == sampling


def test_a_random_sample_estimates_the_escapes_that_labels_of_the_band_hide(worked, batch):
    places = ids(worked, batch)
    for place in places[50:58]:
        set_label(worked, place, "scratch")  # the band, which a person is led to
    draw_sample(worked, version_of(worked), batch, None, seed=1)
    assert basis(worked, batch).kind == "chosen"  # nothing of the sample has a label
    label_all(worked, left_to_label(worked, version_of(worked), batch))
    found = basis(worked, batch)
    assert found.kind == "sample"
    assert found.sentence == (
        "Estimated from images drawn at random: 20 of 50 accepted, 6 of 6 rejected, and from 8 images labelled before."
    )
    truth = HIDDEN / (HIDDEN + 8 + 2)
    escapes = found.escapes()
    assert escapes.interval[0] < truth < escapes.interval[1] < 1
    assert abs(escapes.value - truth) < 0.2 and escapes.population == 50
    assert (
        found.false_rejects().interval[0] > 0
    )  # 4 good images are rejected, and all rejected ones are labelled


def test_a_label_keeps_the_weight_it_was_drawn_with_when_thresholds_move(worked, batch):
    draw_sample(worked, version_of(worked), batch, None, seed=1)
    label_all(worked, left_to_label(worked, version_of(worked), batch))
    moved = basis(worked, batch, accept=5.2, reject=5.2)  # 29 of the accepted images would be rejected
    weights = {cell.size / cell.sampled for cell in moved.cells if cell.verdict == "reject" and cell.size > 8}
    assert len(weights) == 1 and 1.5 < weights.pop() < 4  # one image of about 20 / 50, not one for one
    assert sum(cell.size for cell in moved.cells) == 64
    assert moved.escapes().value < basis(worked, batch).escapes().value


def test_a_skipped_image_ends_the_sample_until_it_is_labelled(worked, batch):
    draw_sample(worked, version_of(worked), batch, None, seed=2)
    waiting = left_to_label(worked, version_of(worked), batch)
    label_all(worked, [*waiting[:3], *waiting[4:]])
    accepted = [cell for cell in basis(worked, batch).cells if cell.verdict == "accept"]
    assert [(cell.size, cell.sampled) for cell in accepted] == [(50, 3)]
    label_all(worked, waiting[3:4])
    accepted = [cell for cell in basis(worked, batch).cells if cell.verdict == "accept"]
    assert [(cell.size, cell.sampled) for cell in accepted] == [(50, 20)]
    undo_label(worked, batch)
    assert [cell.sampled for cell in basis(worked, batch).cells if cell.verdict == "accept"] == [3]


def test_more_are_drawn_in_the_same_order_then_a_new_draw_takes_what_is_known_as_it_is(worked, batch):
    draw_sample(worked, version_of(worked), batch, None, seed=2)
    for wanted in (40, 60):
        label_all(worked, left_to_label(worked, version_of(worked), batch))
        draw_sample(worked, version_of(worked), batch, sampling_of(worked, batch))
        assert sampling_of(worked, batch).seed == 2 and sampling_of(worked, batch).wanted["accept"] == wanted
    set_operating_point(
        worked,
        version_of(worked),
        replace(OperatingPoint.from_dict(version_of(worked).operating_point), accept=5.1, reject=5.1),
    )
    draw_sample(worked, version_of(worked), batch, sampling_of(worked, batch), seed=9)
    assert sampling_of(worked, batch).seed == 9 and sampling_of(worked, batch).sizes["review"] == 0
    assert all(
        cell.size == cell.sampled
        for cell in basis(worked, batch).cells
        if cell.verdict == "reject" and cell.sampled
    )


def test_a_sample_without_its_images_is_none(worked, batch):
    draw_sample(worked, version_of(worked), batch, None, seed=2)
    label_all(worked, left_to_label(worked, version_of(worked), batch))
    with worked.database.write() as session:
        gone = (
            session.query(BatchImage).where(BatchImage.batch_id == batch, BatchImage.truth.is_(None)).first()
        )
        session.query(Result).where(Result.batch_image_id == gone.id).delete()
        session.delete(gone)
    found = basis(worked, batch)
    assert found.kind == "chosen" and "were deleted; draw again" in found.sentence


def test_nothing_is_drawn_without_scores_or_by_those_who_only_look(worked, batch):
    bare = create_batch(worked, "plate-1", [NamedImage(hash_of(worked), "x.png")], "Bare")
    with pytest.raises(WorkspaceError, match="have them inspected first"):
        draw_sample(worked, version_of(worked), bare, None)
    with acting(VIC), pytest.raises(NotAllowed, match="operate"):
        draw_sample(worked, version_of(worked), batch, None)


def hash_of(workspace):
    with workspace.database.read() as session:
        return session.get_one(BatchImage, 1).sha256


def test_show_takes_the_weighted_shares_of_a_draw_for_its_two_large_numbers(worked, batch):
    version = version_of(worked)
    point = OperatingPoint.from_dict(version.operating_point)
    with worked.database.read() as session:
        shown = session.get_one(Batch, batch)
    draw_sample(worked, version, batch, None, seed=1)
    label_all(worked, left_to_label(worked, version, batch))
    found = figures.measured(worked, version, shown, list_results(worked, batch, version.id), point)
    escapes, weighted = found.basis.escapes(), found.known.to_dict()["weighted"]
    assert found.basis.kind == "sample" and found.known.no_interval
    assert weighted["escapes"] == {"rate": escapes.value, "interval": list(escapes.interval)}
    assert weighted["falseRejects"]["rate"] == found.basis.false_rejects().value
    share = sum(dot.score <= ACCEPT for dot in found.known.dots if dot.kind == "defect")
    assert escapes.value != share / sum(dot.kind == "defect" for dot in found.known.dots)  # drawn unequally
