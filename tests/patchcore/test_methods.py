"""The registry of methods: a new one, or a new backbone, takes one file and one line."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from patchcore.backbones import registry
from patchcore.detector import Detector
from patchcore.errors import ArtifactError, SettingsError
from patchcore.files.distrust import read_untrusted
from patchcore.methods import LACKING, METHODS, Method, detector_class, lacking
from patchcore.patchcore import PatchCore
from patchcore.settings import Settings, names_of
from tests.patchcore.conftest import SIDE

TOY_METHOD = '''
"""A toy: distance of each patch to the mean of all good patches."""

import numpy as np

from patchcore.detector import Detector, Size
from patchcore.errors import DataError
from patchcore.files.method_rules import SCORED, FileRules
from patchcore.fitting.calibration import LeftOut
from patchcore.scoring import Comparison


class Toy(Detector):
    """Good patches have one mean."""

    method = "toy"
    file_rules = FileRules({"toy.sums": ("F64", 8, 2), "toy.counts": ("I32", 4, 1), **SCORED})

    def learn(self, run, store):
        rows = [store.rows(image) for image in store.images]
        self.sums_ = np.stack([part.sum(0, np.float64) for part in rows])
        self.counts_ = np.array([len(part) for part in rows], np.int32)

    def compare(self, features, inspected, own=frozenset()):
        rest = [i for i in range(len(self.sums_)) if i not in own]
        if not rest:
            raise DataError("it is the only good image.")
        mean = self.sums_[rest].sum(0) / self.counts_[rest].sum()
        return Comparison.of(np.linalg.norm(features - mean, axis=1).astype(np.float32))

    @property
    def size(self):
        return Size(int(self.counts_.sum()), 1, self.sums_.nbytes)

    def learned(self):
        scored = self.left_out()
        return {
            "toy.sums": self.sums_, "toy.counts": self.counts_,
            "good_scores.values": scored.scores, "good_scores.images": scored.images,
        }, {}

    def restore(self, tensors, header):
        self.sums_, self.counts_ = tensors["toy.sums"], tensors["toy.counts"]
        self._left_out = LeftOut(tensors["good_scores.images"], tensors["good_scores.values"])
'''

TOY_BACKBONE = '''
"""A toy: two strided means of the image as its layers."""

import torch
from torch import nn
from torch.nn import functional

from patchcore.backbones.entry import BackboneSpec, Normalisation
from patchcore.backbones.weight_sources import AddressedWeights


class Means(nn.Module):
    """Scaled means over squares."""

    def __init__(self, layers):
        super().__init__()
        self.layers = layers
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, images):
        sides = {"fine": 8, "coarse": 16}
        return {name: self.scale * functional.avg_pool2d(images, sides[name]) for name in self.layers}


def means():
    return BackboneSpec(
        "toy_means", "Means", "colours alone", "none", Means, ("fine", "coarse"), ("fine", "coarse"), None,
        Normalisation((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
        AddressedWeights("toy_means.pth", "0" * 64, 0.1, "https://example.invalid/toy_means.pth"),
        str,
    )
'''


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A temporary package in which a test writes its one new file."""
    folder = tmp_path / "toy_package"
    folder.mkdir()
    (folder / "__init__.py").write_text('"""Toys."""\n', encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.split(".")[0] == "toy_package"]:
        del sys.modules[name]


def test_a_new_method_takes_one_file_and_one_line(package, monkeypatch, good, bad, tmp_path):
    (package / "toy.py").write_text(TOY_METHOD, encoding="utf-8")
    monkeypatch.setitem(METHODS, "toy", Method("Toy", "toy_package.toy:Toy", "distance from the mean patch"))

    model = Detector.of(Settings(method="toy", image_size=SIDE)).fit(good)
    assert model.threshold_ == pytest.approx(max(model.good_scores_.values()))
    rest = Detector.of(Settings(method="toy", image_size=SIDE)).fit(good[1:])
    assert model.good_scores_[good[0][0]] == pytest.approx(rest.score(good[0][1]).score, rel=1e-5)
    assert model.score(bad).score > model.threshold_

    model.save(tmp_path / "toy.patchcore")
    for loaded in (
        Detector.load(tmp_path / "toy.patchcore"),
        read_untrusted(tmp_path / "toy.patchcore", Detector.load)[0],
    ):
        assert type(loaded) is type(model) and loaded.bank_id_ == model.bank_id_
        assert loaded.score(bad).map.tobytes() == model.score(bad).map.tobytes()
    with pytest.raises(SettingsError, match="^Toy keeps no coreset"):
        loaded.with_coreset(0.5)

    monkeypatch.delitem(METHODS, "toy")
    for load in (Detector.load, lambda path: read_untrusted(path, Detector.load)):
        with pytest.raises(ArtifactError, match="toy"):
            load(tmp_path / "toy.patchcore")


def test_a_new_backbone_takes_one_file_and_one_line(package, monkeypatch, good, bad, tmp_path):
    torch.save({"scale": torch.ones(1)}, tmp_path / "toy_means.pth")
    (package / "means.py").write_text(TOY_BACKBONE, encoding="utf-8")
    from toy_package.means import means  # the one line of the registry names it

    monkeypatch.setitem(registry._BUILDERS, "toy_means", means)

    model = PatchCore("toy_means", tmp_path / "toy_means.pth", image_size=SIDE, coreset=0.5).fit(good)
    assert model.bank_.dims == 6 and model.score(bad).score > model.threshold_
    model.save(tmp_path / "x.patchcore")
    loaded = Detector.load(tmp_path / "x.patchcore", tmp_path / "toy_means.pth")
    assert loaded.score(bad).score == model.score(bad).score
    registry.spec.cache_clear()


def test_every_method_is_where_the_registry_says():
    for name in METHODS:
        assert issubclass(detector_class(name), Detector) and detector_class(name).method == name
    with pytest.raises(SettingsError, match="no method 'gmm'. Known: patchcore, padim, spade"):
        detector_class("gmm")


def test_the_words_of_a_missing_capability_name_the_method():
    for capability in LACKING:
        assert lacking("patchcore", capability) == ""
        assert lacking("padim", capability).startswith("PaDiM ")
    assert lacking("spade", "explain") == ""


def test_settings_of_patchcore_are_stored_as_before_there_were_other_methods():
    assert names_of("patchcore") == [
        "backbone",
        "layers",
        "image_size",
        "geometry",
        "coreset",
        "dims",
        "reweight",
        "neighbours",
        "seed",
        "value_range",
    ]
    assert Settings(method="padim", dims_used=None).to_dict()["dims_used"] is None
    assert "coreset" not in Settings(method="spade").to_dict()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"method": "padim", "coreset": 0.5}, "The coreset share is a setting of PatchCore; PaDiM has none"),
        ({"method": "spade", "reweight": True}, "Re-weighting is a setting of PatchCore; SPADE has none"),
        ({"dims_used": 7}, "a setting of PaDiM; PatchCore has none"),
        ({"nearest_images": 7}, "a setting of SPADE; PatchCore has none"),
        ({"method": "gmm"}, "The method must be one of patchcore, padim, spade; it is 'gmm'"),
        ({"method": "padim", "dims_used": 0}, "a whole number from 1"),
    ],
)
def test_settings_that_a_method_lacks_are_refused(settings, sentence):
    with pytest.raises(SettingsError, match=sentence):
        Settings(**settings)


def test_all_methods_share_the_features_of_a_store():
    keys = {
        Settings(**one).features_key("w", b"")
        for one in ({}, {"method": "padim", "dims_used": 9}, {"method": "spade", "seed": 5})
    }
    assert len(keys) == 1


def test_file_without_a_method_is_read_as_patchcore(model, bad, tmp_path):
    from patchcore.files import container

    tensors, header = model.arrays_and_header()
    assert header.pop("method") == "patchcore"
    container.write(tmp_path / "old.patchcore", tensors, header)
    for loaded in (
        PatchCore.load(tmp_path / "old.patchcore"),
        read_untrusted(tmp_path / "old.patchcore", Detector.load)[0],
    ):
        assert isinstance(loaded, PatchCore) and loaded.score(bad).score == model.score(bad).score


def test_the_names_of_the_methods_are_known_without_torch():
    code = (
        "import sys, json, patchcore.methods as m; "
        "print(json.dumps([list(m.METHODS), 'torch' in sys.modules or 'faiss' in sys.modules]))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert json.loads(answer.stdout) == [["patchcore", "padim", "spade"], False]


def test_calibration_of_every_method_scores_the_same_images(good):
    names = [
        list(Detector.of(Settings(method=method, image_size=32)).fit(good[:4]).good_scores_)
        for method in METHODS
    ]
    assert names == [[name for name, _ in good[:4]]] * 3
    assert np.unique(names).size == 4
