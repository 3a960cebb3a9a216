"""A small product for tests of the whole method: soft stripes, and one with a bright spot."""

import numpy as np
import pytest

from patchcore.patchcore import PatchCore

SIDE = 64


def stripes(seed):
    generator = np.random.default_rng(seed)
    phase = generator.uniform(0, 2 * np.pi)
    wave = 120 + 40 * np.sin(np.arange(SIDE) / 3 + phase)
    return (wave[None, :, None] + generator.normal(0, 4, (SIDE, SIDE, 3))).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def good():
    return [(f"good/{seed:03d}.png", stripes(seed)) for seed in range(8)]


@pytest.fixture(scope="session")
def bad():
    image = stripes(100)
    image[20:36, 40:56] = 255
    return image


@pytest.fixture(scope="session")
def model(good):
    return PatchCore(image_size=SIDE, coreset=0.5).fit(good)
