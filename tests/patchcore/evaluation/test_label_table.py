"""Labels from a table: what is read, and a sentence for all that cannot be."""

import unicodedata

import numpy as np
import pytest
from PIL import Image

from patchcore.errors import DataError, NoImagesError
from patchcore.evaluation.label_table import read_labelled, read_labels


@pytest.fixture
def folder(tmp_path):
    inside = tmp_path / "set"
    for name in ("a.png", "b.png", "sub/c.png", "mask.png", "größe.png"):
        (inside / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((4, 6), 255, np.uint8)).save(inside / name)
    Image.fromarray(np.zeros((4, 6), np.uint8)).save(tmp_path / "outside.png")
    return inside


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
    assert images[1].mask().all() and images[1].mask().shape == (4, 6)
    assert images[0].mask() is images[2].mask() is None
    assert problems == []


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
    assert [i.defect_type for i in images] == ["good", "sub"] and problems == []
    assert len(read_labelled(table(folder, "file,label\nb.png,dent\n"))[0]) == 1


@pytest.mark.parametrize("name", ["größe.png", "Ångström.png", "한글/부품.png"])
@pytest.mark.parametrize(("on_disk", "in_table"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_names_are_the_same_in_both_forms_of_unicode(folder, name, on_disk, in_table):
    path, mask = (folder / unicodedata.normalize(on_disk, one) for one in (f"new/{name}", f"masks/{name}"))
    for one in (path, mask):
        one.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((4, 6), 255, np.uint8)).save(one)
    written = unicodedata.normalize(in_table, name)
    images, problems = read_labels(
        table(folder, f"file,label,mask\nnew/{written},nok,masks/{written}\nnew\\{written},ok,\n")
    )
    assert [image.path.samefile(path) for image in images] == [True]
    assert images[0].mask().all()
    assert len(problems) == 1 and "was named before as defect" in problems[0]


def test_names_that_no_disk_takes_get_a_sentence(folder):
    rows = "".join(f"{name},ok,\n" for name in ("x" * 300 + ".png", "ü" * 200, "a/" * 3000))
    images, problems = read_labels(table(folder, "file,label,mask\na.png,good,\n" + rows))
    assert len(images) == 1 and len(problems) == 3
    assert all("left out" in sentence for sentence in problems)
