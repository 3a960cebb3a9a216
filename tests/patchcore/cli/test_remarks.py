"""Remarks on images reach the user of every command: as sentences on standard error, and in the JSON."""

import json

import numpy as np
import pytest
from PIL import Image

from tests.odd_pictures import REMARKS, odd_pictures
from tests.patchcore.cli.test_commands import built, patchcore, product  # noqa: F401 - fixtures
from tests.patchcore.conftest import stripes


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """A labelled set of odd pictures, as files of a folder."""
    folder = tmp_path_factory.mktemp("odd")
    (folder / "good").mkdir()
    for name, data in odd_pictures(stripes(70)).items():
        (folder / "good" / name).write_bytes(data)
    Image.fromarray(np.tile(stripes(71), (1, 12, 1))).save(folder / "good" / "long.png")
    Image.fromarray(stripes(72)).save(folder / "good" / "ordinary.png")
    return folder


def test_score_says_each_kind_of_remark_and_its_json_has_them_by_image(built, odd):  # noqa: F811
    done = patchcore("score", built[1], odd, "--json")
    rows = {row["path"].rsplit("/")[-1]: row["remarks"] for row in json.loads(done.stdout)}
    assert rows["ordinary.png"] == []
    for name, words in REMARKS.items():
        assert any(words in remark for remark in rows[name]) and words in done.stderr
    long = " ".join(rows["long.png"])
    assert (
        "Its shape is another" in long and "One patch covers" in long and "long.png: One patch" in done.stderr
    )
    assert "It has 16 bits a sample, and the good images have 8" in done.stderr
    assert "It is grey, and all 5 good images are in colour" in done.stderr


def test_evaluate_threshold_and_report_say_them_too(built, odd, product, tmp_path):  # noqa: F811
    for command in (
        ("evaluate", built[1], odd, "--json"),
        ("threshold", built[1], "--labelled", odd, "--rule", "from_good:budget=0.4", "--json"),
        ("report", built[1], odd, "-o", tmp_path / "report.html"),
    ):
        done = patchcore(*command)
        found = done.stderr if command[0] == "report" else " ".join(json.loads(done.stdout)["remarks"])
        for words in REMARKS.values():
            assert words in found and words in done.stderr
    assert "Remarks on the images" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert json.loads(patchcore("evaluate", built[1], product, "--json").stdout)["remarks"] == []


def test_build_groups_the_remarks_on_the_good_images_and_info_repeats_them(tmp_path):
    folder = tmp_path / "good"
    folder.mkdir()
    for seed in range(3):
        files = odd_pictures(stripes(seed))
        for name in ("turned.jpg", "stereo.jpg", "deep.png"):
            (folder / f"{seed} {name}").write_bytes(files[name])
    Image.fromarray(np.tile(stripes(9), (1, 12, 1))).save(folder / "long.png")
    model = tmp_path / "odd.patchcore"
    done = patchcore("build", folder, "-o", model, "--image-size", 64, "--coreset", 0.5, "--json")
    told = json.loads(done.stdout)
    for words in (
        "3 of 10 images (0 turned.jpg, 1 turned.jpg, 2 turned.jpg): The picture was turned upright",
        "3 of 10 images (0 stereo.jpg, 1 stereo.jpg, 2 stereo.jpg): Only the first of 2 pictures",
        "Grey and colour are mixed: 9 grey, 1 in colour (such as long.png)",
        "Bit depths are mixed: 7 of 8 bits, 3 of 16 bits",
        "Sizes vary: 2 shapes",
        "3 images in 16-bit containers: no value lies above",
        "long.png: One patch covers",
    ):
        assert words in " ".join(told["remarks"]) and words in done.stderr
    assert told["patch_covers"].endswith("of 768 × 64 px")
    again = patchcore("info", model)
    assert "The picture was turned upright" in again.stderr and "turned upright" not in again.stdout


def test_score_leaves_folders_of_masks_out_and_names_them(built, product):  # noqa: F811
    done = patchcore("score", built[1], product / "test", product / "ground_truth/spot", "--json")
    assert len(json.loads(done.stdout)) == 3  # a folder of masks that is named itself is scored
    done = patchcore("score", built[1], product, "--json")
    assert not any("ground_truth" in row["path"] for row in json.loads(done.stdout))
    assert "Folders of masks are not scored: ground_truth/spot." in done.stderr
