"""The certificate of a version, from stored rows and files."""

import hashlib

from tests.workbench.parts import store_plates
from workbench.evaluation.certificate import certificate_of
from workbench.inspections.batches import create_batch, score_batch
from workbench.inspectors.timeline import find_entry, timeline
from workbench.inspectors.versions import find_inspector, good_images, rename, reslice

PLATE = "plate-1"


def test_the_certificate_holds_file_images_and_completely_scored_sets(workspace, version):
    images = store_plates(workspace, 2, first=50, truth="good")
    images += store_plates(workspace, 2, first=60, scratched=True, truth="scratch")
    measured = create_batch(workspace, PLATE, images, "Monday's set")
    list(score_batch(workspace, measured, version))
    half = score_batch(workspace, create_batch(workspace, PLATE, images, "Half of it"), version)
    next(half)
    half.close()
    reslice(workspace, version, 0.1, note="faster")
    rename(workspace, PLATE, "Plate <b>7</b>", "B 12")
    inspector = find_inspector(workspace, PLATE)
    first = find_entry(timeline(workspace, PLATE), "1.1")
    page = certificate_of(workspace, inspector, first)
    file_sha256 = hashlib.sha256((workspace.root / version.path).read_bytes()).hexdigest()
    assert file_sha256 in page and all(one.sha256 in page for one in good_images(workspace, version))
    assert "Monday&#39;s set" in page and "Half of it" not in page
    assert "Plate &lt;b&gt;7&lt;/b&gt;, version 1.1" in page and "B 12" in page
    assert "Self-test passed" in page and "bank size changed" in page and "faster" in page
    assert "data:image/jpeg" in page
    second = certificate_of(workspace, inspector, find_entry(timeline(workspace, PLATE), "2.1"))
    assert "has not been measured on a labelled set" in second
