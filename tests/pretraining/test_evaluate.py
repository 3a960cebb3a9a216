import torch
from torch.nn import functional

from pretraining.evaluate import auroc, held_out_auroc, image_scores, joined
from pretraining.held_out import HeldOut


def test_auroc_counts_pairs():
    assert (
        auroc(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, 4.0]))
        == (0 + 1 + 0 + 0 + 0 + 0 + 3 + 0.5) / 6 + 0
    )


def test_joined_scales_each_depth_and_resizes_the_deeper():
    shallow, deep = torch.rand(1, 3, 8, 8) + 0.1, torch.rand(1, 5, 4, 4) + 0.1
    features = joined([shallow, deep], unit_depths=True)
    assert features.shape == (1, 8, 8, 8)
    assert torch.allclose(features[:, :3].norm(dim=1), torch.ones(1, 8, 8))
    assert torch.allclose(features[:, 3:].norm(dim=1), torch.ones(1, 8, 8))
    plain = joined([shallow, deep], unit_depths=False)
    assert torch.allclose(plain[:, :3], functional.avg_pool2d(shallow, 3, 1, 1))


def test_joined_equals_the_patch_features_of_the_package():
    from patchcore.features import _concatenate

    maps = [torch.rand(2, 3, 8, 8), torch.rand(2, 5, 4, 4)]
    for unit_depths in (True, False):
        assert torch.allclose(joined(maps, unit_depths), _concatenate(maps, unit_depths), atol=1e-6)


def test_scores_are_the_largest_distance_to_the_bank():
    train = torch.zeros(1, 1, 2, 2)
    tests = torch.stack([torch.zeros(1, 2, 2), torch.tensor([[[0.0, 3.0], [1.0, 0.0]]])])
    assert image_scores(lambda pictures: pictures, train, tests, share=1.0).tolist() == [0.0, 3.0]


def test_brightness_alone_finds_bright_pieces():
    product = HeldOut(torch.zeros(2, 3, 4, 4), torch.full((3, 3, 4, 4), 0.1), torch.full((3, 3, 4, 4), 0.2))
    assert held_out_auroc(lambda pictures: pictures, {"one": product}) == {"one": 1.0}
