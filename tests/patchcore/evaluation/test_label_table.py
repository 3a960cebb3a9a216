"""Labels from a table: what is read, and a sentence for all that cannot be."""

import time
import unicodedata

import numpy as np
import pytest
from PIL import Image

from patchcore.errors import DataError, NoImagesError
from patchcore.evaluation.label_table import labels_of, read_labelled, read_labels
from patchcore.labels.problems import MOST_PROBLEMS
from patchcore.labels.words import NothingGood
from tests.hostile import tables


@pytest.fixture
def folder(tmp_path):
    inside = tmp_path / "set"
    for name in ("a.png", "b.png", "sub/c.png", "mask.png", "größe.png"):
        (inside / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(HALF).save(inside / name)
    Image.fromarray(np.zeros((4, 6), np.uint8)).save(tmp_path / "outside.png")
    return inside


HALF = np.repeat([255, 0], 2).astype(np.uint8)[:, None].repeat(6, axis=1)  # the upper half is marked


def assert_marked(image):
    """The upper half of an image is marked."""
    np.testing.assert_array_equal(image.mask((4, 6)).pixels, HALF > 0)


def table(folder, text, encoding="utf-8"):
    (folder / "labels.csv").write_bytes(text.encode(encoding))
    return folder / "labels.csv"


def test_files_labels_and_masks(folder):
    images, problems = read_labels(
        table(folder, "file,label,mask\na.png,good,\nb.png,scratch,mask.png\nsub/c.png,1,\n")
    )
    assert [(i.name, i.defect_type, i.is_defect) for i in images] == [
        ("a.png", "good", False),
        ("b.png", "scratch", True),
        ("sub/c.png", "defect", True),
    ]
    assert_marked(images[1])
    assert images[0].mask((4, 6)) is images[2].mask((4, 6)) is None
    assert problems == [
        "1 image (sub/c.png) with a defect, but without a mask; it counts among the images, not among the pixels."
    ]


@pytest.mark.parametrize(
    ("label", "kind"),
    [("good", "good"), (" OK ", "good"), ("0", "good"), ("Defect", "defect"), ("NOK", "defect"), ("1", "defect"),
     ("Scratch", "Scratch"), ("2", "2")],
)  # fmt: skip
def test_words_for_good_and_defect(folder, label, kind):
    assert read_labels(table(folder, f"file,label\na.png,{label}\n"))[0][0].defect_type == kind


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_as_excel_and_others_write_it(folder, encoding, separator, end):
    rows = [["Label", "FILE"], ["good", "größe.png"], [], ['"dent; deep, long"', "b.png"]]
    text = end.join(separator.join(row) for row in rows)
    images, problems = read_labels(table(folder, text, encoding))
    assert [(i.name, i.defect_type) for i in images] == [("größe.png", "good"), ("b.png", "dent; deep, long")]
    assert problems == []


def test_the_hint_that_excel_writes_and_the_paths_of_windows(folder):
    images, problems = read_labels(table(folder, "sep=;\r\nfile;label\r\nsub\\c.png;good\r\n"))
    assert [i.name for i in images] == ["sub/c.png"] and problems == []


def test_an_absolute_path_below_the_folder_is_taken(folder):
    images, _ = read_labels(table(folder, f"file,label\n{folder / 'sub/c.png'},ok\n"))
    assert images[0].name == "sub/c.png"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("absent.png,good,", "line 2: absent.png does not exist; it was left out."),
        ("b.png,,", "line 2: b.png has no label; it was left out."),
        (",good,", "line 2: no file is named"),
        ("../outside.png,good,", "../outside.png lies outside the folder of the table"),
        ("{outside},good,", "outside.png lies outside the folder of the table"),
        ("sub,good,", "sub does not exist"),
        (
            "b.png,dent,absent.png",
            "the mask absent.png of b.png does not exist; the image counts without it.",
        ),
        ("b.png,dent,../outside.png", "the mask ../outside.png of b.png lies outside"),
        ("b.png,good,mask.png", "b.png is labelled good, so its mask was not read."),
        ("b\0d.png,good,", None),
        (f"{'x' * 5000},good,", "is not a path that can be read"),
    ],
)
def test_faulty_lines_are_named_and_the_others_read(folder, line, sentence):
    line = line.format(outside=folder.parent / "outside.png")
    path = table(folder, f"file,label,mask\n{line}\na.png,good,\n")
    if sentence is None:
        with pytest.raises(DataError, match="not a text file"):
            read_labels(path)
        return
    images, problems = read_labels(path)
    assert images[-1].name == "a.png"
    assert len(problems) == 1 and sentence in problems[0]
    assert problems[0].startswith("labels.csv, line 2: ")
    assert (len(images) == 2) == line.startswith("b.png,d") or "labelled good" in problems[0]


def test_a_link_out_of_the_folder_is_not_followed(folder):
    (folder / "link.png").symlink_to(folder.parent / "outside.png")
    _, problems = read_labels(table(folder, "file,label\nlink.png,good\na.png,good\n"))
    assert "outside the folder" in problems[0]


def test_paths_come_back_below_the_folder_as_it_was_named(folder, tmp_path):
    (tmp_path / "linked").symlink_to(folder)
    table(folder, "file,label,mask\nsub/c.png,dent,mask.png\n")
    (image,), _ = read_labels(tmp_path / "linked/labels.csv")
    assert (image.path, image.mask_path) == (tmp_path / "linked/sub/c.png", tmp_path / "linked/mask.png")


def test_unknown_columns_and_repeated_files(folder):
    text = "file,label,who\na.png,good,Ada\nsub/../a.png,good,Ada\na.png,dent,Ada\n"
    images, problems = read_labels(table(folder, text))
    assert len(images) == 1
    assert 'the column "who" is unknown' in problems[0]
    assert "sub/../a.png was named before; the first line counts." in problems[1]
    assert "a.png was named before as good" in problems[2]


@pytest.mark.parametrize(
    ("text", "kind", "sentence"),
    [
        ("", DataError, "no column file or label"),
        ("a.png,good\nb.png,dent\n", DataError, "no column file or label"),
        ("file,kind\na.png,good\n", DataError, "no column label"),
        ("file,label\n", NoImagesError, "names no image that can be used"),
        ("file,label\nabsent.png,good\n", NoImagesError, "absent.png does not exist"),
    ],
)
def test_files_that_are_not_tables_of_labels_are_refused(folder, text, kind, sentence):
    with pytest.raises(kind, match=sentence):
        read_labels(table(folder, text))


def test_a_folder_or_a_table(folder, tmp_path):
    with pytest.raises(NoImagesError, match="no file or folder"):
        read_labelled(tmp_path / "absent.csv")
    (folder / "good").mkdir()
    (folder / "a.png").rename(folder / "good/a.png")
    images, problems = read_labelled(folder)
    assert [i.defect_type for i in images] == ["good", "sub"]
    assert problems == ["3 without a folder for a label: b.png, größe.png, mask.png."]
    assert len(read_labelled(table(folder, "file,label\nb.png,dent\nsub/c.png,OK\n"))[0]) == 2


@pytest.mark.parametrize("name", ["größe.png", "Ångström.png", "한글/부품.png"])
@pytest.mark.parametrize(("on_disk", "in_table"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_names_are_the_same_in_both_forms_of_unicode(folder, name, on_disk, in_table):
    path, mask = (folder / unicodedata.normalize(on_disk, one) for one in (f"new/{name}", f"masks/{name}"))
    for one in (path, mask):
        one.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(HALF).save(one)
    written = unicodedata.normalize(in_table, name)
    images, problems = read_labels(
        table(folder, f"file,label,mask\nnew/{written},nok,masks/{written}\nnew\\{written},ok,\n")
    )
    assert [image.path.samefile(path) for image in images] == [True]
    assert_marked(images[0])
    assert len(problems) == 1 and "was named before as defect" in problems[0]


@pytest.mark.parametrize("label", ["Größe", "fissuré", "Vết nứt"])
def test_a_label_in_both_forms_of_unicode_is_one_type(folder, label):
    apart, whole = (unicodedata.normalize(form, label) for form in ("NFD", "NFC"))
    images, _ = read_labelled(table(folder, f"file,label\na.png,{apart}\nb.png,{whole}\nsub/c.png,ok\n"))
    assert [image.defect_type for image in images] == [whole, whole, "good"]
    assert labels_of(images).to_dict() == {"good": {"ok": 1}, "defect": {whole: 2}}
    for place, form in (("a.png", apart), ("b.png", whole), ("sub/c.png", "good")):
        (folder / "set" / form).mkdir(parents=True)
        (folder / place).rename(folder / "set" / form / "0.png")
    assert sorted(image.defect_type for image in read_labelled(folder / "set")[0]) == sorted(
        ["good", whole, whole]
    )


@pytest.mark.parametrize("form", ["NFD", "NFC"])
def test_a_table_that_lies_deeper_finds_names_of_either_form(tmp_path, form):
    for name in ("größe/gut.png", "größe/Ångström.png"):
        path = tmp_path / unicodedata.normalize(form, name)
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.zeros((4, 6), np.uint8)).save(path)
    (tmp_path / "tables").mkdir()
    path = table(tmp_path / "tables", "file,label\ngröße/gut.png,gut\ngröße/Ångström.png,dent\n")
    assert [image.defect_type for image in read_labelled(path)[0]] == ["good", "dent"]


def test_names_that_no_disk_takes_get_a_sentence(folder):
    rows = "".join(f"{name},ok,\n" for name in ("x" * 300 + ".png", "ü" * 200, "a/" * 3000))
    images, problems = read_labels(table(folder, "file,label,mask\na.png,good,\n" + rows))
    assert len(images) == 1 and len(problems) == 3
    assert all("left out" in sentence for sentence in problems)


@pytest.mark.parametrize("good", ["normal", "pass", "0.0", "i.O.", "False", "gut", "No defect"])
@pytest.mark.parametrize("defect", ["scratch", "NG", "n.i.O.", "True"])
def test_words_for_good_parts_beside_names_of_defects(folder, good, defect):
    images, _ = read_labelled(table(folder, f"file,label\na.png,{good}\nb.png,{defect}\nsub/c.png,ok\n"))
    assert [image.is_defect for image in images] == [False, True, False]
    assert labels_of(images).to_dict() == {"good": {good: 1, "ok": 1}, "defect": {defect: 1}}


@pytest.mark.parametrize("labels", [("dent", "hole"), ("NG", "NG"), ("1", "positive")])
def test_a_set_without_a_good_image_is_refused_with_its_labels(folder, labels):
    path = table(folder, f"file,label\na.png,{labels[0]}\nb.png,{labels[1]}\n")
    with pytest.raises(NothingGood, match=rf"labels\.csv: no label.*{labels[1]}"):
        read_labelled(path)
    for label, name in zip(labels, ("a.png", "b.png"), strict=True):
        (folder / "set" / label).mkdir(parents=True, exist_ok=True)
        (folder / name).rename(folder / "set" / label / name)
    with pytest.raises(NothingGood, match=labels[0]):
        read_labelled(folder / "set")


@pytest.mark.parametrize(
    "header",
    ["image,class,mask_path", "Datei,Klasse,Maske", "path,verdict,ground truth", "File Name,Label,MASK"],
)
def test_columns_of_other_names(folder, header):
    images, problems = read_labels(table(folder, f"{header}\na.png,good,\nb.png,dent,mask.png\n"))
    assert [(i.name, i.defect_type) for i in images] == [("a.png", "good"), ("b.png", "dent")]
    assert_marked(images[1])
    assert problems == []


def test_a_second_column_of_a_role_is_named(folder):
    _, problems = read_labels(table(folder, "file,label,image\na.png,good,b.png\n"))
    assert problems == [
        'labels.csv, line 1: the column "image" was not read, because "file" was read as file.'
    ]


def test_the_tables_of_visa(tmp_path):
    for name in ("Images/Normal/0.JPG", "Images/Normal/1.JPG", "Images/Anomaly/0.JPG", "Masks/Anomaly/0.png"):
        path = tmp_path / "candle/Data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(HALF).save(path)
    rows = [
        "candle,train,normal,candle/Data/Images/Normal/0.JPG,",
        "candle,test,normal,candle/Data/Images/Normal/1.JPG,",
        "candle,test,anomaly,candle/Data/Images/Anomaly/0.JPG,candle/Data/Masks/Anomaly/0.png",
    ]
    (tmp_path / "split_csv").mkdir()
    split = tmp_path / "split_csv/1cls.csv"
    split.write_text("\n".join(["object,split,label,image,mask", *rows]), encoding="utf-8")
    images, problems = read_labelled(split)
    assert [(i.name, i.defect_type) for i in images] == [
        ("candle/Data/Images/Normal/1.JPG", "good"),
        ("candle/Data/Images/Anomaly/0.JPG", "defect"),
    ]
    assert_marked(images[1])
    assert problems[-1] == "1cls.csv: 1 line of the split train left out."
    own = tmp_path / "candle/image_anno.csv"
    lines = [",".join((row.split(",")[3], row.split(",")[2], row.split(",")[4])) for row in rows]
    own.write_text("\n".join(["image,label,mask", *lines]), encoding="utf-8")
    assert len(read_labelled(own)[0]) == 3
    with pytest.raises(NoImagesError, match="does not exist"):
        read_labels(own, within=tmp_path / "candle")


@pytest.mark.parametrize("form", tables.ROWS)
def test_many_lines_that_name_no_image_take_no_look_at_the_disk_each(form, tmp_path):
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    (tmp_path / "labels.csv").write_text(tables.table(form, 12_000), encoding="utf-8")
    began = time.process_time()
    images, problems = read_labels(tmp_path / "labels.csv")
    assert time.process_time() - began < 3
    assert [image.name for image in images] == ["a.png"]
    assert len(problems) == MOST_PROBLEMS + 1
    assert problems[-1] == "labels.csv: 11,800 further problems are not listed."
    assert max(map(len, problems)) < 400


@pytest.mark.parametrize("name", tables.REFUSED)
def test_a_table_that_is_none_is_refused_in_a_short_sentence(name, tmp_path):
    (tmp_path / "labels.csv").write_bytes(tables.REFUSED[name]())
    with pytest.raises((DataError, NoImagesError)) as refused:
        read_labels(tmp_path / "labels.csv")
    assert len(str(refused.value)) < 600


@pytest.mark.parametrize("written", ["CON.png", "a.png ", "./a.png", "sub//./b.png", "sub\\b.png", "A.png."])
def test_names_in_other_spellings_are_still_looked_up(written, tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("a.png", "sub/b.png", "CON_.png", "A.png"):
        Image.new("L", (4, 4)).save(tmp_path / name)
    (tmp_path / "labels.csv").write_text(f"file,label\n{written},good\n", encoding="utf-8")
    assert len(read_labels(tmp_path / "labels.csv")[0]) == 1
