"""Owns the list of photographs the training may look at: those shipped in scikit-image that are free of conditions."""

from __future__ import annotations

import math

import numpy as np
import skimage.data
import torch
from torch import Tensor
from torch.nn import functional

from pretraining.dice import Dice

# name in skimage.data -> what scikit-image's own documentation says of its rights
FREE_PHOTOGRAPHS: dict[str, str] = {
    "astronaut": "NASA, public domain, no known copyright restrictions",
    "brick": "CC0 (CC0Textures, Bricks25)",
    "camera": "CC0 by the photographer, Lav Varshney",
    "cell": "CC0, Paul Müller et al.",
    "chelsea": "CC0 by the photographer, Stefan van der Walt",
    "clock": "released into the public domain by the photographer, Stefan van der Walt",
    "coffee": "CC0 by the photographer, Rachel Michetti",
    "coins": "Brooklyn Museum, no known copyright restrictions",
    "grass": "CC0 (DeviantArt, linolafett)",
    "gravel": "CC0 (CC0Textures, Gravel04)",
    "hubble_deep_field": "NASA, free use in the public domain",
    "immunohistochemistry": "CMMI, no known copyright restrictions",
    "retina": "CC0, Mikael Häggström",
    "rocket": "SpaceX, released into the public domain",
    "text": "Wikipedia, released into the public domain, no known copyright restrictions",
}
# Left out, their documentation naming a condition or no licence at all: page, moon, logo, colorwheel, checkerboard,
# stereo_motorcycle, lfw_subset (scikit-image); china, flower (scikit-learn, CC BY 2.0).


def photographs() -> list[Tensor]:
    """Read the photographs, each float32 [3, H, W] in 0..1."""
    pictures = []
    for name in FREE_PHOTOGRAPHS:
        pixels = np.asarray(getattr(skimage.data, name)())
        pixels = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, 2)
        pictures.append(torch.from_numpy(pixels[..., :3].copy()).permute(2, 0, 1).float() / 255)
    return pictures


def window(dice: Dice, picture: Tensor, side: int, count: int, size: int) -> Tensor:
    """Take ``count`` slightly different views [count, 3, size, size] of one place of a photograph."""
    _, height, width = picture.shape
    top, left = dice.integer(0, height - side), dice.integer(0, width - side)
    play = max(1, side // 16)
    views = []
    for _ in range(count):
        shorter = side - dice.integer(0, play)
        y, x = top + dice.integer(0, side - shorter), left + dice.integer(0, side - shorter)
        cut = picture[None, :, y : y + shorter, x : x + shorter]
        view = functional.interpolate(cut, (size, size), mode="bilinear", antialias=True, align_corners=False)
        views.append(view * math.exp(0.05 * dice.uniform(-1, 1)) + 0.02 * dice.uniform(-1, 1))
    return (torch.cat(views) + 0.01 * dice.normal(count, 3, size, size)).clamp(0, 1)


def place(dice: Dice, pictures: list[Tensor], count: int, size: int) -> Tensor:
    """Take views of a random place of a random photograph that has something to see."""
    for _ in range(20):
        picture = dice.pick(pictures)
        shortest = min(picture.shape[1:])
        views = window(dice, picture, round(dice.scale(min(80, shortest), shortest)), count, size)
        if views.std() > 0.05:
            break
    return views
