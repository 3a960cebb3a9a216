from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional

from patchcore.backbones import PACKAGED_WEIGHTS
from patchcore.context_resnet import context_resnet
from pretraining import context
from pretraining.context import SMOKE, ContextTraining, Drawn, Learner
from pretraining.dice import Dice
from pretraining.held_out import SCENES, held_out_product
from pretraining.products import Pool


def _network():
    torch.manual_seed(0)
    return context_resnet(8)


def _pool():
    return Pool((Dice(0).even(3, 6, 3, 80, 80) * 255).byte(), torch.tensor([True, False, True]))


def test_an_inspection_is_the_same_whoever_draws_it_and_is_what_the_fresh_map_gives_back():
    network, pool = _network(), _pool()
    fed, change = Drawn(network, pool, SMOKE, 0)[5]
    again, _ = Drawn(network, pool, SMOKE, 3)[2]
    assert fed.shape == (5, 6 * 8 + 39, 8, 8)
    assert change.shape == (2, 64, 64)
    assert torch.equal(fed, again)
    with torch.no_grad():
        assert torch.allclose(network.context(fed), fed, rtol=1e-5, atol=1e-5)


def test_the_layer_does_what_the_trained_changes_do():
    some = Dice(1).normal(10, 5, 8, 8) * torch.tensor([3.0, 0.2, 1, 1, 5])[:, None, None] + 1
    learner = Learner(some)
    for seed, weight in enumerate(learner.map.parameters()):
        weight.data = Dice(2, seed).normal(*weight.shape)
    with torch.no_grad():
        expected = learner(some)
        assert torch.allclose(learner.written()(some), expected, rtol=1e-3, atol=0.02)
        assert float((expected - some).abs().mean()) > 10


def test_a_fresh_learner_changes_nothing():
    some = Dice(1).normal(10, 5, 8, 8)
    with torch.no_grad():
        assert torch.equal(Learner(some)(some), some)


def test_the_map_learns_which_numbers_tell_defects(tmp_path):
    """Of four numbers two are loud in good pieces; the defect shows in a quiet one."""
    recipe = replace(SMOKE, steps=40, at_once=3, rate=0.02)
    training = ContextTraining(_network(), _pool(), recipe, tmp_path)
    dice = Dice(3)
    fed = dice.normal(3, 9, 4, 8, 8) * torch.tensor([1.0, 1.0, 0.05, 0.05])[:, None, None]
    fed[:, 5:, 2, 1:3, 1:3] += 1
    change = torch.zeros(3, 4, 64, 64)
    change[:, :, 8:24, 8:24] = 0.8
    training.learn_by(Learner(fed.flatten(0, 1)))
    for _ in range(recipe.steps):
        training._one_step(fed, change)
        training.step += 1
    with torch.no_grad():
        before = functional.avg_pool2d(fed.flatten(0, 1), 3, 1, 1)
        after = functional.avg_pool2d(training.learner(fed.flatten(0, 1)), 3, 1, 1)

    def contrast(maps):
        maps = maps.unflatten(0, (3, 9))
        spoilt, good = maps[:, 5:, :, 1:3, 1:3] - maps[:, :4, :, 1:3, 1:3], maps[:, :5, :, 4:]
        return float(spoilt.norm(dim=2).mean() / (good - good.mean((3, 4), keepdim=True)).norm(dim=2).mean())

    assert contrast(after) > 1.5 * contrast(before)


def _held_out():
    return [{name: held_out_product(name, 2, 2, 64) for name in SCENES}]


def test_a_run_that_was_stopped_goes_on_to_the_same_map(tmp_path):
    network, pool = _network(), _pool()
    whole = ContextTraining(network, pool, SMOKE, tmp_path / "whole")
    whole.run(_held_out(), lambda entry: None)

    class Stopped(Exception):
        pass

    def stop(entry):
        raise Stopped

    first = ContextTraining(network, pool, SMOKE, tmp_path / "parts")
    with pytest.raises(Stopped):
        first.run(_held_out(), stop)
    second = ContextTraining(network, pool, SMOKE, tmp_path / "parts")
    assert second.resume()
    assert second.step == SMOKE.look_every
    second.run(_held_out(), lambda entry: None)
    finished = second.averaged_network().state_dict()
    for name, value in whole.averaged_network().state_dict().items():
        assert torch.equal(finished[name], value)
    assert [entry["step"] for entry in second.log] == [2, 4]


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path):
    training = ContextTraining(_network(), _pool(), SMOKE, tmp_path)
    assert not training.resume()
    training.run(_held_out(), lambda entry: None)
    with pytest.raises(ValueError, match="another recipe"):
        ContextTraining(_network(), _pool(), replace(SMOKE, rate=0.5), tmp_path).resume()


def test_the_command_gives_the_same_file_twice(tmp_path, capsys):
    first = context.main(["--smoke", "--out", str(tmp_path / "a")]).read_bytes()
    second = context.main(["--smoke", "--out", str(tmp_path / "b"), "--workers", "1"])
    assert second.read_bytes() == first
    assert "sha256" in capsys.readouterr().out
    state = load_file(second)
    assert not torch.equal(state["context.straight.weight"][:, :, 0, 0].float(), torch.eye(231))
    for name, value in load_file(PACKAGED_WEIGHTS / "builtin_texture.safetensors").items():
        assert torch.equal(state[name], value)
