from dataclasses import replace
from itertools import repeat

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from pretraining.recipe import StageRecipe
from pretraining.runs import Run

RECIPE = StageRecipe(
    seed=0, procedural=0, photographed=0, views=0, view_size=0, steps=10, warmup=1, falling_from=0.6,
    averaging=0.9, look_every=2,
)  # fmt: skip


class _Line(Run):
    """A run that draws one number towards 1."""

    def __init__(self, folder, recipe=RECIPE, start=""):
        super().__init__(recipe, folder, start=start)
        self.line = nn.Linear(1, 1, bias=False)
        self.trains(self.line, [{"params": list(self.line.parameters()), "peak": 0.1, "weight_decay": 0.0}])

    def features(self):
        raise NotImplementedError

    def save_weights(self, path):
        save_file(self.averaged, path)

    def _one_step(self, *_):
        loss = (self.line.weight - 1).square().sum()
        self._learn(loss)
        self._note(0.5, loss=loss, never=torch.tensor(float("nan")))

    def run(self, until=None):
        entries = []
        self._steps(repeat(()), [], entries.append, until)
        return entries


def test_looks_come_now_and_then_and_at_the_end(tmp_path):
    line = _Line(tmp_path)
    entries = line.run(until=5)
    assert [entry["step"] for entry in entries] == [2, 4, 5]
    assert set(entries[0]) == {"step", "seconds", "loss"}
    assert entries[-1]["loss"] < entries[0]["loss"]
    assert {path.name for path in tmp_path.iterdir()} == {
        "checkpoint.pt",
        "log.json",
        *(f"step_00000{step}.safetensors" for step in (2, 4, 5)),
    }


def test_averaged_weights_lie_between_the_first_and_the_present_ones(tmp_path):
    line = _Line(tmp_path)
    first = line.line.weight.item()
    line.run()
    assert first < line.averaged["weight"].item() < line.line.weight.item() < 1


def test_a_run_goes_on_to_the_same_weights(tmp_path):
    whole = _Line(tmp_path / "whole")
    whole.run()
    _Line(tmp_path / "parts").run(until=5)
    second = _Line(tmp_path / "parts")
    assert second.resume()
    second.run()
    assert torch.equal(second.line.weight, whole.line.weight)
    assert torch.equal(second.averaged["weight"], whole.averaged["weight"])
    assert not _Line(tmp_path / "nowhere").resume()


@pytest.mark.parametrize(
    "until, steps, goes_on", [(6, 20, True), (7, 20, False), (4, 7, True), (5, 7, False)]
)
def test_the_number_of_steps_may_change_until_the_rate_falls(tmp_path, until, steps, goes_on):
    _Line(tmp_path).run(until)
    other = _Line(tmp_path, replace(RECIPE, steps=steps))
    if goes_on:
        assert other.resume()
    else:
        with pytest.raises(ValueError, match="another recipe"):
            other.resume()


def test_a_checkpoint_of_another_recipe_or_other_weights_is_refused(tmp_path):
    _Line(tmp_path).run()
    for other in (_Line(tmp_path, replace(RECIPE, warmup=3)), _Line(tmp_path, start="other")):
        with pytest.raises(ValueError, match="another recipe"):
            other.resume()
