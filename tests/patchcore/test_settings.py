"""Settings refuse what makes no sense, each with its sentence."""

import json

import pytest

from patchcore.errors import SettingsError
from patchcore.settings import Settings


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"backbone": "vgg"}, "no backbone 'vgg'"),
        ({"coreset": 0}, "coreset share"),
        ({"image_size": 16}, "from 32 to 2,048 pixels; it is 16"),
        ({"geometry": "zoom"}, "fit, stretch or crop"),
        ({"dims": 0}, "length of a patch feature"),
        ({"neighbours": 1}, "whole number from 2"),
        ({"seed": -1}, "seed"),
        ({"seed": True}, "seed must be a whole number"),
        ({"reweight": 1}, "true or false"),
        ({"layers": ()}, "list of names"),
        ({"value_range": (5, 5)}, "black below white"),
    ],
)
def test_each_wrong_value_has_its_sentence(wrong, sentence):
    with pytest.raises(SettingsError, match=sentence):
        Settings(**wrong)


def test_round_trip_through_json():
    settings = Settings(layers=("layer1", "layer2"), value_range=(0.0, 4095.0), geometry="crop", seed=7)
    assert Settings.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings


def test_an_unknown_setting_is_refused():
    with pytest.raises(SettingsError, match="colour"):
        Settings.from_dict({"colour": "red"})


def test_stored_features_fit_only_the_settings_that_made_them():
    key = Settings().features_key("w", b"")
    assert Settings(coreset=0.5, seed=9, reweight=True).features_key("w", b"") == key
    assert Settings(image_size=256).features_key("w", b"") != key
    assert Settings().features_key("other weights", b"") != key
    assert Settings().features_key("w", b"roi") != key
