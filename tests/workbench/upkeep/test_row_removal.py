"""Removal of rows: required references remove their rows too, optional ones are cleared."""

from sqlalchemy import func, select

from workbench.storage.tables import (
    Batch,
    BatchImage,
    Image,
    Inspection,
    InspectorImage,
    InspectorVersion,
    LabelChange,
    PointRecord,
    Result,
)
from workbench.upkeep.row_removal import delete_rows


def counts(workspace, *tables):
    with workspace.database.read() as session:
        return [session.scalar(select(func.count()).select_from(table)) for table in tables]


def test_a_batch_takes_its_images_and_results_and_leaves_verdicts(worked):
    with worked.database.write() as session:
        (batch,) = session.scalars(select(Batch.id))
        image = session.scalars(select(BatchImage.id)).first()
        session.add(LabelChange(batch_image_id=image, before=None, after="good"))
    before = counts(worked, Inspection, Image)
    with worked.database.write() as session:
        delete_rows(session, Batch.__table__, [batch])
    assert counts(worked, Batch, BatchImage, Result, LabelChange) == [0] * 4
    assert counts(worked, Inspection, Image) == before
    with worked.database.read() as session:
        assert set(session.scalars(select(Inspection.batch_image_id))) <= {None}


def test_a_version_takes_its_thresholds_and_the_list_of_its_images(worked):
    with worked.database.write() as session:
        delete_rows(session, InspectorVersion.__table__, [1])
        assert (
            session.scalar(select(func.count()).select_from(Inspection).where(Inspection.version_id == 1))
            == 0
        )
    assert counts(worked, InspectorVersion, PointRecord, InspectorImage, Result) == [0] * 4


def test_more_rows_than_fit_into_one_question_are_deleted(workspace):
    with workspace.database.write() as session:
        session.add_all(
            Image(sha256=f"{number:064x}", suffix=".png", original_name="", size_bytes=0)
            for number in range(1201)
        )
    with workspace.database.write() as session:
        delete_rows(session, Image.__table__, [f"{number:064x}" for number in range(1200)])
    assert counts(workspace, Image) == [1]
