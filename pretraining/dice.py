"""Owns chance: every random number of the training comes from a seeded ``Dice``."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import Tensor

Item = TypeVar("Item")


class Dice:
    """Random scalars and tensors from one seed.

    Parameters
    ----------
    *seed : int
        Parts of the seed; the same parts give the same numbers on the same kind of device.
    device : str
        Where the tensors are made.
    """

    def __init__(self, *seed: int, device: str = "cpu") -> None:
        mixed = random.Random(repr(seed)).getrandbits(62)
        self.device = device
        self._scalars = random.Random(mixed)
        self._tensors = torch.Generator(device).manual_seed(mixed)

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """Draw one number, evenly spread."""
        return self._scalars.uniform(low, high)

    def scale(self, low: float, high: float) -> float:
        """Draw one positive number, its logarithm evenly spread."""
        return math.exp(self._scalars.uniform(math.log(low), math.log(high)))

    def integer(self, low: int, high: int) -> int:
        """Draw a whole number, both ends included."""
        return self._scalars.randint(low, high)

    def chance(self, share: float) -> bool:
        """Return True in this share of the throws."""
        return self._scalars.random() < share

    def pick(self, items: Sequence[Item], weights: Sequence[float] | None = None) -> Item:
        """Draw one of the items."""
        return self._scalars.choices(items, weights)[0]

    def normal(self, *shape: int) -> Tensor:
        """Draw a float32 tensor, standard normal."""
        return torch.randn(shape, generator=self._tensors, device=self.device)

    def even(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Draw a float32 tensor, evenly spread."""
        return torch.rand(shape, generator=self._tensors, device=self.device) * (high - low) + low

    def scales(self, *shape: int, low: float, high: float) -> Tensor:
        """Draw a positive float32 tensor, its logarithm evenly spread."""
        return torch.exp(self.even(*shape, low=math.log(low), high=math.log(high)))

    def throws(self, *shape: int, share: float) -> Tensor:
        """Draw a boolean tensor, True in this share of its elements."""
        return self.even(*shape) < share

    def integers(self, *shape: int, below: int) -> Tensor:
        """Draw an int64 tensor of 0 .. below - 1."""
        return torch.randint(below, shape, generator=self._tensors, device=self.device)

    def order(self, count: int) -> Tensor:
        """Draw a permutation of 0 .. count - 1."""
        return torch.randperm(count, generator=self._tensors, device=self.device)
