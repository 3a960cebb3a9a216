"""Labels: given, taken back in order, all kept; and labelled sets as users hand them in."""

import pytest
from sqlalchemy import select

from tests.workbench.parts import ADA, OLA, store_plates
from workbench.inspections.batches import create_batch
from workbench.inspections.labels import label_counts, labelled_sets, set_label, undo_label
from workbench.people.roles import acting
from workbench.storage.database import WorkspaceError
from workbench.storage.revisions import ChangedMeanwhile
from workbench.storage.tables import BatchImage, LabelChange


def rows(workspace, batch):
    query = select(BatchImage).where(BatchImage.batch_id == batch).order_by(BatchImage.position)
    with workspace.database.read() as session:
        return list(session.scalars(query))


@pytest.fixture
def batch(workspace, version):
    return create_batch(workspace, version.inspector_id, store_plates(workspace, 3, first=50), "Monday")


def test_a_new_label_returns_the_one_before(workspace, batch):
    first = rows(workspace, batch)[0]
    assert set_label(workspace, first.id, "good") is None
    assert set_label(workspace, first.id, " deep  scratch ") == "good"
    assert rows(workspace, batch)[0].truth == "deep scratch"
    assert set_label(workspace, first.id, None) == "deep scratch"
    counts = label_counts(workspace, batch)
    assert (counts.good, counts.defects, counts.unlabelled, counts.labelled) == (0, {}, 3, 0)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("gut", "good"),
        ("IO", "good"),
        ("Pass", "good"),
        ("0.0", "good"),
        ("NG", "defect"),
        ("n.i.O.", "defect"),
    ],
)
def test_words_for_good_parts_and_defects_mean_the_same_as_in_tables(workspace, batch, written, kept):
    first = rows(workspace, batch)[0]
    set_label(workspace, first.id, written)
    assert rows(workspace, batch)[0].truth == kept


def test_changes_are_undone_from_the_last_to_the_first_and_stay_stored(workspace, batch):
    first, second, _ = rows(workspace, batch)
    set_label(workspace, first.id, "good")
    set_label(workspace, first.id, "scratch")
    set_label(workspace, second.id, "good")
    set_label(workspace, second.id, "good")  # changes nothing, so there is nothing to take back
    counts = label_counts(workspace, batch)
    assert (counts.good, counts.defects, counts.defect, counts.unlabelled) == (1, {"scratch": 1}, 1, 1)
    undone = [undo_label(workspace, batch) for _ in range(4)]
    assert [None if image is None else (image.id, image.truth) for image in undone] == [
        (second.id, None),
        (first.id, "good"),
        (first.id, None),
        None,
    ]
    with workspace.database.read() as session:
        changes = [
            (c.batch_image_id, c.before, c.after)
            for c in session.scalars(select(LabelChange).order_by(LabelChange.id))
        ]
    assert changes == [(first.id, None, "good"), (first.id, "good", "scratch"), (second.id, None, "good")]


def test_a_label_bears_a_name_and_only_that_person_undoes_it(workspace, batch):
    first, second, _ = rows(workspace, batch)
    with acting(OLA):
        set_label(workspace, first.id, "scratch")
        set_label(workspace, second.id, "good")
    with acting(ADA):
        assert undo_label(workspace, batch) is None
        set_label(workspace, second.id, "dent")
    with acting(OLA):
        assert undo_label(workspace, batch).id == first.id  # the other is Ada's by now
        assert undo_label(workspace, batch) is None
    with acting(ADA):
        assert undo_label(workspace, batch).truth == "good"
    with acting(OLA):
        assert (undo_label(workspace, batch).id, rows(workspace, batch)[1].truth) == (second.id, None)
    with workspace.database.read() as session:
        assert [c.made_by for c in session.scalars(select(LabelChange).order_by(LabelChange.id))] == [
            "Ola",
            "Ola",
            "Ada",
        ]


def test_a_label_on_an_outdated_one_is_refused_with_the_persons_name(workspace, batch):
    first = rows(workspace, batch)[0]
    with acting(OLA):
        set_label(workspace, first.id, "scratch", expected=None)
    with acting(ADA):
        assert set_label(workspace, first.id, "scratch", expected=None) == "scratch"  # both say the same
        with pytest.raises(ChangedMeanwhile, match=r"Ola \(.* UTC\) labelled good/050.png as scratch since"):
            set_label(workspace, first.id, "good", expected=None)
        assert rows(workspace, batch)[0].truth == "scratch"
        set_label(workspace, first.id, "good", expected="scratch")
    assert rows(workspace, batch)[0].truth == "good"


def test_another_batch_has_its_own_changes(workspace, version, batch):
    other = create_batch(workspace, version.inspector_id, store_plates(workspace, 1, first=50), "Tuesday")
    set_label(workspace, rows(workspace, other)[0].id, "good")
    assert undo_label(workspace, batch) is None
    assert [b.id for b in labelled_sets(workspace, version.inspector_id)] == [other]


@pytest.mark.parametrize("label", ["", "  ", "x" * 65])
def test_a_label_without_meaning_is_refused(workspace, batch, label):
    with pytest.raises(WorkspaceError, match="A label has 1 to 64 characters"):
        set_label(workspace, rows(workspace, batch)[0].id, label)


def test_an_absent_image_raises_workspace_error(workspace):
    with pytest.raises(WorkspaceError, match="no image 9 in any batch"):
        set_label(workspace, 9, "good")
