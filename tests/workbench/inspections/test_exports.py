"""Exports: a table that no spreadsheet runs, and overlays under the images' names."""

import csv
import io
import zipfile
from dataclasses import replace

import numpy as np
import PIL.Image
import pytest

from patchcore.images.file_names import written_name
from patchcore.maps.regions import find_regions
from patchcore.maps.rendering import HeatScale, overlay
from patchcore.thresholds.operating_point import OperatingPoint
from tests.workbench.parts import plate, store_plates
from workbench.inspections.batches import create_batch, load_map, load_pixels, score_batch
from workbench.inspections.exports import COLUMNS, results_csv, write_overlays


@pytest.fixture
def scored(workspace, version):
    images = [
        *store_plates(workspace, 1, first=60, scratched=True),
        workspace.store_image(plate(51), "=cmd|' /C calc'!A0.png"),
        workspace.store_image(plate(52)[:600], "cut, in two.png"),
        workspace.store_image(plate(53), "../../up.png"),
        workspace.store_image(plate(54), "../../up.png"),
    ]
    batch = create_batch(workspace, version.inspector_id, images, "b")
    return list(score_batch(workspace, batch, version)), OperatingPoint.from_dict(version.operating_point)


def table(data):
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))


def test_each_image_has_a_row_with_verdict_and_regions(workspace, scored):
    results, point = scored
    data = results_csv(workspace, results, point)
    assert data.startswith(b"\xef\xbb\xbf")
    rows = table(data)
    assert tuple(rows[0]) == COLUMNS and len(rows) == 5
    regions = find_regions(load_map(workspace, results[0]), point.reject)
    assert rows[0]["verdict"] == "reject" and float(rows[0]["score"]) == pytest.approx(
        results[0].score, rel=1e-5
    )
    assert int(rows[0]["number of regions"]) == len(regions) > 0
    assert int(rows[0]["largest region px"]) == max(region.area for region in regions)
    assert rows[0]["worst box"] == " ".join(map(str, results[0].worst_box))
    assert rows[0]["regions"].split("; ")[0].startswith(" ".join(map(str, regions[0].box)))
    assert rows[2]["score"] == rows[2]["verdict"] == "" and rows[2]["error"]


def test_rows_hold_labels_and_verdicts_by_area(workspace, scored):
    results, point = scored
    results[0].image.truth = "scratch"
    by_area = replace(point, pixel=results[1].score, judge_by="area", min_area=10**6, picture_check=False)
    rows = table(results_csv(workspace, results, by_area))
    assert [row["label"] for row in rows] == ["scratch", "", "", "", ""]
    assert (rows[0]["verdict"], rows[0]["number of regions"]) == ("accept", "0")


def test_the_verdict_follows_the_threshold(workspace, scored):
    results, point = scored
    strict = replace(point, accept=0.0, reject=1e-6)
    assert {row["verdict"] for row in table(results_csv(workspace, results, strict)) if row["score"]} == {
        "reject"
    }


def test_cells_are_never_formulas(workspace, scored):
    rows = table(results_csv(workspace, *scored))
    assert rows[1]["file"] == "'=cmd|' /C calc'!A0.png"
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())


def test_overlays_are_the_renderings_under_safe_and_different_names(workspace, scored):
    results, point = scored
    buffer = io.BytesIO()
    write_overlays(workspace, results, point, buffer, mode="both", opacity=0.5)
    archive = zipfile.ZipFile(buffer)
    names = archive.namelist()
    assert (
        names == ["scratch/060.png.png", "=cmd| _C calc'!A0.png.png", "up.png.png", "up.png (2).png"]
        or len(set(names)) == 4
    )
    assert not any(name.startswith("/") or ".." in name.split("/") for name in names)
    assert [written_name(name) for name in names] == names
    painted = np.asarray(PIL.Image.open(io.BytesIO(archive.read(names[0]))))
    expected = overlay(
        load_pixels(workspace, results[0].image.sha256),
        load_map(workspace, results[0]),
        HeatScale.anchored(point.reject),
        mode="both",
        opacity=0.5,
        box=tuple(results[0].worst_box),
    )
    np.testing.assert_array_equal(painted, expected)
