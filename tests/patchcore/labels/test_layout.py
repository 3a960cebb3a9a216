"""Labels and masks read off names, layout by layout."""

import unicodedata

import pytest

from patchcore.labels.layout import few, read_names

MVTEC_AD = {
    "train/good/0.png": None,
    "test/good/0.png": "good",
    "test/hole/0.png": "hole ground_truth/hole/0_mask.png",
    "ground_truth/hole/0_mask.png": None,
}
MVTEC_AD_2 = {
    "can/train/good/000_regular.png": None,
    "can/validation/good/000_regular.png": None,
    "can/test_public/good/000_regular.png": "good",
    "can/test_public/bad/000_regular.png": "bad can/test_public/ground_truth/bad/000_regular_mask.png",
    "can/test_public/ground_truth/bad/000_regular_mask.png": None,
    "can/test_private/000_mixed.png": None,
}
LOCO = {
    "train/good/000.png": None,
    "validation/good/000.png": None,
    "test/good/000.png": "good",
    "test/logical_anomalies/000.png": "logical_anomalies ground_truth/logical_anomalies/000/000.png "
    "ground_truth/logical_anomalies/000/001.png",
    "test/logical_anomalies/001.png": "logical_anomalies ground_truth/logical_anomalies/001/000.png",
    "test/logical_anomalies/002.png": "logical_anomalies",
    "test/structural_anomalies/000.png": "structural_anomalies ground_truth/structural_anomalies/000/000.png",
    "ground_truth/logical_anomalies/000/000.png": None,
    "ground_truth/logical_anomalies/000/001.png": None,
    "ground_truth/logical_anomalies/001/000.png": None,
    "ground_truth/structural_anomalies/000/000.png": None,
}
MVTEC_3D = {
    "train/good/rgb/000.png": None,
    "train/good/xyz/000.tiff": None,
    "test/good/rgb/000.png": "good",
    "test/good/gt/000.png": None,
    "test/good/xyz/000.tiff": None,
    "test/cut/rgb/000.png": "cut test/cut/gt/000.png",
    "test/cut/gt/000.png": None,
    "test/cut/xyz/000.tiff": None,
}
VISA = {
    "candle/Data/Images/Normal/0000.JPG": "Normal",
    "candle/Data/Images/Anomaly/000.JPG": "Anomaly candle/Data/Masks/Anomaly/000.png",
    "candle/Data/Masks/Anomaly/000.png": None,
}
BTAD = {
    "01/train/ok/0000.bmp": None,
    "01/test/ok/0000.bmp": "ok",
    "01/test/ko/0000.bmp": "ko 01/ground_truth/ko/0000.png",
    "01/ground_truth/ko/0000.png": None,
}
PLAIN = {
    "lot/gut/1.png": "gut",
    "lot/Kratzer/1.png": "Kratzer lot/Masken/Kratzer/1.png",
    "lot/Masken/Kratzer/1.png": None,
    "lot/1.png": None,
}
FLAT_MASKS = {"OK/1.png": "OK", "NG/2.png": "NG masks/2.png", "masks/2.png": None}
DAYS = {
    "mon/good/1.png": "good",
    "mon/dent/1.png": "dent",
    "tue/Good parts/day/1.png": "Good parts",
    "tue/not_good/1.png": "not_good",
}
BY_SPLIT = {"test_good/1.png": "test_good", "test_bad/1.png": "test_bad", "train_good/1.png": None}
CLASSES = {"0/1.png": "0", "1/1.png": "1"}
LAYOUTS = (MVTEC_AD, MVTEC_AD_2, LOCO, MVTEC_3D, VISA, BTAD, PLAIN, FLAT_MASKS, DAYS, BY_SPLIT, CLASSES)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("above", ["", "product/", "masks/"])
def test_labels_and_masks_of_each_layout_at_any_depth(layout, above):
    wanted = {above + name: (meant or "").split() for name, meant in layout.items()}
    read = read_names(wanted)
    labels = {name: layout[name.removeprefix(above)] for name in wanted}
    assert {name: read.labels.get(name) for name in wanted} == {
        name: meant and (meant if layout is DAYS else meant.split()[0]) for name, meant in labels.items()
    }
    if layout is not DAYS:
        assert read.masks == {
            name: [above + mask for mask in masks]
            for name, (_, *masks) in filter(lambda one: one[1][1:], wanted.items())
        }
    assert read.problems == []


def test_training_and_validation_are_left_out_and_masks_are_no_images():
    assert read_names(LOCO).left_out == {
        "train/good/000.png": "train",
        "validation/good/000.png": "validation",
    }
    assert read_names(MVTEC_3D).no_images == {
        name for name in MVTEC_3D if "test" in name and "/rgb/" not in name
    }


def test_validation_is_the_labelled_set_where_there_is_no_test():
    names = ["train/ok/1.png", "val/ok/1.png", "val/ng/1.png"]
    assert read_names(names).labels == {"val/ok/1.png": "ok", "val/ng/1.png": "ng"}


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["dent/1.png", "hole/1.png"], ["dent", "hole"]),
        (["lot/dent/1.png", "lot/hole/1.png"], ["dent", "hole"]),
        (["lot/dent/1.png", "lot/dent/2.png"], ["dent", "dent"]),
        (["1.png", "hole/1.png"], [None, "hole"]),
        (["1.png", "2.png"], [None, None]),
        ([], []),
    ],
)
def test_folders_are_types_where_nothing_is_good(names, labels):
    assert [read_names(names).labels.get(name) for name in names] == labels


def test_masks_without_an_image_are_named():
    names = ["test/good/0.png", *(f"ground_truth/hole/{one}_mask.png" for one in range(5))]
    (problem,) = read_names(names).problems
    assert problem.startswith("No image belongs to 5 masks (ground_truth/hole/0_mask.png, ")
    assert " and 2 more), or several do. Name a mask as its image" in problem
    assert few(["a", "b"]) == "a, b"


@pytest.mark.parametrize(
    ("good", "image", "mask"),
    [
        ("test/good/0.png", "test/größe/Ångström.png", "ground_truth/größe/Ångström_mask.png"),
        ("test/good/0.png", "test/größe/Việt.png", "ground_truth/größe/Việt/000.png"),
        ("test/good/rgb/0.png", "test/hôle/rgb/né.png", "test/hôle/gt/né.png"),
        ("good/0.png", "fissuré/é.png", "masks/é.png"),
        ("Data/Images/Normal/0.png", "Data/Images/한글/부품.png", "Data/Masks/한글/부품.png"),
    ],
)
@pytest.mark.parametrize("forms", [("NFD", "NFC"), ("NFC", "NFD")])
def test_masks_are_found_in_another_form_of_unicode(good, image, mask, forms):
    image, mask = (unicodedata.normalize(form, name) for form, name in zip(forms, (image, mask), strict=True))
    read = read_names([good, image, mask])
    assert read.masks == {image: [mask]} and read.problems == []


def test_a_name_as_written_goes_before_another_form():
    long = "x" * 90 + "{}" + "y" * 90
    pairs = [
        (f"test/dent/{one}.png", f"gt/dent/{one}_mask.png")
        for one in ("é", "e\u0301", *map(long.format, "12"))
    ]
    read = read_names(["test/good/0.png", *(name for pair in pairs for name in pair)])
    assert read.masks == {image: [mask] for image, mask in pairs}


def test_names_of_any_kind_stand_on_one_line():
    assert few(["a\nb", "\udcff"]) == "a\\nb, \\udcff"
