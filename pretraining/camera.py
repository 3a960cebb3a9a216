"""Owns the camera: lens blur, vignetting, uneven light, exposure and sensor noise."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from pretraining.dice import Dice
from pretraining.fields import coordinates, noise


@dataclass(frozen=True)
class Camera:
    """One set-up: what is fixed, and how far each photograph departs from it."""

    blur: float  # share of a 3x3 binomial blur mixed in, 0..1
    vignette: float
    gradient: tuple[float, float]
    uneven: float  # deviation of the light over a photograph, different in each
    exposure: float  # deviation of the logarithm of the exposure
    sensor: float  # deviation of the noise

    def photograph(self, colour: Tensor, dice: Dice) -> Tensor:
        """Turn a painted scene [n, 3, S, S] into photographs in 0..1."""
        count, _, size, _ = colour.shape
        x, y = coordinates(count, size, dice.device)
        slope_x, slope_y = dice.normal(2, count, 1, 1) * self.uneven
        light = 1 - self.vignette * (x * x + y * y) / 2 + (self.gradient[0] + slope_x) * x
        light = light + (self.gradient[1] + slope_y) * y + self.uneven * noise(dice, count, size, 2.6)
        light = light * torch.exp(dice.normal(count, 1, 1) * self.exposure)
        picture = (colour * light.clamp_min(0.05)[:, None]).clamp(0, 1)
        picture = picture * (1 - self.blur) + soft(picture) * self.blur
        grain = dice.normal(count, 1, size, size) * 0.7 + dice.normal(count, 3, size, size) * 0.3
        return (picture + self.sensor * grain).clamp(0, 1)


def soft(picture: Tensor) -> Tensor:
    """Blur [n, c, H, W] by a 3x3 binomial."""
    line = torch.tensor([0.25, 0.5, 0.25], device=picture.device, dtype=picture.dtype)
    channels = picture.shape[1]
    weight = (line[:, None] * line[None, :]).expand(channels, 1, 3, 3)
    return functional.conv2d(functional.pad(picture, (1, 1, 1, 1), "replicate"), weight, groups=channels)


def camera(dice: Dice) -> Camera:
    """Draw a set-up, from a laboratory's to a neglected one."""
    return Camera(
        dice.uniform(0, 1),
        dice.uniform(0, 0.5) if dice.chance(0.5) else 0.0,
        (dice.uniform(-0.2, 0.2), dice.uniform(-0.2, 0.2)) if dice.chance(0.5) else (0.0, 0.0),
        dice.scale(0.01, 0.15),
        dice.scale(0.01, 0.25),
        dice.scale(0.002, 0.04),
    )
