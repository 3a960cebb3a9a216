import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from patchcore.context_resnet import whole_resnet
from patchcore.small_resnet import small_resnet
from patchcore.texture_filters import OUTPUTS
from patchcore.weight_files import file_sha256
from pretraining.products import fill_pool
from pretraining.recipe import SMOKE
from pretraining.training import Training

MAPPED, FINISHED = "map/builtin_context.safetensors", "whole/builtin_whole.safetensors"


def _command(folder: Path, *more: str) -> Path:
    """Run the command as a user does, in a process of its own."""
    words = [
        sys.executable,
        "-m",
        "pretraining",
        "--smoke",
        "--out",
        str(folder),
        "--device",
        "cpu",
        "--threads",
        "1",
    ]
    subprocess.run([*words, *more], check=True, capture_output=True, cwd=Path(__file__).parents[2])
    return folder / "network.safetensors"


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    return _command(tmp_path_factory.mktemp("first"))


def test_what_the_command_makes_from_nothing_is_a_backbone_that_runs(smoke):
    network = whole_resnet(SMOKE.width)
    network.load_state_dict(load_file(smoke.parent / FINISHED))
    with torch.no_grad():
        mapped = network(torch.zeros(1, 3, 64, 64))["context"]
    assert mapped.shape == (1, 6 * SMOKE.width + OUTPUTS, 8, 8)
    assert bool(mapped.isfinite().all())


def test_each_stage_keeps_what_the_one_before_made_until_the_last_trains_it_all(smoke):
    first, mapped, finished = (load_file(smoke.parent / name) for name in (smoke.name, MAPPED, FINISHED))
    assert torch.equal(mapped["stem.0.weight"], first["stem.0.weight"])
    for name in ("stem.0.weight", "context.straight.weight"):
        assert not torch.equal(finished[name], mapped[name])
    assert torch.equal(finished["gains"], mapped["gains"])


def test_the_log_holds_the_recipe_and_the_learning_curve(smoke):
    record = json.loads((smoke.parent / "log.json").read_text())
    assert record["recipe"] == SMOKE.to_dict()
    assert [entry["step"] for entry in record["log"]] == [2, 4]
    assert set(record["log"][0]) >= {"naming", "ranking", "accuracy", "held_out", "held_out_mean", "seconds"}


def test_the_weights_fit_the_network(smoke):
    network = small_resnet(SMOKE.width)
    network.load_state_dict(load_file(smoke))
    maps = network(torch.zeros(1, 3, 64, 64))
    assert maps["layer2"].shape == (1, 16, 8, 8)
    assert maps["layer3"].shape == (1, 32, 4, 4)
    assert bool(maps["layer3"].isfinite().all())


def test_a_second_run_stopped_half_way_ends_with_the_same_weights_whoever_renders_and_draws(smoke, tmp_path):
    _command(tmp_path, "--until", "2", "--workers", "2")
    assert not (tmp_path / MAPPED).exists()
    again = _command(tmp_path, "--workers", "2")
    assert again.read_bytes() == smoke.read_bytes()
    for name in (MAPPED, FINISHED):
        assert (tmp_path / name).read_bytes() == (smoke.parent / name).read_bytes()


def test_training_can_go_on_from_given_weights(smoke, tmp_path):
    _command(tmp_path, "--start", str(smoke), "--crops", "0", "--until", "2")
    record = json.loads((tmp_path / "log.json").read_text())
    assert record["recipe"]["start"] == file_sha256(smoke)
    begun, ended = load_file(smoke), load_file(tmp_path / "network.safetensors")
    changes = [float((begun[name] - ended[name]).abs().max()) for name in begun if "weight" in name]
    assert 0 < max(changes) < 0.05


def test_a_checkpoint_of_another_recipe_is_refused(smoke):
    pool = fill_pool(0, 2, 0, 6, 80)
    other = Training(replace(SMOKE, seed=5), pool, {}, smoke.parent)
    with pytest.raises(ValueError, match="another recipe"):
        other.resume()
