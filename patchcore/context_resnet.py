"""The built-in architecture: network and texture filters, and a trained map of a patch and its surroundings."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from patchcore.metric_resnet import PatchMap
from patchcore.texture_filters import OUTPUTS
from patchcore.textured_resnet import TexturedResNet, side_by_side

NARROW = 96


class ContextMap(PatchMap):
    """What :class:`PatchMap` makes of each patch, and what a few convolutions add to it from the patches around.

    Surroundings tell a stain, a rim or a fold of the light from a defect. The widest view is 7 x 7 patches.

    Parameters
    ----------
    dims : int
        Length of a feature, before and after.
    """

    def __init__(self, dims: int) -> None:
        super().__init__(dims)
        self.narrow = nn.Conv2d(dims, NARROW, 1)
        self.around = nn.Conv2d(NARROW, NARROW, 3, padding=1)
        self.beyond = nn.Conv2d(NARROW, NARROW, 3, padding=2, dilation=2)
        self.wide = nn.Conv2d(NARROW, dims, 1, bias=False)
        nn.init.zeros_(self.wide.weight)

    def added(self, x: Tensor) -> Tensor:
        """Compute what is added to the matrix's answer."""
        near = torch.relu(self.around(torch.relu(self.narrow(x))))
        far = torch.relu(self.beyond(near))
        added: Tensor = super().added(x) + self.wide(near + far)
        return added


class ContextResNet(TexturedResNet):
    """The textured network, whose two depths and filters go through a trained map that sees a patch's surroundings.

    A distance between mapped features counts what tells defects and lets pass what good pieces differ by; the map is
    trained on rendered products, see ``pretraining/context.py``. A fresh one changes nothing.

    Parameters
    ----------
    width : int
        Channels of the stem.
    central : bool
        As in :class:`~patchcore.texture_filters.TextureFilters`.
    """

    def __init__(self, width: int = 32, central: bool = False) -> None:
        super().__init__(width, central)
        self.context = ContextMap(6 * width + OUTPUTS)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Compute the mapped features.

        Parameters
        ----------
        x : Tensor, float [N, 3, S, S]
            RGB, already normalised by ImageNet's mean and standard deviation.

        Returns
        -------
        dict of Tensor
            The textured network's maps, and ``"context"`` [N, 6 * width + 39, S/8, S/8].
        """
        maps = super().forward(x)
        return maps | {"context": self.context(side_by_side(maps))}


def context_resnet(width: int = 32) -> ContextResNet:
    """Build the network with fresh weights and a map that changes nothing, in evaluation mode."""
    return ContextResNet(width).eval()


def whole_resnet(width: int = 32) -> ContextResNet:
    """Build the network whose filters sum moments about the middle, as :func:`context_resnet`."""
    return ContextResNet(width, central=True).eval()
