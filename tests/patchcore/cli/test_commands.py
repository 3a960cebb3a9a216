"""The command line as a shell sees it: standard output, exit codes, sentences."""

import io
import json
import os
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from patchcore import PatchCore
from patchcore.backbones import DEFAULT
from patchcore.cli import commands
from patchcore.detector import Detector
from patchcore.files import container
from patchcore.images import reading
from patchcore.maps.rendering import HeatScale, overlay
from tests.patchcore.conftest import stripes
from tests.patchcore.labels.marked_sets import DEFECT, GOOD, MARKED, MASK, PIXELS, UNUSABLE
from tests.points import by_hand

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Finished:
    returncode: int
    stdout: str
    stderr: str


def patchcore(*arguments, expect=0):
    """Run the command line in this process, as `python -m patchcore` does."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["patchcore", *map(str, arguments)])
        patch.setenv("COLUMNS", "200")
        try:
            commands.main()
        except SystemExit as finished:
            code = finished.code or 0
    assert code == expect, err.getvalue()
    return Finished(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def product(tmp_path_factory):
    folder = tmp_path_factory.mktemp("größe 1")
    for part in ("train/good", "test/good", "test/spot", "ground_truth/spot"):
        (folder / part).mkdir(parents=True)
    for seed in range(5):
        Image.fromarray(stripes(seed)).save(folder / f"train/good/{seed}.png")
    (folder / "train/good/broken.png").write_text("no image", encoding="utf-8")
    Image.fromarray(stripes(50)).save(folder / "test/good/0.png")
    image, mask = stripes(60), np.zeros((64, 64), np.uint8)
    image[8:24, 8:24], mask[8:24, 8:24] = 255, 255
    Image.fromarray(image).save(folder / "test/spot/0.png")
    Image.fromarray(mask).save(folder / "ground_truth/spot/0_mask.png")
    return folder


@pytest.fixture(scope="module")
def built(product):
    out = product / "striped"
    done = patchcore(
        "build", product / "train/good", "-o", out, "--image-size", 64, "--coreset", 0.5, "--json"
    )
    return done, out.with_name("striped.patchcore")


def test_build_prints_the_summary_and_names_skipped_images(built):
    done, path = built
    summary = json.loads(done.stdout)
    assert summary["good_images"] == 5
    assert summary["bank_rows"] == summary["patches"] // 2 == 160
    assert summary["path"] == str(path)
    assert path.is_file()
    assert "left out broken.png" in done.stderr


def test_build_on_one_picture_in_many_files_promises_nothing(product, tmp_path):
    picture = Image.open(product / "train/good/0.png")
    for name in ("again.png", "copy.bmp", "copy.tif"):
        picture.save(tmp_path / name)
    picture.point(lambda level: level + 1).save(tmp_path / "lighter.png")
    out = tmp_path / "one.patchcore"
    done = patchcore("build", tmp_path, "-o", out, "--image-size", 64, "--coreset", 0.5, "--json")
    summary = json.loads(done.stdout)
    assert summary["good_images"] == 2 and summary["threshold"] > 0
    assert summary["left_out"] == [
        f"{name}: it shows the same pixels as again.png; each picture counts once."
        for name in ("copy.bmp", "copy.tif")
    ]
    assert "without a promise" in summary["threshold_rule"]
    assert "1 of your 2 images is a near copy of 1: lighter.png of again.png" in done.stderr


def test_score_equals_the_model_and_writes_overlays(built, product):
    _, path = built
    done = patchcore("score", path, product / "test", "--overlays", product / "pictures", "--json")
    rows = json.loads(done.stdout)
    assert [Path(row["path"]).parent.name for row in rows] == ["good", "spot"]
    model = PatchCore.load(path)
    for row in rows:
        assert row["score"] == model.score(row["path"]).score
        with Image.open(row["overlay"]) as picture:
            assert picture.size == (64, 64)
    assert rows[1]["verdict"] == "reject"
    assert len(rows[1]["worst_box"]) == 4


def test_overlay_of_a_flagged_image_without_a_region_outlines_the_worst_patch(built, product, tmp_path):
    model, image = PatchCore.load(built[1]), product / "test/spot/0.png"
    point = replace(model.operating_point_, min_area=10**6)
    model.with_operating_point(point).save(tmp_path / "x.patchcore")
    done = patchcore("score", tmp_path / "x.patchcore", image, "--overlays", tmp_path, "--json")
    (row,) = json.loads(done.stdout)
    assert (row["verdict"], row["regions"]) == ("reject", [])
    scale = HeatScale.anchored(point.heat_from)
    pixels, scores = np.asarray(Image.open(image)), model.score(image).map
    expected = overlay(pixels, scores, scale, mode="both", box=tuple(row["worst_box"]))
    with Image.open(row["overlay"]) as picture:
        assert np.array_equal(np.asarray(picture), expected)
    assert not np.array_equal(expected, overlay(pixels, scores, scale, mode="both"))


def test_score_for_people_is_one_line_an_image(built, product):
    lines = patchcore("score", built[1], product / "test/spot/0.png").stdout.splitlines()
    assert len(lines) == 1
    score, verdict, box, path = lines[0].split("\t")
    assert float(score) > 0
    assert verdict == "reject"
    assert box.count(",") == 3
    assert path.endswith("0.png")


def test_one_bad_file_does_not_stop_the_others(built, product):
    done = patchcore(
        "score", built[1], product / "train/good/broken.png", product / "test/spot/0.png", "--json"
    )
    rows = json.loads(done.stdout)
    assert rows[0]["error"] and rows[0]["score"] is None
    assert rows[1]["error"] is None and rows[1]["score"] > 0


def test_evaluate(built, product):
    plain = json.loads(patchcore("evaluate", built[1], product, "--json").stdout)
    assert plain["image"]["auroc"] == 1.0
    assert plain["pixel"]["aupro"] > 0.5
    assert plain["types"]["spot"]["image"]["n_defect"] == 1
    shown = patchcore("evaluate", built[1], product / "test").stdout
    assert "image AUROC" in shown
    assert "1 good rejected" in shown


def set_of(folder, product, files):
    """A labelled set of one good image and one defect, with further files."""
    for name, source in ((GOOD, "test/good/0.png"), (DEFECT, "test/spot/0.png")):
        (folder / name).parent.mkdir(parents=True)
        shutil.copyfile(product / source, folder / name)
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    table = folder / "labels.csv"
    return table if table.exists() else folder


@pytest.mark.parametrize("way", MARKED)
def test_evaluate_reads_the_same_pixels_however_they_are_marked(built, product, tmp_path, way):
    done = patchcore("evaluate", built[1], set_of(tmp_path / "set", product, MARKED[way]), "--json")
    assert json.loads(done.stdout)["pixel"]["n_defect_pixels"] == PIXELS, done.stderr


@pytest.mark.parametrize("fault", UNUSABLE)
def test_evaluate_says_which_marks_were_not_used(built, product, tmp_path, fault):
    files, words = UNUSABLE[fault]
    done = patchcore("evaluate", built[1], set_of(tmp_path / "set", product, files), "--json")
    found = json.loads(done.stdout)
    assert found["pixel"]["n_defect_pixels"] == 0 and found["image"]["auroc"] is not None
    assert any(words in problem for problem in found["problems"]), found["problems"]


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("white on black", ""),
        ("class number", ""),
        ("transparent background", ""),
        ("black on transparent", "by transparency alone"),
        ("another aspect", "64 × 40 but 0.png 64 × 64: it is stretched"),
        ("everything", "marks every pixel"),
        ("nothing", "marks nothing"),
    ],
)
def test_a_region_of_interest_is_read_like_a_mask(product, tmp_path, way, words):
    data = (MARKED.get(way) or UNUSABLE[way][0])[MASK]
    (tmp_path / "roi.png").write_bytes(data)
    out, refused = tmp_path / "a.patchcore", way in ("everything", "nothing")
    options = ("--image-size", 64, "--coreset", 0.5, "--roi", tmp_path / "roi.png")
    done = patchcore("build", product / "train/good", "-o", out, *options, expect=1 if refused else 0)
    assert words in done.stderr.replace("\n", " ")
    assert out.exists() != refused
    if not refused:
        assert Detector.load(out).roi_.sum() == PIXELS


def test_evaluate_at_every_share(built, product):
    plain = json.loads(patchcore("evaluate", built[1], product, "--sweep", "--json").stdout)
    rows = [point["rows"] for point in plain["sweep"]]
    assert rows == sorted(rows) and rows[0] == 1 and rows[-1] == 160
    assert plain["sweep"][-1]["image"]["auroc"] == plain["image"]["auroc"]
    assert plain["sweep"][-1]["in_use"]
    shown = patchcore("evaluate", built[1], product, "--sweep").stdout
    assert "cover radius" in shown and "in use" in shown
    assert "sweep" not in json.loads(patchcore("evaluate", built[1], product, "--json").stdout)


def test_evaluate_a_table_of_labels(built, product):
    (product / "labels.csv").write_text(
        "file,label,mask\ntest/good/0.png,ok,\ntest/spot/0.png,nok,ground_truth/spot/0_mask.png\nx.png,ok,\n",
        encoding="utf-8",
    )
    done = patchcore("evaluate", built[1], product / "labels.csv", "--json")
    plain = json.loads(done.stdout)
    assert plain["types"]["defect"]["pixel"]["n_regions"] == 1
    assert plain["problems"] == ["labels.csv, line 4: x.png does not exist; it was left out."]
    assert "x.png does not exist" in done.stderr


def test_evaluate_says_why_a_number_is_missing(built, product):
    (product / "good.csv").write_text("file,label\ntest/good/0.png,ok\n", encoding="utf-8")
    done = patchcore("evaluate", built[1], product / "good.csv", "--sweep")
    assert "No image is labelled as a defect" in done.stderr
    assert "1 + 0" in done.stdout


def test_stale_threshold_judges_no_image_and_prints_a_remark(built, product, tmp_path):
    model = PatchCore.load(built[1])
    hand = by_hand(1.0, model.evidence_, model.bank_id_, set_by="Ada")
    model.with_operating_point(hand).with_coreset(0.1).save(tmp_path / "x.patchcore")
    done = patchcore("score", tmp_path / "x.patchcore", product / "test", "--json")
    assert [row["verdict"] for row in json.loads(done.stdout)] == [None, None]
    assert "out of date" in done.stderr and "by hand" in done.stderr
    done = patchcore("evaluate", tmp_path / "x.patchcore", product, "--sweep")
    assert "Nothing is judged" in done.stderr
    assert "no threshold: It was set by hand" in done.stdout


def test_info_checks_and_tells(built):
    plain = json.loads(patchcore("info", built[1], "--json").stdout)
    assert plain["backbone"] == DEFAULT
    assert plain["self_test"] == "The self-test gives the stored scores."
    assert "bank rows" in patchcore("info", built[1]).stdout


def test_weights_lists_the_backbones(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    rows = json.loads(patchcore("weights", "--json").stdout)
    assert {row["backbone"]: row["path"] is not None for row in rows}[DEFAULT]
    assert not {row["backbone"]: row["path"] is not None for row in rows}["wide_resnet50_2"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("build", "/nowhere", "-o", "x"), "/nowhere"),
        (("build", "{product}/train/good", "-o", "x", "--coreset", "2"), "coreset share"),
        (("build", "{product}/train/good", "-o", "x", "--backbone", "vgg"), "no backbone 'vgg'"),
        (
            ("build", "{product}/train/good", "-o", "x", "--backbone", "wide_resnet50_2"),
            "wide_resnet50_2-95faca4d.pth",
        ),
        (("score", "/nowhere.patchcore", "{product}"), "no inspector /nowhere.patchcore"),
        (("info", "{product}/test/good/0.png"), "not an inspector"),
        (("score",), "Missing argument"),
        (("build", "{product}/train/good", "--colour", "red"), "--colour"),
        (("build", "{product}/train/good", "-o", "x", "--on", "processes:none"), "as in processes:4"),
    ],
)
def test_mendable_errors_end_with_exit_code_1_and_a_sentence(
    product, tmp_path, monkeypatch, arguments, sentence
):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    done = patchcore(*(a.format(product=product) for a in arguments), expect=1)
    assert sentence in " ".join(done.stderr.split())
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_the_module_runs_as_a_program():
    done = subprocess.run(
        [sys.executable, "-m", "patchcore", "build", "/nowhere"],
        capture_output=True,
        encoding="utf-8",
        cwd=ROOT,
    )
    assert done.returncode == 1
    assert "Missing option" in done.stderr and done.stdout == ""


def test_a_build_on_processes_writes_the_file_of_a_build_here(built, product, tmp_path):
    arguments = ("--image-size", "64", "--coreset", "0.5", "--on", "processes:1")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "patchcore",
            "build",
            product / "train/good",
            "-o",
            tmp_path / "x",
            *arguments,
        ],
        capture_output=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    here, there = container.read(built[1])[0], container.read(tmp_path / "x.patchcore")[0]
    assert here.keys() == there.keys()
    assert all(here[name].tobytes() == there[name].tobytes() for name in here)


def test_a_fault_of_the_program_is_exit_code_2(tmp_path, monkeypatch):
    def fault(folder):
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(reading, "list_images", fault)
    done = patchcore("build", tmp_path, "-o", tmp_path / "x", expect=2)
    assert "planted" in done.stderr and "Traceback" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    "arguments", [(), ("--help",), ("striped.patchcore", "in", "--move", "out", "--once")]
)
def test_command_watch_names_its_new_home(arguments):
    told = patchcore("watch", *arguments, expect=1)
    assert "python -m workbench watch NAME|FILE.patchcore FOLDER" in told.stderr and told.stdout == ""


@pytest.mark.parametrize(
    ("good", "others"),
    [
        ("train/good", ("test/good", "test/spot", "ground_truth/spot")),
        ("i.O.", ("n.i.O.",)),
        ("Data/Images/Normal", ("Data/Images/Anomaly", "Data/Masks/Anomaly")),
        ("gut", ("Kratzer", "Masken/Kratzer")),
    ],
)
def test_build_on_a_products_folder_takes_the_good_images_alone(built, tmp_path, good, others):
    for number, folder in enumerate((good, *others)):
        (tmp_path / "part" / folder).mkdir(parents=True)
        for seed in range(2):
            Image.fromarray(stripes(10 * number + seed)).save(tmp_path / "part" / folder / f"{seed}.png")
    done = patchcore("build", tmp_path / "part", "-o", tmp_path / "x", "--image-size", 64, "--json")
    assert json.loads(done.stdout)["good_images"] == 2
    model = PatchCore.load(tmp_path / "x.patchcore")
    assert [record.name for record in model.image_records_] == [f"{good}/0.png", f"{good}/1.png"]
    assert f"Taken as good: {good} (2)." in done.stderr
    assert all(f"{folder} (2)" in done.stderr for folder in others)


@pytest.mark.parametrize("folder", ["bad", "n.i.O.", "ground_truth/spot", "Ausschuss/monday"])
def test_build_on_defects_alone_is_refused(tmp_path, folder):
    (tmp_path / "part" / folder).mkdir(parents=True)
    Image.fromarray(stripes(1)).save(tmp_path / "part" / folder / "0.png")
    for root in ("part", f"part/{folder.partition('/')[0]}"):
        done = patchcore("build", tmp_path / root, "-o", tmp_path / "x", expect=1)
        assert "defects or masks alone" in done.stderr and not (tmp_path / "x.patchcore").exists()


@pytest.mark.parametrize(
    "words", [("normal", "pass", "0.0"), ("i.O.", "gut", "False"), ("OK", "none", "in Ordnung")]
)
@pytest.mark.parametrize("defect", ["spot", "NG", "n.i.O."])
def test_evaluate_a_table_of_mixed_words(built, product, words, defect):
    rows = [f"train/good/{number}.png;{word}" for number, word in enumerate(words)]
    text = "\n".join(["Datei;Klasse", *rows, f"test/spot/0.png;{defect}"])
    (product / "mixed.csv").write_text(text, encoding="utf-8")
    done = patchcore("evaluate", built[1], product / "mixed.csv", "--json")
    plain = json.loads(done.stdout)
    assert plain["image"]["auroc"] == 1.0 and plain["image"]["n_good"] == 3
    assert plain["labels"] == {"good": dict.fromkeys(words, 1), "defect": {defect: 1}}
    assert f"Taken as good: {words[0]} (1), " in done.stderr
    assert f"Taken as defects: {defect} (1)." in done.stderr


def test_words_of_the_site_count_as_good(built, product, monkeypatch):
    (product / "site.csv").write_text(
        "file,label\ntest/good/0.png,freigegeben\ntest/spot/0.png,gesperrt\n", encoding="utf-8"
    )
    for command in ("evaluate", "report"):
        out = ("-o", product / "r.html") if command == "report" else ()
        done = patchcore(command, built[1], product / "site.csv", *out, expect=1)
        assert "freigegeben (1), gesperrt (1)" in done.stderr and "PATCHCORE_GOOD_WORDS" in done.stderr
    monkeypatch.setenv("PATCHCORE_GOOD_WORDS", "golden, Freigegeben")
    done = patchcore("evaluate", built[1], product / "site.csv", "--json")
    assert json.loads(done.stdout)["image"]["auroc"] == 1.0
