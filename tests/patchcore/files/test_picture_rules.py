"""The check of the whole picture in a file that somebody else wrote: every impossible value is refused."""

import numpy as np
import pytest

from patchcore import PatchCore
from patchcore.detector import Detector
from patchcore.errors import ArtifactError
from patchcore.files.distrust import read_untrusted
from tests.patchcore.hostile import relisted, rewritten


def put(name, value, at=0):
    def change(tensors, _header):
        tensors[f"picture_check.{name}"].flat[at] = value

    return change


def shorten(name):
    def change(tensors, _header):
        tensors[f"picture_check.{name}"] = tensors[f"picture_check.{name}"][:-1].copy()

    return change


def narrow(tensors, _header):
    tensors["picture_check.features"] = tensors["picture_check.features"][:, :-1].copy()


def double(tensors, _header):
    tensors["picture_check.images"][:] = 0


def too_many(tensors, _header):
    for name in ("features", "patch_images", "cells"):
        tensors[f"picture_check.{name}"] = np.repeat(tensors[f"picture_check.{name}"], 99, 0)
    tensors["picture_check.distances"] = np.repeat(tensors["picture_check.distances"], 99, 1)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (put("features", np.nan), "typical patches are numbers"),
        (put("features", 3e38), "no larger than a score"),
        (put("patch_images", 8), "typical patches come from listed images"),
        (put("cells", -2), "typical patches lie on the map"),
        (put("cells", 64), "typical patches lie on the map"),
        (put("images", -1), "listed images, each once"),
        (double, "listed images, each once"),
        (put("measures", np.nan), "numbers that a picture can have"),
        (put("measures", -0.1), "numbers that a picture can have"),
        (put("measures", 0.0, at=3), "numbers that a picture can have"),
        (put("measures", np.inf, at=4), "numbers that a picture can have"),
        (put("distances", np.nan), "distances of typical patches are distances"),
        (put("distances", -1), "distances of typical patches are distances"),
        (put("distances", 1e30), "distances of typical patches are distances"),
        (shorten("distances"), "a value of each kind"),
        (shorten("cells"), "a value of each kind"),
        (shorten("measures"), "a value of each kind"),
        (narrow, "typical patches are as long as the network's"),
        (too_many, "no more patches than a build chooses"),
    ],
)
def test_impossible_values_are_refused_at_every_load(model, tmp_path, change, sentence):
    path = tmp_path / "x.patchcore"
    model.save(path)
    rewritten(path, change)
    for read in (Detector.load, lambda file: read_untrusted(file, PatchCore.load)):
        with pytest.raises(ArtifactError, match=sentence):
            read(path)


def test_a_file_without_the_check_or_of_other_numbers_is_refused(model, tmp_path):
    path = tmp_path / "x.patchcore"
    model.save(path)

    def retyped(listed):
        listed["picture_check.measures"]["dtype"] = "I64"

    relisted(path, retyped)
    with pytest.raises(ArtifactError, match="measures must be F64"):
        read_untrusted(path, PatchCore.load)
    model.save(path)
    rewritten(path, lambda tensors, _header: tensors.pop("picture_check.cells"))
    with pytest.raises(ArtifactError, match=r"it has no picture_check\.cells"):
        read_untrusted(path, PatchCore.load)


def test_no_check_is_written_as_empty_arrays_and_read_as_none(model, tmp_path):
    bare = model.with_operating_point(model.operating_point_)
    bare.picture_check_ = None
    bare.save(tmp_path / "bare.patchcore")
    assert read_untrusted(tmp_path / "bare.patchcore", PatchCore.load)[0].picture_check_ is None
