import math
from dataclasses import replace

from lab.accuracy import rows
from lab.accuracy.rows import Row, Variant

ROW = Row(
    Variant("efficientnet_lite2", 320, layers=("block3", "block6")),
    "metal/screw",
    1,
    good=20,
    defects=40,
    image_auroc=0.8125,
    low=0.75,
    high=0.875,
    average_precision=0.9,
    pixel_auroc=math.nan,
    aupro=math.nan,
    false_rejects=2,
    escapes=None,
    review=0,
    seconds=1.25,
    milliseconds=31.5,
    megabytes=2.5,
)


def test_rows_come_back_as_they_were_written(tmp_path):
    path = tmp_path / "new" / "rows.csv"
    rows.append(path, ROW)
    rows.append(path, replace(ROW, seed=2, variant=Variant("resnet18", coreset=0.01, geometry="crop")))
    first, second = rows.read(path)
    assert replace(first, pixel_auroc=0, aupro=0) == replace(ROW, pixel_auroc=0, aupro=0)
    assert math.isnan(first.pixel_auroc) and math.isnan(first.aupro)
    assert second.key == (Variant("resnet18", coreset=0.01, geometry="crop"), "metal/screw", 2)


def test_a_file_that_is_not_there_has_no_rows(tmp_path):
    assert rows.read(tmp_path / "rows.csv") == []


def test_a_variant_is_said_by_what_is_unusual_about_it():
    assert str(Variant("resnet18")) == "resnet18, 224 px"
    assert str(ROW.variant) == "efficientnet_lite2, 320 px, block3+block6"
    assert str(Variant("a", coreset=0.01, geometry="crop")) == "a, 224 px, crop, 1%"
    assert str(Variant("a", method="padim")) == "PaDiM, a, 224 px"


def test_a_variant_sets_what_its_method_has():
    assert Variant("a").settings()["layers"] is None and Variant("a").settings()["coreset"] == 0.10
    assert "coreset" not in Variant("a", method="spade").settings()
