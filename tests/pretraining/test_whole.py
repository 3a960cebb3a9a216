from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from patchcore.context_resnet import ContextMap, whole_resnet
from pretraining import whole
from pretraining.context import Learner, features_by
from pretraining.dice import Dice
from pretraining.held_out import SCENES, held_out_product
from pretraining.products import Pool
from pretraining.textured import save
from pretraining.whole import SMOKE, UNDECIDED, Drawn, WholeTraining


def _pool():
    return Pool((Dice(0).even(3, 6, 3, 80, 80) * 255).byte(), torch.tensor([True, False, True]))


def _layer(dims):
    """Build a map that does something."""
    layer = ContextMap(dims)
    for seed, weight in enumerate(layer.parameters()):
        weight.data += 0.05 * Dice(2, seed).normal(*weight.shape)
    return layer


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    torch.manual_seed(0)
    network = whole_resnet(8)
    network.gains[:] = torch.tensor([2.0, 3.0])
    network.context = _layer(6 * 8 + 39)
    path = tmp_path_factory.mktemp("start") / "mapped.safetensors"
    save(network, path)
    return path


def _trained(start, folder, recipe=SMOKE, **more):
    training = WholeTraining(start, _pool(), recipe, folder, **more)
    training.resume()
    training.run([], lambda entry: None)
    return training


def _stopped(start, folder, at, recipe=SMOKE, **more):
    """Leave a run at its look of this step."""

    class Stopped(Exception):
        pass

    def stop(entry):
        if entry["step"] == at:
            raise Stopped

    with pytest.raises(Stopped):
        WholeTraining(start, _pool(), recipe, folder, **more).run([], stop)


def _assert_same(training, other):
    theirs = other.averaged_network().state_dict()
    for name, value in training.averaged_network().state_dict().items():
        assert torch.equal(theirs[name], value), name


def test_an_inspection_is_the_same_whoever_draws_it():
    pictures, change = Drawn(_pool(), SMOKE, 0)[5]
    again, changed = Drawn(_pool(), SMOKE, 3)[2]
    assert pictures.dtype == torch.uint8
    assert pictures.shape == (5, 3, 64, 64)
    assert change.shape == (2, 64, 64)
    assert torch.equal(pictures, again)
    assert torch.equal(change, changed)
    assert len(Drawn(_pool(), SMOKE, 3)) == 5


def test_a_learner_starts_as_the_layer_it_is_given_and_gives_it_back():
    some = Dice(1).normal(10, 5, 8, 8) * torch.tensor([3.0, 0.2, 1, 1, 5])[:, None, None] + 1
    layer, learner = _layer(5), Learner(some)
    learner.start_from(layer)
    with torch.no_grad():
        assert torch.allclose(learner(some), layer(some), rtol=1e-4, atol=1e-4)
    for name, value in learner.written().state_dict().items():
        assert torch.allclose(value, layer.state_dict()[name], rtol=1e-4, atol=1e-5), name


def test_before_any_step_it_is_the_network_it_starts_from(start, tmp_path):
    network = whole_resnet(8)
    network.load_state_dict(load_file(start))
    training = WholeTraining(start, _pool(), SMOKE, tmp_path)
    pictures = Dice(4).even(2, 3, 64, 64)
    with torch.no_grad():
        expected = features_by(network)(pictures)
        for features in (features_by(training.network), training.features()):
            assert torch.allclose(features(pictures), expected, rtol=1e-4, atol=1e-4)


def test_weights_of_the_network_and_the_map_are_trained_and_nothing_else(start, tmp_path):
    before, after = load_file(start), _trained(start, tmp_path).averaged_network().state_dict()
    trained = {name for name, _ in whole_resnet(8).named_parameters()}
    assert before.keys() == after.keys()
    for name, value in before.items():
        same = torch.allclose(after[name].float(), value.float(), rtol=1e-5, atol=1e-7)
        assert same == (name not in trained), name


def test_network_and_map_learn_to_tell_the_defect(start, tmp_path):
    """Defects are faint spots, good pieces differ by loud grain."""
    recipe = replace(SMOKE, steps=30, network_rate=1e-3, map_rate=3e-3)
    training = WholeTraining(start, _pool(), recipe, tmp_path)
    dice, change = Dice(5), torch.zeros(2, 2, 64, 64)
    pictures = 0.5 + 0.1 * dice.normal(2, 5, 1, 64, 64).expand(-1, -1, 3, -1, -1)
    pictures[:, 3:, 0, 16:40, 16:40] += 0.1
    change[:, :, 16:40, 16:40] = 0.1
    inspections = (pictures.clamp(0, 1) * 255).byte()
    losses = []
    for _ in range(recipe.steps):
        training._one_step(inspections, change)
        training.step += 1
        losses.append(training._recent["loss"])
    assert losses[-1] < 0.7 * losses[0]


def test_a_run_that_was_stopped_goes_on_to_the_same_network(start, tmp_path):
    _stopped(start, tmp_path / "parts", at=2)
    parts = _trained(start, tmp_path / "parts")
    assert [entry["step"] for entry in parts.log] == [2, 4]
    _assert_same(_trained(start, tmp_path / "whole"), parts)


def test_a_checkpoint_of_another_recipe_or_network_is_refused(start, tmp_path):
    _trained(start, tmp_path)
    network = whole_resnet(8)
    network.load_state_dict(load_file(start))
    network.gains[0] = 5
    save(network, tmp_path / "other.safetensors")
    for weights, recipe in (
        (start, replace(SMOKE, map_rate=0.5)),
        (start, replace(SMOKE, steps=6)),
        (tmp_path / "other.safetensors", SMOKE),
    ):
        with pytest.raises(ValueError, match="another recipe"):
            WholeTraining(weights, _pool(), recipe, tmp_path).resume()


FIVE = replace(SMOKE, steps=5, at_once=8, good=2, defective=1, size=48)


@pytest.fixture
def second_a_step(monkeypatch):
    monkeypatch.setattr(WholeTraining, "passed", lambda self: float(self.step))


@pytest.fixture(scope="module")
def counted(start, tmp_path_factory):
    return _trained(start, tmp_path_factory.mktemp("counted"), FIVE)


@pytest.mark.usefixtures("second_a_step")
def test_seconds_decide_where_the_rate_begins_to_fall_how_many_steps_there_are(start, counted, tmp_path):
    timed = _trained(start, tmp_path, FIVE, seconds=5)  # 60 % of them are over at step 3
    assert timed.step == timed.recipe.steps == 5
    assert [entry["step"] for entry in timed.log] == [2, 4, 5]
    _assert_same(timed, counted)


@pytest.mark.usefixtures("second_a_step")
@pytest.mark.parametrize("at, steps", [(2, UNDECIDED), (4, 5)])
def test_a_number_of_steps_that_was_decided_stays(start, counted, tmp_path, at, steps):
    _stopped(start, tmp_path, at, FIVE, seconds=5)
    again = WholeTraining(start, _pool(), FIVE, tmp_path, seconds=5)
    assert again.resume()
    assert again.recipe.steps == steps
    again.run([], lambda entry: None)
    assert again.step == 5
    _assert_same(again, counted)


def test_the_looks_judge_the_averaged_weights(start, tmp_path):
    training = WholeTraining(start, _pool(), SMOKE, tmp_path)
    training.run([{name: held_out_product(name, 2, 2, 64) for name in SCENES}], lambda entry: None)
    assert set(training.log[0]) == {"step", "seconds", "loss", "auroc", "held_out", "held_out_mean"}
    assert training.log[0]["held_out"].keys() == SCENES.keys()
    assert load_file(tmp_path / "step_000004.safetensors").keys() == load_file(start).keys()


def test_the_command_gives_the_same_file_twice(start, tmp_path, capsys):
    words = ["--smoke", "--network", str(start), "--device", "cpu", "--unjudged", "--out"]
    first = whole.main([*words, str(tmp_path / "a")]).read_bytes()
    assert whole.main([*words, str(tmp_path / "b"), "--workers", "1"]).read_bytes() == first
    assert whole.main([*words, str(tmp_path / "a")]).read_bytes() == first  # the finished run, gone on with
    assert "going on from step 4" in capsys.readouterr().out
