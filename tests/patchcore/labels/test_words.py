"""Words for good parts, defects, masks, splits and columns."""

import unicodedata

import pytest

from patchcore.labels.words import (
    COLUMNS,
    DEFECT_WORDS,
    GOOD_WORDS,
    NothingGood,
    columns_of,
    is_mask_folder,
    require_good,
    vocabulary,
    written_labels,
)

GOOD_LABELS = (
    "good", "Good", " OK ", "okay", "normal", "NORMAL", "gut", "Gutteile", "IO", "i.O.", "i. O.", "pass", "Passed", "0",
    "0.0", "0,0", "0.", "False", "FALSE", "none", "defect-free", "no defect", "in Ordnung", "fehlerfrei", "good_parts",
    "01 Good", "OK-Teile", "good (2)", "test_good", "ＯＫ", "良品", "buono",
)  # fmt: skip
DEFECT_LABELS = (
    "bad", "NG", "nok", "N.O.K.", "KO", "not ok", "not_good", "Defect", "anomaly", "Anomalies", "FAIL", "failed", "NIO",
    "n.i.O.", "n. i. O.", "nicht i.O.", "schlecht", "Schlechtteile", "1", "1.0", "1,0", "True", "defective parts",
    "bad_02", "Ausschuss", "défaut", "不良",
)  # fmt: skip
TYPES = ("scratch", "2", "01", "10", "good-looking dent", "goods train", "lot 1", "class_1", "", "-", "cam0")


@pytest.mark.parametrize("label", GOOD_LABELS)
def test_words_of_good_parts(label):
    assert vocabulary(environ={}).kind(label) == vocabulary(environ={}).defect_type(label) == "good"


@pytest.mark.parametrize("label", DEFECT_LABELS)
def test_words_of_defects(label):
    assert vocabulary(environ={}).kind(label) == vocabulary(environ={}).defect_type(label) == "defect"


@pytest.mark.parametrize("label", TYPES)
def test_any_other_word_is_a_type(label):
    assert vocabulary(environ={}).kind(label) is None
    assert vocabulary(environ={}).defect_type(label) == label


def test_the_lists_share_no_word_and_hold_words_as_they_are_compared():
    assert not GOOD_WORDS & DEFECT_WORDS
    for word in GOOD_WORDS | DEFECT_WORDS:
        assert vocabulary(environ={}).kind(word.upper()) is not None, word
        assert vocabulary(environ={}).kind(unicodedata.normalize("NFD", word)) is not None, word


def test_a_site_adds_words_and_turns_others_round():
    words = vocabulary(
        environ={"PATCHCORE_GOOD_WORDS": "Golden sample; freigegeben,", "PATCHCORE_DEFECT_WORDS": "clean"}
    )
    assert words.kind("golden_sample") == words.kind("FREIGEGEBEN") == words.kind("ok") == "good"
    assert words.kind("clean") == words.kind("bad") == "defect" and words.kind("") is None


def test_labels_that_the_user_calls_good_outweigh_the_lists():
    words = vocabulary(["Typ 3", "1", "NG"], environ={})
    assert [words.kind(label) for label in ("typ 3", "Typ 4", "1.0", "0", "ng", "bad")] == [
        "good", None, "good", "good", "good", "defect",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train", "train"), ("Training", "train"), ("train_bad", "train"), ("VALIDATION", "validation"),
        ("val", "validation"), ("test", "test"), ("test_public", "test"), ("test_private_mixed", "test"),
        ("Test images", "test"), ("test 2", "test"), ("test bench", None), ("train wheels", None), ("latest", None),
        ("good", None), ("", None),
    ],
)  # fmt: skip
def test_splits(name, split):
    assert vocabulary(environ={}).split(name) == split


@pytest.mark.parametrize(
    "name", ["ground_truth", "GroundTruth", "Masks", "mask images", "gt", "Masken", "annotations"]
)
def test_folders_of_masks(name):
    assert is_mask_folder(name) and not is_mask_folder(f"{name}_of_{name}")


@pytest.mark.parametrize(
    ("header", "roles"),
    [
        (["label", "FILE"], {"file": 1, "label": 0}),
        (["object", "split", "label", "image", "mask"], {"file": 3, "label": 2, "mask": 4, "split": 1}),
        (["Datei", "Klasse", "Maske"], {"file": 0, "label": 1, "mask": 2}),
        (["File Name", "class_name", "mask-path"], {"file": 0, "label": 1, "mask": 2}),
        (["path", "filename", "Label"], {"file": 1, "label": 2}),
        (["a", "b"], {}),
    ],
)
def test_columns(header, roles):
    assert columns_of(header) == roles
    assert not {*COLUMNS["file"]} & {*COLUMNS["label"]}


def test_a_sentence_on_the_labels_and_a_refusal_where_none_is_good():
    mixed = written_labels([("normal", False), ("pass", False), ("normal", False), ("dent\n", True)])
    assert mixed.sentence == "Taken as good: normal (2), pass (1). Taken as defects: dent\\n (1)."
    assert mixed.to_dict() == {"good": {"normal": 2, "pass": 1}, "defect": {"dent\\n": 1}}
    require_good("set", mixed)
    require_good("set", written_labels([]))
    with pytest.raises(
        NothingGood, match=r"set: no label.*dent \(1\), NG \(1\).*PATCHCORE_GOOD_WORDS"
    ) as refused:
        require_good("set", written_labels([("dent", True), ("NG", True)]))
    assert refused.value.labels == ("dent", "NG")
