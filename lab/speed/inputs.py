"""Inputs of the measurements: photographs varied from the sample product's, their patch features, and networks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torchvision import models

from lab import ROOT
from patchcore.backbones import DEFAULT, load_backbone
from patchcore.coreset import projection_matrix
from patchcore.features import patch_features
from patchcore.images.reading import list_images, read_image

WASHERS = ROOT / "sample_data" / "washer" / "train" / "good"


def pictures(count: int, side: int = 224, seed: int = 0) -> Iterator[NDArray[np.float32]]:
    """Give photographs of good washers, turned, shifted, in other light and with noise: [side, side, 3], 0..1."""
    generator = np.random.default_rng(seed)
    photographs = [_resized(read_image(path).pixels, side) for path in list_images(WASHERS)]
    for number in range(count):
        turned = np.rot90(photographs[number % len(photographs)], int(generator.integers(4)))
        shifted = np.roll(turned, tuple(generator.integers(-side // 18, side // 18 + 1, 2)), (0, 1))
        noise = generator.standard_normal(shifted.shape, np.float32) * np.float32(0.01)
        yield np.clip(shifted * np.float32(generator.uniform(0.92, 1.08)) + noise, 0, 1)


def _resized(pixels: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    whole = torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None]
    small = torch.nn.functional.interpolate(whole, size=(side, side), mode="bilinear", antialias=True)
    return small[0].permute(1, 2, 0).numpy()


def write_pictures(folder: Path, count: int, side: int = 224) -> list[Path]:
    """Write photographs as JPEG files."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:05d}.jpg" for number in range(count)]
    for path, picture in zip(paths, pictures(count, side), strict=True):
        if not path.exists():
            Image.fromarray((picture * 255).astype(np.uint8)).save(path, quality=90)
    return paths


def points(count: int, kept_in: Path) -> NDArray[np.float32]:
    """Give projected patch features of the photographs, [count, 128], by the default network; kept in a file."""
    path = kept_in / f"points-{count}.npy"
    if not path.exists():
        backbone = load_backbone(DEFAULT, device="cpu", engine="torch")
        parts = []
        for picture in pictures(-(-count // 784)):
            features = flat(patch_features(backbone, picture))
            parts.append(projected(features))
        np.save(path, np.concatenate(parts)[:count])
    found: NDArray[np.float32] = np.load(path)
    return found


def projected(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give patches as a build's greedy order sees them: [patches, 128]."""
    matrix = projection_matrix(features.shape[1], 0)
    return features if matrix is None else features @ matrix


def flat(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give an image's patches one after the other: [patches, dims]."""
    return features.reshape(-1, features.shape[2])


def wide_weights(folder: Path) -> Path:
    """Write seeded weights for the paper's network; the values do not change its time."""
    path = folder / "wide_resnet50_2.pth"
    if not path.exists():
        torch.manual_seed(0)
        torch.save(models.wide_resnet50_2(weights=None).state_dict(), path)
    return path
