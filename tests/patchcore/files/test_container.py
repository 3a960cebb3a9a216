"""The file format: whole or refused."""

import json
import pickle
import struct

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from safetensors.numpy import save_file

from patchcore.errors import ArtifactError
from patchcore.files import container


@pytest.fixture
def tensors():
    return {"a": np.arange(12, dtype=np.float32).reshape(3, 4), "b": np.array([], np.int32)}


@pytest.fixture
def path(tmp_path, tensors):
    target = tmp_path / "x.patchcore"
    container.write(target, tensors, {"name": "Größe 5"})
    return target


def test_round_trip(path, tensors):
    arrays, header = container.read(path)
    for name, array in tensors.items():
        assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype
    assert header["name"] == "Größe 5"
    assert (header["format"], header["version"]) == (container.FORMAT, container.VERSION)


def test_arrays_that_are_not_contiguous_are_stored_as_they_read(tmp_path):
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    container.write(tmp_path / "t", {"t": array.T, "r": array[::-1]}, {})
    arrays, _ = container.read(tmp_path / "t")
    assert_array_equal(arrays["t"], array.T)
    assert_array_equal(arrays["r"], array[::-1])


def test_writing_leaves_no_other_file(path):
    assert [p.name for p in path.parent.iterdir()] == ["x.patchcore"]


def test_a_failed_write_leaves_the_old_file(path, tensors, monkeypatch):
    before = path.read_bytes()

    def full_disk(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(container, "save_file", full_disk)
    with pytest.raises(ArtifactError, match="No space left"):
        container.write(path, tensors, {})
    assert path.read_bytes() == before


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(ArtifactError, match="no inspector .*none.patchcore"):
        container.read(tmp_path / "none.patchcore")


def test_a_flipped_bit_is_noticed(path):
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    with pytest.raises(ArtifactError, match="'a' does not have the hash"):
        container.read(path)


def truncated(path, tensors):
    path.write_bytes(path.read_bytes()[:-5])


def empty(path, tensors):
    path.write_bytes(b"")


def text(path, tensors):
    path.write_text("hello", encoding="utf-8")


def renamed_pickle(path, tensors):
    path.write_bytes(pickle.dumps({"a": 1}))


def foreign_safetensors(path, tensors):
    save_file(tensors, path)


def newer_version(path, tensors):
    save_file(tensors, path, metadata={"patchcore": json.dumps({"format": container.FORMAT, "version": 99})})


def header_without_version(path, tensors):
    save_file(tensors, path, metadata={"patchcore": json.dumps({"format": container.FORMAT})})


def header_that_is_a_list(path, tensors):
    save_file(tensors, path, metadata={"patchcore": "[]"})


def parts_not_listed(path, tensors):
    header = {"format": container.FORMAT, "version": 1, "sha256": {"a": "0"}}
    save_file(tensors, path, metadata={"patchcore": json.dumps(header)})


def huge_declared_shape(path, tensors):
    entry = {"a": {"dtype": "F32", "shape": [10**9, 10**6], "data_offsets": [0, 4 * 10**15]}}
    header = json.dumps(entry).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(64))


@pytest.mark.parametrize(
    "damage",
    [
        truncated,
        empty,
        text,
        renamed_pickle,
        foreign_safetensors,
        newer_version,
        header_without_version,
        header_that_is_a_list,
        parts_not_listed,
        huge_declared_shape,
    ],
)
def test_hostile_files_are_refused_by_name(path, tensors, damage):
    damage(path, tensors)
    with pytest.raises(ArtifactError, match=r"x\.patchcore"):
        container.read(path)
