import numpy as np
import pytest

from lab.accuracy.kept_features import KeptFeatures
from patchcore import PatchCore
from patchcore.images.reading import list_images


@pytest.fixture
def folder(sets):
    return sets / "plates" / "stripes"


def test_scores_and_maps_from_kept_features_are_those_of_the_product(folder, tmp_path):
    good = [(path.name, path) for path in list_images(folder / "train" / "good")]
    plain = PatchCore(image_size=64).fit(good)
    first = KeptFeatures(tmp_path, image_size=64).build(good)
    again = KeptFeatures(tmp_path, image_size=64).build(good)
    for path in list_images(folder / "test" / "spot"):
        expected = plain.score(path)
        for model in (first, again, again):
            found = model.score(path)
            assert found.score == expected.score
            assert np.array_equal(found.map, expected.map)
    assert np.array_equal(again.bank_.features, plain.bank_.features)


def test_features_are_computed_once_for_all_seeds(folder, tmp_path, monkeypatch):
    good = [(path.name, path) for path in list_images(folder / "train" / "good")]
    test = list_images(folder / "test" / "spot")
    first = KeptFeatures(tmp_path, image_size=64, seed=0).build(good)
    for path in test:
        first.score(path)
    other = KeptFeatures(tmp_path, image_size=64, seed=1)
    calls = []
    forward = type(other.backbone_.network).forward
    monkeypatch.setattr(
        type(other.backbone_.network), "forward", lambda self, x: calls.append(len(x)) or forward(self, x)
    )
    other.build(good)
    for path in test:
        other.score(path)
    assert sum(calls) <= 2  # the self-test's image and the map's size; none of the fourteen features


def test_other_sizes_and_layers_do_not_share_features(tmp_path):
    settings = ({"image_size": 64}, {"image_size": 96}, {"image_size": 64, "layers": ("block3",)})
    assert len({KeptFeatures(tmp_path, **these).folder for these in settings}) == 3
