"""Owns what the built-in backbone is measured against: random networks and a hand-made filter bank."""

from __future__ import annotations

import numpy as np
import torch
from skimage.filters import gabor_kernel
from torch import Tensor, nn
from torch.nn import functional
from torchvision import models

from patchcore.backbones import Trunk
from patchcore.small_resnet import image_net_normalised
from pretraining.products import fill_pool

LAYERS = ("layer2", "layer3")


def rendered_pictures(count: int = 48, size: int = 224) -> Tensor:
    """Pictures of rendered products, float32 [count, 3, size, size] in 0..1, to calibrate statistics on."""
    return fill_pool(1, count, 0, 1, size).pictures[:, 0].float() / 255


def random_network(name: str, seed: int, pictures: Tensor) -> nn.Module:
    """Build a torchvision ResNet with random weights, its batch-norm statistics calibrated.

    Parameters
    ----------
    name : str
        ``"resnet18"``, ``"wide_resnet50_2"``, ...
    seed : int
        Seed of the weights.
    pictures : Tensor, float [n, 3, S, S]
        In 0..1; the statistics are their mean over batches of 16.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = Trunk(models.get_model(name, weights=None), LAYERS)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None  # a plain mean over the batches
    network.train()
    with torch.no_grad():
        for part in pictures.split(16):
            network(image_net_normalised(part))
    return network.eval()


class FilterBank(nn.Module):
    """Gabor energies, local moments and colour means, all at stride 8.

    Parameters
    ----------
    frequencies : tuple of float
        In cycles a pixel.
    directions : int
        How many orientations of each.
    """

    kernels: Tensor

    def __init__(self, frequencies: tuple[float, ...] = (0.08, 0.15, 0.25, 0.4), directions: int = 6) -> None:
        super().__init__()
        rows = []
        for frequency in frequencies:
            for turn in range(directions):
                kernel = gabor_kernel(frequency, np.pi * turn / directions, bandwidth=1.2)
                rows += [self._framed(kernel.real), self._framed(kernel.imag)]
        self.register_buffer("kernels", torch.stack(rows)[:, None])

    @staticmethod
    def _framed(kernel: np.ndarray, side: int = 31) -> Tensor:
        """Cut or pad to a square of ``side``, without answer to an even ground."""
        cut = [slice(max(0, (n - side) // 2), max(0, (n - side) // 2) + side) for n in kernel.shape]
        kernel = kernel[cut[0], cut[1]]
        pads = [((side - n) // 2, side - n - (side - n) // 2) for n in kernel.shape]
        return torch.from_numpy(np.pad(kernel - kernel.mean(), pads)).float()

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Map normalised images [N, 3, S, S] to ``{"layer2": [N, 33, S/8, S/8]}``."""
        grey = x.mean(1, keepdim=True)
        side = self.kernels.shape[-1] // 2
        answers = functional.conv2d(functional.pad(grey, [side] * 4, "reflect"), self.kernels)
        energies = (answers[:, 0::2] ** 2 + answers[:, 1::2] ** 2 + 1e-8).sqrt()
        parts = [functional.avg_pool2d(energies, 8)]
        mean = functional.avg_pool2d(x, 8)
        for window in (8, 24):
            pad = (window - 8) // 2
            first = functional.avg_pool2d(grey, window, 8, pad)
            second = functional.avg_pool2d(grey**2, window, 8, pad)
            third = functional.avg_pool2d(grey**3, window, 8, pad)
            spread = (second - first**2).clamp_min(1e-6).sqrt()
            skew = (third - 3 * first * second + 2 * first**3) / spread**2
            parts += [first, spread, skew.clamp(-2, 2)]
        return {"layer2": torch.cat([*parts, mean], 1)}


def calibrated(bank: FilterBank, pictures: Tensor) -> nn.Module:
    """Scale every answer of the bank to unit deviation over rendered pictures."""
    with torch.no_grad():
        maps = torch.cat([bank(image_net_normalised(part))["layer2"] for part in pictures.split(16)])
    return _Scaled(bank, maps.std((0, 2, 3)).clamp_min(1e-3))


class _Scaled(nn.Module):
    spread: Tensor

    def __init__(self, bank: FilterBank, spread: Tensor) -> None:
        super().__init__()
        self.bank = bank
        self.register_buffer("spread", spread)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {name: m / self.spread[None, :, None, None] for name, m in self.bank(x).items()}
