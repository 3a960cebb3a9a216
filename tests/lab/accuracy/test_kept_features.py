import numpy as np
import pytest

from lab.accuracy.kept_features import with_kept_features
from patchcore import PatchCore
from patchcore.images.reading import list_images
from patchcore.methods import detector_class


@pytest.fixture
def folder(sets):
    return sets / "plates" / "stripes"


def kept(folder, good, **settings):
    model = with_kept_features(folder, settings.pop("method", "patchcore"), **settings)
    return model.fit(good, scratch=model.folder / "good")


def test_scores_and_maps_from_kept_features_are_those_of_the_product(folder, tmp_path):
    good = [(path.name, path) for path in list_images(folder / "train" / "good")]
    plain = PatchCore(image_size=64).fit(good)
    first = kept(tmp_path, good, image_size=64)
    again = kept(tmp_path, good, image_size=64)
    for path in list_images(folder / "test" / "spot"):
        expected = plain.score(path)
        for model in (first, again, again):
            found = model.score(path)
            assert found.score == expected.score
            assert np.array_equal(found.map, expected.map)
    assert np.array_equal(again.bank_.features, plain.bank_.features)


@pytest.mark.parametrize("method", ["padim", "spade"])
def test_other_methods_are_measured_on_the_same_features(folder, tmp_path, method):
    good = [(path.name, path) for path in list_images(folder / "train" / "good")]
    plain = detector_class(method)(image_size=64).fit(good)
    path = list_images(folder / "test" / "spot")[0]
    kept(tmp_path, good, image_size=64).score(path)  # leaves the features for the other method
    assert kept(tmp_path, good, method=method, image_size=64).score(path).score == plain.score(path).score


def test_features_are_computed_once_for_all_seeds(folder, tmp_path, monkeypatch):
    good = [(path.name, path) for path in list_images(folder / "train" / "good")]
    test = list_images(folder / "test" / "spot")
    first = kept(tmp_path, good, image_size=64, seed=0)
    for path in test:
        first.score(path)
    other = with_kept_features(tmp_path, "patchcore", image_size=64, seed=1)
    calls = []
    forward = type(other.backbone_.network).forward
    monkeypatch.setattr(
        type(other.backbone_.network), "forward", lambda self, x: calls.append(len(x)) or forward(self, x)
    )
    other.fit(good, scratch=other.folder / "good")
    for path in test:
        other.score(path)
    # The self-test's image, the map's size, and the copies rendered of the first three; none of the fourteen features.
    assert sum(calls) <= 20


def test_other_sizes_and_layers_do_not_share_features(tmp_path):
    settings = ({"image_size": 64}, {"image_size": 96}, {"image_size": 64, "layers": ("block3",)})
    assert len({with_kept_features(tmp_path, "patchcore", **these).folder for these in settings}) == 3
