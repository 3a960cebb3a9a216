import torch

from pretraining.camera import Camera, camera, soft
from pretraining.dice import Dice


def test_a_perfect_camera_changes_nothing():
    scene = Dice(0).even(2, 3, 16, 16)
    perfect = Camera(0, 0, (0, 0), 0, 0, 0)
    assert torch.allclose(perfect.photograph(scene, Dice(1)), scene, atol=1e-6)


def test_vignetting_darkens_the_corners_only():
    picture = Camera(0, 0.5, (0, 0), 0, 0, 0).photograph(torch.full((1, 3, 33, 33), 0.8), Dice(1))
    assert abs(float(picture[0, 0, 16, 16]) - 0.8) < 1e-3
    assert float(picture[0, 0, 0, 0]) < 0.5


def test_blur_keeps_the_mean_of_a_flat_picture_and_spreads_a_point():
    point = torch.zeros(1, 1, 5, 5)
    point[0, 0, 2, 2] = 1
    assert torch.allclose(soft(torch.full((1, 3, 4, 4), 0.3)), torch.full((1, 3, 4, 4), 0.3))
    line = torch.tensor([0.25, 0.5, 0.25])
    assert torch.allclose(soft(point)[0, 0, 1:4, 1:4], line[:, None] * line)


def test_photographs_stay_within_range():
    for seed in range(5):
        picture = camera(Dice(seed)).photograph(Dice(seed).even(1, 3, 16, 16), Dice(seed, 1))
        assert float(picture.min()) >= 0 and float(picture.max()) <= 1
