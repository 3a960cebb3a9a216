from tests.workbench.parts import store_plates
from workbench.inspections.batches import create_batch
from workbench.inspections.turns import rows


def test_a_row_is_kept_once_stopped_and_dropped(worked):
    assert rows.keep(worked, (1, 1), "Ada") and rows.keep(worked, (1, 1), "Ben")
    (row,) = rows.list_rows(worked)
    assert (row.batch_id, row.version_id, row.made_by, row.stopped) == (1, 1, "Ada", None)
    assert rows.keep(worked, (1, 1), "Ben", stopped=True)
    (row,) = rows.list_rows(worked)
    assert row.stopped is not None
    rows.drop(worked, (1, 1))
    assert list(rows.list_rows(worked)) == []
    assert not rows.keep(worked, (99, 1), "Ada") and not rows.keep(worked, (1, 99), "Ada")


def test_amounts_count_each_batch_for_its_version(worked):
    batch = create_batch(worked, "plate-1", store_plates(worked, 2, first=50), "Tuesday")
    assert rows.amount(worked, [(1, 1)]) == rows.Amount(3, 3)
    both = rows.amount(worked, [(1, 1), (batch, 1)])
    assert (both.scored, both.images, both.remaining) == (3, 5, 2)


def test_titles_name_batch_and_inspector_and_leave_out_what_is_gone(worked):
    assert rows.titles(worked, [(1, 1), (99, 1), (1, 99)]) == {(1, 1): "Monday, Plate"}
