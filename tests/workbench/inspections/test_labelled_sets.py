"""Labelled sets: MVTec's layout and its variants, and a sentence for each problem."""

import unicodedata

import numpy as np
import pytest

from patchcore.errors import NoImagesError
from patchcore.labels.words import NothingGood
from tests.patchcore.labels.marked_sets import DEFECT, GOOD, MARKED, PIXELS, UNUSABLE
from tests.workbench.inspections.test_labels import rows
from tests.workbench.parts import picture, plate, scratch_mask
from workbench.inspections.batches import load_mask
from workbench.inspections.labelled_sets import Reading, import_images, import_labelled, labels_of_folders
from workbench.inspections.labels import label_counts, labelled_sets
from workbench.uploads.intake import from_files, from_folder


def files(*names, **contents):
    made = {name: plate(seed) for seed, name in enumerate(names)}
    return list((made | contents).items())


def take(workspace, version, tmp_path, *named):
    return import_labelled(workspace, version.inspector_id, from_files(named, tmp_path), "set")


def test_the_layout_of_mvtec_gives_labels_and_masks(workspace, version, tmp_path):
    found = take(
        workspace,
        version,
        tmp_path,
        *files("part/train/good/000.png", "part/test/good/000.png", "part/test/scratch/000.png"),
        ("part/ground_truth/scratch/000_mask.png", scratch_mask()),
    )
    images = rows(workspace, found.batch_id)
    assert [(image.name, image.truth) for image in images] == [
        ("part/test/good/000.png", "good"),
        ("part/test/scratch/000.png", "scratch"),
    ]
    assert load_mask(workspace, images[0]) is None and load_mask(workspace, images[1]).sum() == 288
    assert len(found.problems) == 1 and found.problems[0].startswith("1 image below train was left out")


@pytest.mark.parametrize("table", ["labels.csv", None])
def test_images_to_inspect_bring_their_labels_and_leave_masks_out(workspace, version, tmp_path, table):
    named = files("lot/io/a.png", "lot/kratzer/b.png", "lot/ground_truth/kratzer/b_mask.png")
    named += [("lot/labels.csv", b"Datei;Befund\nio/a.png;i.O.\nkratzer/b.png;tief\n")] if table else []
    found = import_images(workspace, version.inspector_id, from_files(named, tmp_path), "lot")
    kinds = {image.name: image.truth for image in rows(workspace, found.batch_id)}
    assert kinds == {"lot/io/a.png": "good", "lot/kratzer/b.png": "tief" if table else "kratzer"}
    assert found.labels.startswith("Taken as good: i.O. (1)" if table else "Taken as good: io (1)")


def test_folders_without_a_word_for_good_parts_label_only_by_words_for_defects(workspace, version, tmp_path):
    named = files("lot/camera1/a.png", "lot/NG/b.png", "lot/masks/b.png")
    found = import_images(workspace, version.inspector_id, from_files(named, tmp_path), "lot")
    kinds = {image.name: image.truth for image in rows(workspace, found.batch_id)}
    assert kinds == {"lot/camera1/a.png": None, "lot/NG/b.png": "NG"}
    assert found.problems == ["1 image (lot/masks/b.png) left out: masks, by the names of their folders."]


def test_a_table_without_a_good_label_leaves_images_to_inspect_unlabelled(workspace, version, tmp_path):
    named = [*files("a.png", "b.png"), ("labels.csv", b"file,label\na.png,typ 1\nb.png,typ 2\n")]
    found = import_images(workspace, version.inspector_id, from_files(named, tmp_path), "lot")
    assert [image.truth for image in rows(workspace, found.batch_id)] == [None, None]
    assert (
        "Labels found: typ 1 (1), typ 2 (1)" in found.problems[0]
        and "bring the set on Evaluate" in found.problems[0]
    )


def test_a_folder_on_this_computer_gives_the_same_labels(workspace, version, tmp_path):
    for name, data in files("test/good/a.png", "test/hole/b.png"):
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_bytes(data)
    found = import_labelled(workspace, version.inspector_id, from_folder(tmp_path / "set"), "set")
    assert label_counts(workspace, found.batch_id).defects == {"hole": 1} and found.problems == []


def test_a_table_labels_each_image(workspace, version, tmp_path):
    text = "file;label;mask\na.png;ok;\nsub/b.png;scratch;masks/b.png\nc.png;ok;\n"
    found = take(
        workspace,
        version,
        tmp_path,
        *files("a.png", "sub/b.png"),
        ("masks/b.png", scratch_mask()),
        ("labels.csv", text.encode()),
    )
    images = rows(workspace, found.batch_id)
    assert [(image.name, image.truth) for image in images] == [("a.png", "good"), ("sub/b.png", "scratch")]
    assert load_mask(workspace, images[1]).sum() == 288
    assert found.problems == ["labels.csv, line 4: c.png does not exist; it was left out."]


@pytest.mark.parametrize(
    "names, truth, masks",
    [
        (["good/1.png", "hole/1.png"], ["good", "hole"], {}),
        (["1.png", "hole/1.png"], [None, "hole"], {}),
        (["test/1.png", "good/2.png"], [None, "good"], {}),
        (
            ["a/test/hole/1.png", "a/ground_truth/hole/1.png", "b/test/hole/1.png"],
            ["hole", None, "hole"],
            {"a/test/hole/1.png": ["a/ground_truth/hole/1.png"]},
        ),
        (
            ["test/hole/deep/1.png", "test/ground_truth/hole/1_mask.png"],
            ["hole"],
            {"test/hole/deep/1.png": ["test/ground_truth/hole/1_mask.png"]},
        ),
    ],
)
def test_labels_are_read_off_folders(names, truth, masks):
    labels = labels_of_folders(dict.fromkeys(names, b""))
    expected = {name: kind for name, kind in zip(names, truth, strict=False) if kind is not None}
    assert (labels.truth, labels.masks) == (expected, masks)


def test_a_mask_without_an_image_becomes_a_problem_and_no_image(workspace, version, tmp_path):
    found = take(
        workspace,
        version,
        tmp_path,
        *files("test/good/0.png"),
        ("ground_truth/hole/9_mask.png", scratch_mask()),
    )
    assert [image.name for image in rows(workspace, found.batch_id)] == ["test/good/0.png"]
    assert len(found.problems) == 1
    assert found.problems[0].startswith(
        "No image belongs to 1 mask (ground_truth/hole/9_mask.png), or several do."
    )


def test_masks_that_do_not_fit_become_problems_and_the_rest_goes_on(workspace, version, tmp_path):
    found = take(
        workspace,
        version,
        tmp_path,
        *files("test/good/0.png", "test/hole/1.png", "test/hole/2.png", "loose.png"),
        ("ground_truth/hole/1_mask.png", picture(np.eye(32, 40, dtype=np.uint8))),
        ("ground_truth/hole/2_mask.png", plate(3)),
        ("readme.txt", b"hello"),
    )
    images = rows(workspace, found.batch_id)
    assert [image.truth for image in images] == ["good", "hole", "hole", None]
    assert all(image.mask_sha256 is None for image in images)
    said = "\n".join(found.problems)
    assert "readme.txt: not an image" in said
    assert "test/hole/1.png: The mask is 40 × 32 but the image 64 × 64" in said
    assert "test/hole/2.png: " in said and "as in a photograph" in said
    assert "1 image (loose.png) without a label" in said


def test_a_set_without_images_raises_no_images_error(workspace, version, tmp_path):
    with pytest.raises(NoImagesError):
        take(workspace, version, tmp_path, *files("part/train/good/000.png"))


def test_a_table_gives_labels_and_masks_by_the_places_of_files(workspace, version, tmp_path):
    table = "\ufefffile;label;mask\r\na.png;ok;\r\nsub/b.png;hole;masks/b.png\r\nc.png;dent;\r\n"
    found = take(
        workspace,
        version,
        tmp_path,
        *files("set/a.png", "set/sub/b.png", "set/c.png", "set/d.png"),
        ("set/masks/b.png", scratch_mask()),
        ("set/labels.csv", table.encode()),
    )
    images = rows(workspace, found.batch_id)
    assert [(image.name, image.truth) for image in images] == [
        ("set/a.png", "good"),
        ("set/sub/b.png", "hole"),
        ("set/c.png", "dent"),
        ("set/d.png", None),
    ]
    assert [load_mask(workspace, image) is None for image in images] == [True, False, True, True]
    assert found.problems == [
        "1 image (c.png) with a defect, but without a mask; it counts among the images, not among the pixels.",
        "1 image (set/d.png) without a label: label here what you know of them.",
    ]


def test_labels_of_absent_files_become_problems_and_the_rest_goes_on(workspace, version, tmp_path):
    table = b"file,label\na.png,good\ngone.png,hole\n../../etc/passwd,hole\n"
    found = take(workspace, version, tmp_path, *files("a.png"), ("labels.csv", table))
    assert [image.truth for image in rows(workspace, found.batch_id)] == ["good"]
    said = "\n".join(found.problems)
    assert "gone.png" in said and "passwd" in said


def test_a_table_without_labels_leaves_them_to_the_folders(workspace, version, tmp_path):
    found = take(
        workspace,
        version,
        tmp_path,
        *files("test/good/a.png", "test/hole/b.png"),
        ("sizes.csv", b"x,y\n1,2\n"),
    )
    assert label_counts(workspace, found.batch_id).defects == {"hole": 1}
    assert len(found.problems) == 1 and found.problems[0].startswith("sizes.csv has no column file")


def test_of_several_tables_one_is_read(workspace, version, tmp_path):
    found = take(
        workspace,
        version,
        tmp_path,
        *files("a.png", "b.png"),
        ("one.csv", b"file,label\na.png,hole\nb.png,good\n"),
        ("two.csv", b"file,label\na.png,good\n"),
    )
    assert label_counts(workspace, found.batch_id).defects == {"hole": 1}
    assert found.problems == ["Labels were read from one.csv alone; besides it: two.csv."]


@pytest.mark.parametrize(
    "name",
    [
        "größe.png",
        "Ångström/å.png",
        "한글.png",
        "螺" * 100 + ".png",
        "x" * 300 + ".png",
        "aux/5. ö/10:15?.png",
    ],
)
@pytest.mark.parametrize(("handed_in", "in_table"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_a_table_names_files_in_another_form_of_unicode_or_at_full_length(
    workspace, version, tmp_path, name, handed_in, in_table
):
    file, written = (unicodedata.normalize(form, name) for form in (handed_in, in_table))
    found = take(
        workspace,
        version,
        tmp_path,
        ("ok.png", plate(2)),
        (file, plate(1)),
        (f"masks/{file}", scratch_mask()),
        ("labels.csv", f"file,label,mask\nok.png,ok,\n{written},scratch,masks/{written}\n".encode()),
    )
    _, image = rows(workspace, found.batch_id)
    assert image.truth == "scratch" and load_mask(workspace, image).sum() == 288
    assert found.problems == []


def test_a_set_without_images_counts_its_files_by_kind(workspace, version, tmp_path):
    with pytest.raises(NoImagesError, match="set holds no images that can be read: 2 GIFs, 1 text file"):
        take(
            workspace,
            version,
            tmp_path,
            ("a.gif", b"GIF89a"),
            ("b.gif", b"GIF89a"),
            ("c.csv", b"file,label\n"),
        )


@pytest.mark.parametrize("name", ["größe", "Ångström", "Việt", "x" * 130, "螺" * 78])
def test_masks_are_found_in_another_form_of_unicode_and_at_full_length(workspace, version, tmp_path, name):
    apart, whole = (unicodedata.normalize(form, name) for form in ("NFD", "NFC"))
    found = take(
        workspace,
        version,
        tmp_path,
        *files("test/good/0.png", f"test/{whole[:20]}/{apart}.png"),
        (f"ground_truth/{apart[:20]}/{whole}_mask.png", scratch_mask()),
    )
    assert load_mask(workspace, rows(workspace, found.batch_id)[1]).sum() == 288
    assert found.problems == []


@pytest.mark.parametrize(
    ("good", "defect"), [("normal", "NG"), ("pass", "dent"), ("0.0", "1.0"), ("i.O.", "n.i.O.")]
)
def test_words_for_good_parts_in_tables_and_folders(workspace, version, tmp_path, good, defect):
    table = f"Datei;Klasse\na.png;{good}\nb.png;{defect}\nc.png;good\n".encode()
    found = take(workspace, version, tmp_path, *files("a.png", "b.png", "c.png"), ("labels.csv", table))
    assert label_counts(workspace, found.batch_id).good == 2
    assert found.labels == f"Taken as good: {good} (1), good (1). Taken as defects: {defect} (1)."
    found = take(workspace, version, tmp_path, *files(f"{good}/a.png", f"{defect}/b.png"))
    assert [image.truth for image in rows(workspace, found.batch_id)] == ["good", defect]
    assert found.labels == f"Taken as good: {good} (1). Taken as defects: {defect} (1)."


@pytest.mark.parametrize("labels", [("dent", "hole"), ("NG", "n.i.O."), ("typ 1", "typ 2")])
def test_where_nothing_is_good_the_user_is_asked(workspace, version, tmp_path, labels):
    named = files(*(f"{label}/{number}.png" for number, label in enumerate(labels)))
    with pytest.raises(NothingGood) as asked:
        take(workspace, version, tmp_path, *named)
    assert asked.value.labels == labels and labelled_sets(workspace, version.inspector_id) == []
    for chosen, good in ((labels[:1], 1), ((), 0)):
        uploads = from_files(named, tmp_path)
        found = import_labelled(workspace, version.inspector_id, uploads, "set", chosen)
        counts = label_counts(workspace, found.batch_id)
        assert (counts.good, counts.defect) == (good, 2 - good)


def test_several_masks_of_an_image_are_united(workspace, version, tmp_path):
    second = np.zeros((64, 64), np.uint8)
    second[:2] = 255
    found = take(
        workspace,
        version,
        tmp_path,
        *files("test/good/0.png", "test/logical_anomalies/1.png"),
        ("ground_truth/logical_anomalies/1/000.png", scratch_mask()),
        ("ground_truth/logical_anomalies/1/001.png", picture(second)),
    )
    assert load_mask(workspace, rows(workspace, found.batch_id)[1]).sum() == 288 + 128
    assert found.problems == []


def test_the_tables_of_visa(workspace, version, tmp_path):
    names = [f"candle/Data/Images/{one}" for one in ("Normal/0.png", "Normal/1.png", "Anomaly/0.png")]
    mask = "candle/Data/Masks/Anomaly/0.png"
    lines = [
        "object,split,label,image,mask",
        f"candle,train,normal,{names[0]},",
        f"candle,test,normal,{names[1]},",
        f"candle,test,anomaly,{names[2]},{mask}",
    ]
    table = ("split_csv/1cls.csv", "\n".join(lines).encode())
    found = take(workspace, version, tmp_path, *files(*names), (mask, scratch_mask()), table)
    images = rows(workspace, found.batch_id)
    assert [image.truth for image in images] == [None, "good", "defect"]
    assert load_mask(workspace, images[2]).sum() == 288


def take_marked(workspace, version, tmp_path, marks):
    images = [(name, plate(seed)) for seed, name in enumerate((GOOD, DEFECT))]
    found = take(workspace, version, tmp_path, *images, *marks.items())
    good, defect = sorted(rows(workspace, found.batch_id), key=lambda image: image.name != GOOD)
    assert (good.name, good.truth, defect.name) == (GOOD, "good", DEFECT) and good.mask_sha256 is None
    return found, defect


@pytest.mark.parametrize("way", MARKED)
def test_the_same_pixels_are_read_however_they_are_marked(workspace, version, tmp_path, way):
    found, defect = take_marked(workspace, version, tmp_path, MARKED[way])
    assert load_mask(workspace, defect).sum() == PIXELS, found.problems


@pytest.mark.parametrize("fault", UNUSABLE)
def test_marks_that_are_not_used_become_problems(workspace, version, tmp_path, fault):
    marks, words = UNUSABLE[fault]
    found, defect = take_marked(workspace, version, tmp_path, marks)
    assert defect.mask_sha256 is None and any(words in problem for problem in found.problems), found.problems


def test_what_was_found_in_reading_stays_with_the_set(workspace, version, tmp_path):
    marks, words = UNUSABLE["everything"]
    found, _ = take_marked(workspace, version, tmp_path, marks)
    (batch,) = labelled_sets(workspace, version.inspector_id)
    assert Reading.of(batch) == found.reading and words in found.reading.problems[0]
    assert found.reading.labels == "Taken as good: good (1). Taken as defects: dent (1)."
    stored = Reading("x" * 9_000, ("y",) * 9_000).to_dict()
    assert len(stored["labels"]) == 5_001 and len(stored["problems"]) == 5_001
    assert stored["problems"][-1] == "4,000 further remarks are not kept."


def test_a_photograph_labelled_good_with_a_mark_is_named(workspace, version, tmp_path):
    found = take(
        workspace,
        version,
        tmp_path,
        *files("good/0.png", "dent/0.png"),
        ("good/0_GT.png", scratch_mask()),
        ("dent/0_GT.png", scratch_mask()),
    )
    assert [load_mask(workspace, image) is None for image in rows(workspace, found.batch_id)] == [True, False]
    assert "1 image (good/0.png) labelled good, though a mask marks a defect there" in found.problems[0]


LONG = "ü" * 130  # 260 bytes
SIDE_BY_SIDE = {
    "a file beside a folder of its name": (["lot/a", "lot/a/b.png"], "lot/a/b.png"),
    "a folder named as the table": (["labels.csv/a.png", "b.png"], "b.png"),
    "a folder of the table's name in capitals": (["LABELS.CSV/a.png", "b.png"], "b.png"),
    "a name over 255 bytes": ([f"{LONG}.png", "b.png"], f"{LONG}.png"),
    "two names that are cut to the same": (
        [f"{LONG}1{LONG}.png", f"{LONG}2{LONG}.png"],
        f"{LONG}1{LONG}.png",
    ),
    "folders over 255 bytes": ([f"{'漢' * 100}/{'字' * 100}/a.png", "b.png"], "b.png"),
    "folders that differ by a dot": (["good./a.png", "good/a.png"], "good/a.png"),
    "names that differ by case": (["a.png", "A.PNG"], "a.png"),
}


@pytest.mark.parametrize("kind", SIDE_BY_SIDE)
def test_names_that_cannot_lie_side_by_side_bring_their_labels_nevertheless(
    workspace, version, tmp_path, kind
):
    names, labelled = SIDE_BY_SIDE[kind]
    table = ("labels.csv", f"file,label\n{labelled},good\n".encode())
    found = import_images(
        workspace, version.inspector_id, from_files([table, *files(*names)], tmp_path), "lot"
    )
    truths = [image.truth for image in rows(workspace, found.batch_id)]
    assert len(truths) == 2 and truths.count("good") == 1


def test_a_label_is_kept_as_long_as_the_database_has_room_for(workspace, version, tmp_path):
    found = take(workspace, version, tmp_path, *files("good/a.png", f"{'kratzer ' * 14}/b.png"))
    kinds = [image.truth for image in rows(workspace, found.batch_id)]
    assert kinds[0] == "good" and kinds[1].startswith("kratzer") and len(kinds[1]) == 64
