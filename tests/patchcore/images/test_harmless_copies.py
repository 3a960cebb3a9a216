import numpy as np
import pytest

from patchcore.images.harmless_copies import LEVEL, harmless_copies


@pytest.mark.parametrize("shape", [(300, 270, 3), (1, 5, 3)])
def test_copies_differ_by_noise_a_level_and_jpeg_and_leave_the_picture_alone(shape):
    pixels = np.random.default_rng(0).random(shape, np.float32)
    before = pixels.copy()
    (noisy, brighter, darker, fine), (usual, next_frame) = harmless_copies(pixels)
    assert np.array_equal(pixels, before)
    assert np.array_equal(brighter, np.clip(pixels + LEVEL, 0, 1))
    assert np.array_equal(darker, np.clip(pixels - LEVEL, 0, 1))
    assert 0 < np.abs(noisy - pixels).mean() < 2 * LEVEL
    assert noisy.shape == fine.shape == usual.shape == shape
    assert next_frame.shape == (max(1, shape[0] - 1), shape[1] - 1, 3)
    for copy in (noisy, fine, usual, next_frame):
        assert copy.dtype == np.float32
        assert copy.min() >= 0 and copy.max() <= 1


def test_the_noise_repeats_every_256_pixels():
    grey = np.full((600, 300, 3), 0.5, np.float32)
    noisy = harmless_copies(grey)[0][0]
    assert np.array_equal(noisy[:256, :256], noisy[256:512, :256])
    assert np.array_equal(noisy[:44, :44], noisy[512:556, 256:300])


def test_each_copy_is_reduced_before_the_next_is_rendered():
    pixels = np.random.default_rng(0).random((20, 30, 3), np.float32)
    sizes = []
    gentle, rough = harmless_copies(pixels, lambda copy: sizes.append(copy.shape) or copy[:2])
    assert sizes == 5 * [(20, 30, 3)] + [(19, 29, 3)]
    assert all(copy.shape[0] == 2 for copy in [*gentle, *rough])
