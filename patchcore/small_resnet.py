"""The built-in backbone's architecture: a narrow residual network cut after its third stage."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut (He et al. 2016, the basic block of ResNet-18).

    Parameters
    ----------
    inputs, outputs : int
        Channels before and after.
    stride : int
        Stride of the first convolution.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, inputs, H, W] to [N, outputs, H/stride, W/stride]."""
        out = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(out)) + self.shortcut(x))


class SmallResNet(nn.Module):
    """Stem and three stages; the second and third stage's outputs are the features.

    Parameters
    ----------
    width : int
        Channels of the stem; the stages have ``width``, ``2 * width`` and ``4 * width``.
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.width = width
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 5, 2, 2, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, 2, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        )
        self.layer1 = ResidualBlock(width, width)
        self.layer2 = nn.Sequential(ResidualBlock(width, 2 * width, 2), ResidualBlock(2 * width, 2 * width))
        self.layer3 = nn.Sequential(
            ResidualBlock(2 * width, 4 * width, 2), ResidualBlock(4 * width, 4 * width)
        )

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Compute both feature maps.

        Parameters
        ----------
        x : Tensor, float [N, 3, S, S]
            RGB, already normalised by ImageNet's mean and standard deviation.

        Returns
        -------
        dict of Tensor
            ``"layer2"`` [N, 2 * width, S/8, S/8] and ``"layer3"`` [N, 4 * width, S/16, S/16].
        """
        second = self.layer2(self.layer1(self.stem(x)))
        return {"layer2": second, "layer3": self.layer3(second)}


def small_resnet(width: int = 32) -> SmallResNet:
    """Build the network with fresh weights, in evaluation mode.

    Parameters
    ----------
    width : int
        Channels of the stem.

    Returns
    -------
    SmallResNet
    """
    return SmallResNet(width).eval()


def parameter_count(network: nn.Module) -> int:
    """Count a network's trained numbers (batch-norm statistics not included)."""
    return sum(weight.numel() for weight in network.parameters())


def image_net_normalised(images: Tensor) -> Tensor:
    """Normalise RGB in 0..1 [N, 3, H, W] by ImageNet's mean and standard deviation."""
    mean = torch.tensor([0.485, 0.456, 0.406], device=images.device, dtype=images.dtype)
    std = torch.tensor([0.229, 0.224, 0.225], device=images.device, dtype=images.dtype)
    return (images - mean[:, None, None]) / std[:, None, None]
