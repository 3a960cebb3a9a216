"""Remarks on images stand on each page that shows the images, also after a reload."""

import csv
import io

import numpy as np
import pytest
from PIL import Image

from patchcore.thresholds.operating_point import OperatingPoint
from tests.odd_pictures import REMARKS, odd_pictures
from tests.pages.test_no_images import press
from tests.pages.texts import WASHER, words
from workbench.inspections.batches import create_batch, list_batches, list_results, score_batch
from workbench.inspections.exports import results_csv
from workbench.inspections.history_export import write_csv
from workbench.inspections.history_query import Filter, read_page
from workbench.inspections.labels import label_counts
from workbench.inspectors.versions import find_inspector

ODD = ("turned.jpg", "pages.tif", "see-through.png", "deep.png")


def washer(number=0):
    with Image.open(sorted((WASHER / "test/good").iterdir())[number]) as picture:
        return np.asarray(picture)


def said(app):
    blocks = [*app.info, *app.warning, *app.error]
    return "\n".join([words(app), *(block.value for block in blocks)]).replace("\\", "")


def read(app, key, folder):
    app.segmented_control(key=f"{key}_way").set_value("Folder on this computer").run()
    app.text_input(key=f"{key}_server").set_value(str(folder))
    press(app, "Read the folder")
    assert not app.exception and not app.error


@pytest.fixture
def odd(full):
    """A labelled batch of odd pictures, scored; the ids of its results by the images' names."""
    version = find_inspector(full, "washer").current
    files = odd_pictures(washer())
    files["long.png"] = _png(np.tile(washer(1), (1, 3, 1)))
    images = [full.store_image(files[name], name, truth="good") for name in (*ODD, "long.png")]
    batch = create_batch(full, "washer", images, "Odd")
    assert all(result.error is None for result in score_batch(full, batch, version))
    return {result.image.name: result.id for result in list_results(full, batch, version.id)}


def _png(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def test_inspect_evaluate_and_history_show_the_remarks(odd, open_app):
    for page in ("inspect", "evaluate"):
        app = open_app(page, inspector="washer")
        for name in ODD:
            assert REMARKS[name] in said(app), (page, name)
        assert "One patch covers" in said(app) and "It has 16 bits a sample" in said(app)
        assert any("remarks on these images" in expander.label for expander in app.expander)
    opened = said(open_app("inspect", inspector="washer", image=str(odd["turned.jpg"])))
    assert opened.count(REMARKS["turned.jpg"]) == 2  # of the batch, and below the image


def test_an_open_inspection_and_the_exports_have_the_remarks(odd, full, open_app):
    (row,) = [one for one in read_page(full, Filter()).rows if one.name == "pages.tif"]
    assert REMARKS["pages.tif"] in said(open_app("history", inspector="washer", inspection=str(row.id)))
    history, version = io.BytesIO(), find_inspector(full, "washer").current
    write_csv(full, Filter(), history)
    point = OperatingPoint.from_dict(version.operating_point)
    results = list_results(full, list_batches(full, "washer")[0].id, version.id)
    for table in (history.getvalue(), results_csv(full, results, point)):
        lines = {line["file"]: line for line in csv.DictReader(io.StringIO(table.decode("utf-8-sig")))}
        assert REMARKS["pages.tif"] in lines["pages.tif"]["remarks"]


def test_build_says_them_before_the_build(empty, open_app, tmp_path, monkeypatch):
    monkeypatch.setenv("PATCHCORE_ROOTS", str(tmp_path))
    folder = tmp_path / "good parts"
    folder.mkdir()
    for number in range(2):
        for name, data in odd_pictures(washer(number)[:200, :200]).items():
            (folder / f"{number} {name}").write_bytes(data)
        Image.fromarray(np.full((300, 1500, 3), 90 + number, np.uint8)).save(folder / f"{number} long.png")
    app = open_app("build")
    app.text_input[0].set_value("M12")
    press(app, "Continue")
    read(app, "good", folder)
    for words_ in REMARKS.values():
        if "14-bit" not in words_:
            assert words_ in said(app), words_
    assert "2 images in 16-bit containers: no value lies above" in said(app)
    assert "2 of 20 images (0 turned.jpg, 1 turned.jpg): The picture was turned upright" in said(app)
    assert "One patch covers 160 × 160 px of this image (1,500 × 300 px)" in said(app)


@pytest.mark.parametrize(("good", "defect"), [("gut", "Kratzer"), ("Pass", "NG"), ("i.O.", "n.i.O.")])
def test_folders_of_images_to_inspect_give_labels_and_masks_are_no_images(
    full, open_app, tmp_path, monkeypatch, good, defect
):
    monkeypatch.setenv("PATCHCORE_ROOTS", str(tmp_path))
    for number, kind in enumerate((good, defect, "ground_truth")):
        (tmp_path / "lot 9" / kind).mkdir(parents=True)
        Image.fromarray(washer(number)).save(tmp_path / "lot 9" / kind / f"{kind}.png")
    app = open_app("inspect", inspector="washer")
    read(app, "test", tmp_path / "lot 9")
    batch = list_batches(full, "washer")[0]
    counts = label_counts(full, batch.id)
    assert (counts.good, counts.defect, counts.unlabelled) == (1, 1, 0)
    again = open_app("inspect", inspector="washer", batch=str(batch.id))  # another session knows it too
    for one in (app, again):
        assert f"Taken as good: {good} (1). Taken as defects: {defect} (1)." in said(one)
