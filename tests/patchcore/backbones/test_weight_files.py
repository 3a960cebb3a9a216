"""Weight files: accepted files, refused files, and the sentences."""

import hashlib

import pytest
import torch
from safetensors.torch import save_file

from patchcore.backbones.weight_files import check_hash, file_sha256, read_state
from patchcore.errors import WeightsError, WeightsMismatch


class Trap:
    def __reduce__(self):
        return (exec, ("raise SystemExit('code ran')",))


def test_a_state_dict_comes_back_from_either_format(tmp_path):
    state = {"weight": torch.arange(6.0).reshape(2, 3)}
    torch.save(state, tmp_path / "a.pth")
    save_file(state, tmp_path / "a.safetensors")
    for name in ("a.pth", "a.safetensors"):
        assert torch.equal(read_state(tmp_path / name)["weight"], state["weight"])


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_other_file_of_the_same_name_is_refused(tmp_path, suffix):
    path = tmp_path / f"text{suffix}"
    path.write_text("not weights", encoding="utf-8")
    with pytest.raises(WeightsError, match=path.name):
        read_state(path)


def test_a_pickle_with_code_in_it_is_refused_and_not_run(tmp_path):
    torch.save({"weight": Trap()}, tmp_path / "trap.pth")
    with pytest.raises(WeightsError, match="refused"):
        read_state(tmp_path / "trap.pth")


def test_a_whole_network_instead_of_its_state_is_refused(tmp_path):
    torch.save([torch.zeros(2)], tmp_path / "list.pth")
    with pytest.raises(WeightsError, match="not a state dict"):
        read_state(tmp_path / "list.pth")


def test_a_file_is_known_by_the_beginning_of_its_hash(tmp_path):
    path = tmp_path / "w.pth"
    path.write_bytes(b"weights")
    digest = hashlib.sha256(b"weights").hexdigest()
    assert file_sha256(path) == check_hash(path, digest[:8]) == digest
    with pytest.raises(WeightsMismatch, match="undamaged copy"):
        check_hash(path, "00000000")
