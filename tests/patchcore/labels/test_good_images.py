"""The images taken from a folder to build from, and the sentences on them."""

import unicodedata

import pytest

from patchcore.errors import NoImagesError
from patchcore.labels.good_images import choose_good
from tests.patchcore.labels.layouts import ROOTS_OF_DEFECTS, TREES


@pytest.mark.parametrize(("folders", "taken"), TREES)
@pytest.mark.parametrize("above", ["", "washer/"])
def test_good_images_are_taken_and_the_others_left_out_by_name(folders, taken, above):
    names = [f"{above}{folder}/{number}.png" for folder in folders for number in range(2)]
    chosen = choose_good(names)
    assert chosen.names == [name for name in names if name.removeprefix(above).rpartition("/")[0] in taken]
    assert chosen.left_out.keys() == set(names) - set(chosen.names)
    said = " ".join(chosen.remarks)
    assert said.startswith("Taken as good: ")
    assert all(f"{above}{folder} (2)" in said for folder in folders)


@pytest.mark.parametrize(("root", "folders"), ROOTS_OF_DEFECTS)
def test_defects_and_masks_alone_are_refused(root, folders):
    names = [f"{folder}/1.png".lstrip("/") for folder in folders]
    with pytest.raises(NoImagesError, match=r"defects or masks alone.*train/good.*PATCHCORE_GOOD_WORDS"):
        choose_good(names, root)
    with pytest.raises(NoImagesError, match="defects or masks alone"):
        choose_good([f"{root}/{name}" for name in names if root] or names)


@pytest.mark.parametrize("defect", ["größe", "fissuré", "Vết nứt"])
@pytest.mark.parametrize("forms", [("NFD", "NFC"), ("NFC", "NFD")])
def test_a_folder_called_as_defects_with_masks_is_left_out_in_either_form(defect, forms):
    folder, mask = (unicodedata.normalize(form, defect) for form in forms)
    chosen = choose_good(["monday/1.png", f"{folder}/1.png", f"masks/{mask}/1.png"])
    assert chosen.names == ["monday/1.png"]
    assert "defects" in chosen.left_out[f"{folder}/1.png"]


@pytest.mark.parametrize(
    ("root", "names"),
    [
        ("good", ["1.png", "2.png"]),
        ("lot 7", ["1.png", "2.png"]),
        ("lot 7", ["day 1/1.png", "day 1/2.png"]),
        ("ok", ["monday/1.png", "tuesday/2.png"]),
        ("1", ["1.png"]),
        ("anomaly_detection", ["1.png"]),
        ("masks", ["good/1.png"]),
        ("", []),
    ],
)
def test_folders_without_a_doubt_are_taken_without_a_word(root, names):
    chosen = choose_good(names, root)
    assert (chosen.names, chosen.left_out, chosen.remarks) == (names, {}, [])


@pytest.mark.parametrize(
    "folders", [("cam a", "cam b"), ("0", "1", "2"), ("monday", "tuesday/shift 2"), ("test/one", "test/two")]
)
def test_folders_of_unknown_names_are_all_taken_and_named(folders):
    names = [f"{folder}/1.png" for folder in folders]
    chosen = choose_good(names)
    assert chosen.names == names
    (said,) = chosen.remarks
    assert all(f"{folder} (1)" in said for folder in folders) and "do not say what the folders hold" in said


def test_words_of_the_site_count(monkeypatch):
    names = ["golden/1.png", "scratch/1.png"]
    monkeypatch.setenv("PATCHCORE_GOOD_WORDS", "golden")
    assert choose_good(names).names == ["golden/1.png"]
    monkeypatch.setenv("PATCHCORE_GOOD_WORDS", "")
    monkeypatch.setenv("PATCHCORE_DEFECT_WORDS", "scratch")
    chosen = choose_good(names)
    assert chosen.names == ["golden/1.png"] and "Left out as defects: scratch (1)." in chosen.remarks


def test_a_reason_stands_at_each_image_left_out():
    names = [
        "train/good/1.png",
        "test/good/1.png",
        "test/dent/1.png",
        "test/ng/1.png",
        "gt/dent/1.png",
        "1.png",
    ]
    reasons = choose_good(names).left_out
    assert reasons["test/good/1.png"].startswith("lies in test/good: good images of another split.")
    assert reasons["test/dent/1.png"].startswith("lies in test/dent: images without a word for good parts")
    assert reasons["test/ng/1.png"].startswith("lies in test/ng: defects.")
    assert reasons["gt/dent/1.png"].startswith("lies in gt/dent: masks.")
    assert reasons["1.png"].startswith("lies in the folder itself: ")
