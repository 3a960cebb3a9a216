"""The report of a batch, from stored scores and maps, with texts of people escaped."""

import pytest

from patchcore.errors import NoImagesError
from patchcore.patchcore import PatchCore
from tests.workbench.evaluation.test_sweep import do
from tests.workbench.parts import plate, scratch_mask, store_plates
from workbench.evaluation.report import report_of
from workbench.evaluation.sweep import start_sweep
from workbench.inspections.batches import create_batch, score_batch
from workbench.inspections.labelled_sets import import_labelled
from workbench.inspectors.versions import rename
from workbench.storage.database import WorkspaceError
from workbench.storage.workspace import NamedImage
from workbench.uploads.intake import from_files


@pytest.fixture
def batch(workspace, version):
    images = store_plates(workspace, 3, first=50, truth="good")
    mask = workspace.store_image(scratch_mask(), "m.png").sha256
    images += [
        NamedImage(image.sha256, "<img src=x onerror=alert(1)>.png", "scratch", mask)
        for image in store_plates(workspace, 2, first=60, scratched=True)
    ]
    batch = create_batch(workspace, version.inspector_id, images, "Monday's parts")
    list(score_batch(workspace, batch, version))
    return batch


def test_the_report_holds_stored_measures_and_escapes_texts_of_people(workspace, version, batch, monkeypatch):
    rename(workspace, "plate-1", "Plate <b>7</b>")
    monkeypatch.setattr(PatchCore, "score", None)
    page = report_of(workspace, version, batch, "Ada & Co", "for the <i>line</i>")
    for words in ("Plate &lt;b&gt;7&lt;/b&gt;", "Ada &amp; Co", "for the &lt;i&gt;line&lt;/i&gt;"):
        assert words in page
    assert "Monday&#39;s parts" in page and "&lt;img src=x onerror" in page
    assert "<img src=x" not in page and "<script" not in page


def test_the_report_says_what_was_found_in_reading_the_set(workspace, version, tmp_path):
    images = [("test/good/0.png", plate(50)), ("test/dent/0.png", plate(60, scratched=True))]
    for marks in ([], [("test/dent/a.json", b"{")]):
        uploads = from_files([*images, *marks], tmp_path)
        found = import_labelled(workspace, version.inspector_id, uploads, "Monday")
        list(score_batch(workspace, found.batch_id, version))
        page = report_of(workspace, version, found.batch_id, "", "")
        assert ("Nothing was left out" in page) == (not marks)
        assert ("a.json is damaged" in page) == bool(marks)
        assert "Taken as good: good (1). Taken as defects: dent (1)." in page


def test_the_report_holds_bank_sizes_once_they_are_measured(workspace, version, batch):
    before = report_of(workspace, version, batch, "", "")
    do(workspace, start_sweep(workspace, version, batch))
    after = report_of(workspace, version, batch, "", "")
    assert len(after) > len(before) and "share kept" in after and "share kept" not in before


def test_an_absent_batch_and_absent_labels_raise(workspace, version):
    with pytest.raises(WorkspaceError, match="no batch 99"):
        report_of(workspace, version, 99, "", "")
    empty = create_batch(workspace, "plate-1", store_plates(workspace, 1, first=70), "b")
    with pytest.raises(NoImagesError, match="no labelled image"):
        report_of(workspace, version, empty, "", "")
