"""The built-in backbone's architecture: network and texture filters, and a trained map of a patch's numbers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from patchcore.texture_filters import OUTPUTS
from patchcore.textured_resnet import TexturedResNet, side_by_side

HIDDEN = 256


class PatchMap(nn.Module):
    """The same function upon each patch: a matrix, and a hidden layer that adds to it.

    Parameters
    ----------
    dims : int
        Length of a feature, before and after.
    """

    def __init__(self, dims: int) -> None:
        super().__init__()
        self.straight = nn.Conv2d(dims, dims, 1, bias=False)
        self.inner = nn.Conv2d(dims, HIDDEN, 1)
        self.outer = nn.Conv2d(HIDDEN, dims, 1, bias=False)
        nn.init.dirac_(self.straight.weight)
        nn.init.zeros_(self.outer.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Map features [N, dims, h, w]."""
        mapped: Tensor = self.straight(x) + self.added(x)
        return mapped

    def added(self, x: Tensor) -> Tensor:
        """Compute what is added to the matrix's answer."""
        return self.outer(torch.relu(self.inner(x)))  # type: ignore[no-any-return]


class MetricResNet(TexturedResNet):
    """The textured network, whose two depths and filters are weighed against each other by a trained map.

    A distance between mapped features counts what tells defects and lets pass what good pieces differ by; the map is
    trained on rendered products, see ``pretraining/metric.py``. A fresh one changes nothing.

    Parameters
    ----------
    width : int
        Channels of the stem.
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__(width)
        self.metric = PatchMap(6 * width + OUTPUTS)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Compute the mapped features.

        Parameters
        ----------
        x : Tensor, float [N, 3, S, S]
            RGB, already normalised by ImageNet's mean and standard deviation.

        Returns
        -------
        dict of Tensor
            The textured network's maps, and ``"metric"`` [N, 6 * width + 39, S/8, S/8].
        """
        maps = super().forward(x)
        return maps | {"metric": self.metric(side_by_side(maps))}


def metric_resnet(width: int = 32) -> MetricResNet:
    """Build the network with fresh weights and a map that changes nothing, in evaluation mode."""
    return MetricResNet(width).eval()
