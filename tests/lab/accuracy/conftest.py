"""A labelled set in MVTec's layout, small enough to build on in a second."""

import numpy as np
import pytest
from PIL import Image

SIDE = 64


def picture(seed, spot=False):
    generator = np.random.default_rng(seed)
    wave = 120 + 40 * np.sin(np.arange(SIDE) / 3 + generator.uniform(0, 6))
    pixels = wave[None, :, None] + generator.normal(0, 4, (SIDE, SIDE, 3))
    if spot:
        pixels[20:36, 40:56] = 255
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


@pytest.fixture(scope="session")
def sets(tmp_path_factory):
    """A folder with one set, `plates/stripes`: six good to build on, four good and four spotted to test."""
    root = tmp_path_factory.mktemp("sets")
    folder = root / "plates" / "stripes"
    for part in ("train/good", "test/good", "test/spot", "ground_truth/spot"):
        (folder / part).mkdir(parents=True)
    for seed in range(6):
        picture(seed).save(folder / "train/good" / f"{seed}.png")
    for seed in range(4):
        picture(50 + seed).save(folder / "test/good" / f"{seed}.png")
        picture(80 + seed, spot=True).save(folder / "test/spot" / f"{seed}.png")
        mask = np.zeros((SIDE, SIDE), np.uint8)
        mask[20:36, 40:56] = 255
        Image.fromarray(mask).save(folder / "ground_truth/spot" / f"{seed}_mask.png")
    return root
