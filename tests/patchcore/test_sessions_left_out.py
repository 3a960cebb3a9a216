"""Scores of good images by other sessions alone, of every method: fitted, stored, and after changes."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from patchcore import SPADE, PaDiM, PatchCore
from patchcore.amendment.removal import without_images
from patchcore.amendment.teaching import with_taught
from patchcore.detector import Detector
from patchcore.files.distrust import read_untrusted
from tests.patchcore.conftest import SIDE, stripes

SESSIONS = {f"good/{seed:03d}.png": ("mon", "tue", "wed")[seed % 3] for seed in range(8)}
SETTINGS = {"patchcore": {"coreset": 0.25}, "padim": {"dims_used": 12}, "spade": {}}
KINDS = {"patchcore": PatchCore, "padim": PaDiM, "spade": SPADE}


@pytest.fixture(scope="module", params=KINDS)
def model(request, good):
    return KINDS[request.param](image_size=SIDE, **SETTINGS[request.param]).fit(good, sessions=SESSIONS)


def test_scores_equal_a_model_without_the_session(model, good):
    """A coreset without a session differs from a new one on the other sessions; the other methods keep no coreset."""
    if model.method == "patchcore":
        expected = [
            np.max(
                model.bank_.without_images({other for other in range(8) if other % 3 == number % 3})
                .nearest(model.patches(image).features)
                .distances
            )
            for number, (_, image) in enumerate(good)
        ]
    else:
        expected = []
        for name, image in good:
            others = [pair for pair in good if SESSIONS[pair[0]] != SESSIONS[name]]
            smaller = KINDS[model.method](image_size=SIDE, **SETTINGS[model.method]).fit(others, sessions={})
            expected.append(smaller.score(image).score)
    np.testing.assert_allclose(list(model.evidence_.unseen.values()), expected, rtol=1e-5)
    assert list(model.evidence_.sessions.values()) == list(SESSIONS.values())


def test_the_file_keeps_them_and_a_strangers_file_passes(model, tmp_path):
    path = tmp_path / "model.patchcore"
    model.save(path)
    assert Detector.load(path).evidence_ == model.evidence_
    loaded, _, _ = read_untrusted(path, Detector.load)
    assert loaded.evidence_.by_session.keys() == {"mon", "tue", "wed"}


def test_one_session_has_none(good):
    model = PatchCore(image_size=SIDE, coreset=0.25).fit(good)
    assert model.session_profile_ is None
    assert not model.evidence_.unseen
    assert {record.session for record in model.image_records_} == {""}


def test_a_smaller_bank_and_changes_score_the_sessions_again(good):
    model = PatchCore(image_size=SIDE, coreset=0.25).fit(good, sessions=SESSIONS)
    smaller = model.with_coreset(0.05)
    assert smaller.evidence_.unseen.keys() == model.evidence_.unseen.keys()
    assert all(smaller.evidence_.unseen[sha256] >= score for sha256, score in model.evidence_.unseen.items())
    fewer = without_images(model, [model.image_records_[0].sha256], good[1:])
    expected = without_images(
        PatchCore(image_size=SIDE, coreset=0.25).fit(good, sessions=SESSIONS),
        [model.image_records_[0].sha256],
        good[1:],
    )
    assert fewer.evidence_ == expected.evidence_
    assert len(fewer.evidence_.unseen) == 7
    new = stripes(50)
    new[10:30, 10:30] = 0
    taught = with_taught(model, [("new.png", new)], good)
    assert_array_equal(list(taught.evidence_.sessions.values()), list(SESSIONS.values()))
