from dataclasses import replace

import numpy as np
import pytest
import torch

from patchcore import PatchCore
from patchcore.backbones import DEFAULT, load_backbone
from patchcore.features import patch_features
from patchcore.fitting import batching
from patchcore.fitting.batching import AtOnce

SIDE = 224


@pytest.fixture(scope="module")
def backbone():
    return load_backbone(DEFAULT, device="cpu", engine="torch")


@pytest.fixture(scope="module")
def images():
    return list(np.random.default_rng(0).random((9, SIDE, SIDE, 3), np.float32))


def in_batches(worker, images):
    size = worker.size
    parts = [images[start : start + size] for start in range(0, len(images), size)]
    return np.stack([features for part in parts for features in worker.features(part)])


def test_features_of_a_batch_equal_single_images_bit_for_bit(backbone, images):
    worker = AtOnce(backbone, SIDE, None, expected=100)
    assert worker.size == 4
    found = in_batches(worker, images)
    assert np.array_equal(found, [patch_features(backbone, image) for image in images])


def test_where_a_batch_gives_other_bits_images_go_on_by_themselves(backbone, images):
    calls = []

    def network(batch):
        calls.append(len(batch))
        return {name: x + 1e-3 * len(batch) for name, x in backbone.network(batch).items()}

    shaky = replace(backbone, network=network)
    worker = AtOnce(shaky, SIDE, None, expected=100)
    found = np.stack(
        [*worker.features(images[:4]), *worker.features(images[4:5]), *worker.features(images[5:6])]
    )
    assert np.array_equal(found, [patch_features(shaky, image) for image in images[:6]])
    assert worker.size == 1
    assert calls[:7] == [4, 1, 1, 1, 1, 1, 1]


@pytest.mark.parametrize(
    ("side", "expected", "size"),
    [(224, 32, 4), (128, 10_000, 4), (256, 100, 3), (320, 100, 1), (224, 31, 1), (224, 0, 1)],
)
def test_how_many_go_at_once(backbone, side, expected, size):
    assert AtOnce(backbone, side, None, expected).size == size


def test_on_a_gpu_and_with_an_engine_each_goes_by_itself(backbone):
    assert AtOnce(replace(backbone, device=torch.device("cuda")), SIDE, None, 100).size == 1
    assert AtOnce(replace(backbone, engine=lambda *_: None), SIDE, None, 100).size == 1


def test_bank_does_not_depend_on_batch_size_or_interruption(images, tmp_path, monkeypatch):
    pictures = [(f"{i}", (image * 255).astype(np.uint8)) for i, image in enumerate(images)]
    pictures.insert(5, ("twice", pictures[0][1]))

    def bank(scratch=None, cancelled=None):
        model = PatchCore(DEFAULT, image_size=SIDE, coreset=0.2, device="cpu", engine="torch")
        return model.fit(pictures, scratch=scratch, cancelled=cancelled)

    alone = bank()
    monkeypatch.setattr(batching, "WORTH_IT", 1)
    together = bank()
    asked = iter(range(100))
    with pytest.raises(Exception, match="Stopped"):
        bank(tmp_path, lambda: next(asked) == 7)
    resumed = bank(tmp_path)
    for model in (together, resumed):
        assert np.array_equal(model.bank_.features, alone.bank_.features)
        assert np.array_equal(model.bank_.images, alone.bank_.images)
        assert np.array_equal(model.good_scores_, alone.good_scores_)
        assert [str(error) for error in model.skipped_] == [str(error) for error in alone.skipped_]
        assert model.grid_ == alone.grid_
