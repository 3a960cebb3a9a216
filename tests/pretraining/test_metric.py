import torch
from safetensors.torch import load_file

from patchcore.backbones import PACKAGED_WEIGHTS
from patchcore.metric_resnet import metric_resnet
from pretraining import metric
from pretraining.dice import Dice
from pretraining.metric import SMOKE, MetricRecipe, answers, train
from pretraining.products import Pool


def test_answers_are_those_of_the_unmapped_network():
    torch.manual_seed(0)
    network = metric_resnet(8)
    pool = Pool((Dice(0).even(3, 6, 3, 80, 80) * 255).byte(), torch.tensor([True, False, True]))
    features, changes = answers(network, pool, SMOKE)
    assert features.shape == (3, 5, 64, 6 * 8 + 39)
    assert changes.shape == (3, 2, 64, 64)
    assert changes.dtype == torch.uint8


def test_the_map_learns_which_numbers_tell_defects():
    """Of four numbers two are loud in good pieces; the defect shows in a quiet one."""
    dice = Dice(3)
    features = dice.normal(8, 9, 64, 4) * torch.tensor([1.0, 1.0, 0.05, 0.05])
    changes = torch.zeros(8, 4, 64, 64, dtype=torch.uint8)
    changes[:, :, 8:24, 8:24] = 200
    maps = features.unflatten(2, (8, 8))
    maps[:, 5:, 1:3, 1:3, 2] += 1
    learnt = train((features.half(), changes), MetricRecipe(steps=40, at_once=3, rate=0.05, warmup=2))
    with torch.no_grad():
        moved = [
            learnt(torch.eye(4)[i][None, :, None, None]) - learnt(torch.zeros(1, 4, 1, 1)) for i in (0, 2)
        ]
    assert float(moved[1].norm()) > 1.5 * float(moved[0].norm())


def test_the_command_gives_the_same_file_twice_the_second_time_from_kept_answers(tmp_path, capsys):
    first = metric.main(["--smoke", "--out", str(tmp_path)])
    written = first.read_bytes()
    assert metric.main(["--smoke", "--out", str(tmp_path)]).read_bytes() == written
    assert "sha256" in capsys.readouterr().out
    state = load_file(first)
    assert not torch.equal(state["metric.straight.weight"][:, :, 0, 0].float(), torch.eye(231))
    for name, value in load_file(PACKAGED_WEIGHTS / "builtin_texture.safetensors").items():
        assert torch.equal(state[name], value)


def test_the_layer_does_what_the_trained_changes_do():
    features = Dice(1).normal(10, 3, 20, 5) * 3 + 1
    shared = metric._Shared(features, 0)
    for weight in shared.parameters():
        weight.data = Dice(2).normal(*weight.shape)
    rows = features[0, 0]
    written = shared.patch_map()(rows.t()[None, :, :, None])[0, :, :, 0].t()
    assert torch.allclose(written, shared(rows), rtol=1e-3, atol=1e-3)
    half = shared.patch_map(0.5)(rows.t()[None, :, :, None])[0, :, :, 0].t()
    assert torch.allclose(half, (shared(rows) + rows) / 2, rtol=1e-3, atol=1e-3)
