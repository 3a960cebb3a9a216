"""Another engine gives the same distances and scores, within a stated tolerance."""

import sys

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from patchcore.backbones import DEFAULT, load_backbone
from patchcore.backbones.engines import OpenVino, make_engine
from patchcore.errors import SettingsError
from patchcore.features import patch_features
from patchcore.patchcore import PatchCore

TOLERANCE = 1e-4  # relative, of distances and image scores


@pytest.fixture(scope="module")
def twin(model, tmp_path_factory):
    """The small model, loaded again to run on OpenVINO."""
    pytest.importorskip("openvino")
    path = tmp_path_factory.mktemp("engine") / "stripes.patchcore"
    model.save(path)
    return PatchCore.load(path, device="cpu", engine="openvino")


def test_scores_and_maps_equal_torchs(model, twin, good, bad):
    assert isinstance(twin.backbone_.engine, OpenVino)
    assert twin.self_test_.passed
    assert twin.bank_id_ == model.bank_id_
    for image in (bad, good[0][1], good[5][1]):
        ours, theirs = model.score(image), twin.score(image)
        assert theirs.score == pytest.approx(ours.score, rel=TOLERANCE, abs=TOLERANCE)
        assert_allclose(theirs.map, ours.map, rtol=TOLERANCE, atol=TOLERANCE * model.score(bad).score)


def test_features_equal_torchs_at_a_size_that_no_stride_divides():
    """64 px, which all strides divide: the scores and maps above."""
    pytest.importorskip("openvino")
    picture = np.random.default_rng(0).random((77, 77, 3), np.float32)
    plain = patch_features(load_backbone(DEFAULT, device="cpu", engine="torch"), picture)
    other = patch_features(load_backbone(DEFAULT, device="cpu", engine="openvino"), picture)
    assert_allclose(other, plain, rtol=1e-3, atol=1e-5 * np.abs(plain).max())


def test_the_environment_chooses_the_engine(monkeypatch):
    monkeypatch.setenv("PATCHCORE_ENGINE", "steam")
    with pytest.raises(SettingsError, match="no engine 'steam'. Known: torch, openvino"):
        load_backbone(DEFAULT)
    assert load_backbone(DEFAULT, device="cpu", engine="torch").engine is None


def test_a_missing_engine_raises_settings_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(SettingsError, match="pip install openvino"):
        load_backbone(DEFAULT, device="cpu", engine="openvino")


def test_the_compiled_engine_does_not_run_on_a_gpu():
    with pytest.raises(SettingsError, match="on the processor only"):
        make_engine("openvino", torch.device("cuda"))
