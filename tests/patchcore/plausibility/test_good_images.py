"""Good images that the check learned from the others doubts."""

import numpy as np
import pytest
from PIL import Image

from patchcore import PatchCore
from patchcore.fitting.whole_picture import doubts_on_good_images
from patchcore.plausibility.sentences import NAMED, good_image_remarks
from tests.patchcore.cli.test_commands import patchcore
from tests.patchcore.conftest import stripes

ODD = {
    "black": lambda image: image * 0,
    "over-exposed": lambda image: (image * 6.0).clip(0, 255).astype(np.uint8),
    "flat": lambda image: image * 0 + int(image.mean()),
}


def doubted(model):
    return doubts_on_good_images(model.picture_check_, model.image_records_, model.settings)


@pytest.mark.parametrize("name", ODD)
def test_an_odd_good_image_is_doubted_as_it_is_when_scored_without_itself(name):
    images = [stripes(seed) for seed in range(8)]
    model = PatchCore(image_size=64, coreset=0.5).fit([*images, ODD[name](images[0])])
    ((record, doubts),) = doubted(model)
    assert record.sha256 == model.image_records_[8].sha256
    again = model.score(ODD[name](images[0]), leave_out=True).doubts
    assert [doubt.kind for doubt in doubts] == [doubt.kind for doubt in again] != []
    np.testing.assert_allclose([doubt.value for doubt in doubts], [doubt.value for doubt in again], rtol=1e-4)


def test_two_good_images_or_none_with_values_give_no_doubt():
    model = PatchCore(image_size=64, coreset=0.5).fit([stripes(seed) for seed in range(2)])
    assert doubted(model) == [] and doubts_on_good_images(None, model.image_records_, model.settings) == []


def test_a_build_on_the_command_line_names_it(tmp_path):
    (tmp_path / "good").mkdir()
    for seed in range(8):
        Image.fromarray(stripes(seed)).save(tmp_path / f"good/{seed}.png")
    Image.fromarray(ODD["black"](stripes(0))).save(tmp_path / "good/lid.png")
    model = ("-o", tmp_path / "a.patchcore", "--image-size", 64, "--coreset", 0.5)
    done = patchcore("build", tmp_path / "good", *model)
    assert "These good images would themselves be sent to review" in done.stderr
    assert "lid.png: Darker than any good image" in done.stderr and "3.png: " not in done.stderr


def test_many_of_them_are_counted():
    sentences = good_image_remarks([(f"{number}.png", ["It is dark."]) for number in range(NAMED + 2)])
    assert sentences[1] == "0.png: It is dark." and "So would 2 further good images." in sentences
    assert good_image_remarks([]) == []
