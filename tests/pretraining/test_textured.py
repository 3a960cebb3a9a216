import pytest
import torch
from safetensors.torch import load_file

from patchcore.backbones import PACKAGED_WEIGHTS, load_backbone
from patchcore.textured_resnet import textured_resnet
from patchcore.weight_files import file_sha256
from pretraining import textured
from pretraining.dice import Dice


def _products(count=3):
    return [Dice(i).even(4, 3, 64, 64) for i in range(count)]


def test_typical_distance_is_to_the_nearest_patch_of_the_other_views():
    views = torch.zeros(4, 1, 2, 2)
    views[0] = torch.tensor([[1.0, 9.0], [9.0, 9.0]])  # every fourth patch: the first of each tested view
    views[1, 0, 0, 0] = 5.0
    views[2] = 2.0
    assert textured.typical_distance(views) == pytest.approx((1.0 + 3.0) / 2)


def test_gains_bring_every_part_to_its_weight():
    torch.manual_seed(0)
    network, products = textured_resnet(8), _products()
    textured.set_gains(network, products)
    measured = [textured.patch_parts(network, views) for views in products]
    for name, weight in textured.PARTS.items():
        typical = torch.tensor([textured.typical_distance(parts[name]) for parts in measured]).median()
        assert float(typical) == pytest.approx(weight, rel=1e-3)
    spreads = textured.spread([parts["texture"] for parts in measured])
    assert torch.allclose(spreads, spreads[0].expand_as(spreads), rtol=1e-3)


def test_the_command_gives_the_same_file_twice_and_it_loads(tmp_path, capsys):
    for name in ("a", "b"):
        textured.main(["--products", "3", "--size", "64", "--out", str(tmp_path / name)])
    assert file_sha256(tmp_path / "a") == file_sha256(tmp_path / "b")
    assert file_sha256(tmp_path / "a") in capsys.readouterr().out
    (tmp_path / "a").rename(tmp_path / "a.safetensors")
    assert load_backbone("builtin_texture", tmp_path / "a.safetensors", device="cpu").layers[-1] == "filters"


def test_the_shipped_file_holds_the_shipped_network_and_the_code_s_filters():
    shipped = load_file(PACKAGED_WEIGHTS / "builtin_texture.safetensors")
    for name, value in load_file(PACKAGED_WEIGHTS / "builtin.safetensors").items():
        assert torch.equal(shipped[name], value)
    for name, value in textured_resnet().filters.named_buffers():
        if name != "gains":
            assert torch.allclose(shipped[f"filters.{name}"], value, atol=1e-7)
