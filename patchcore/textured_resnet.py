"""The built-in backbone's architecture: the small network's two depths, with fixed texture filters beside them."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from patchcore.small_resnet import SmallResNet
from patchcore.texture_filters import TextureFilters


class TexturedResNet(SmallResNet):
    """A small residual network and a filter bank, each of its parts multiplied by a stored gain.

    The gains bring the parts to comparable distances between good patches, so that none drowns the others; they are
    measured on rendered products, see ``pretraining/textured.py``.

    Parameters
    ----------
    width : int
        Channels of the stem.
    central : bool
        As in :class:`~patchcore.texture_filters.TextureFilters`.
    """

    gains: Tensor

    def __init__(self, width: int = 32, central: bool = False) -> None:
        super().__init__(width)
        self.filters = TextureFilters(central)
        self.register_buffer("gains", torch.ones(2))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Compute both depths and the filters.

        Parameters
        ----------
        x : Tensor, float [N, 3, S, S]
            RGB, already normalised by ImageNet's mean and standard deviation.

        Returns
        -------
        dict of Tensor
            ``"layer2"`` [N, 2 * width, S/8, S/8], ``"layer3"`` [N, 4 * width, S/16, S/16] and ``"filters"``
            [N, 39, S/8, S/8].
        """
        maps = super().forward(x)
        return {
            "layer2": maps["layer2"] * self.gains[0],
            "layer3": maps["layer3"] * self.gains[1],
            "filters": self.filters(x, maps["layer2"].shape[-2:]),
        }


def side_by_side(maps: dict[str, Tensor]) -> Tensor:
    """Join a textured network's maps on the shallower one's grid: [N, 6 * width + 39, S/8, S/8]."""
    shallow, deep = maps["layer2"], F.avg_pool2d(maps["layer3"], 3, 1, 1)
    deep = F.interpolate(deep, shallow.shape[-2:], mode="bilinear", align_corners=False)
    return torch.cat([shallow, deep, maps["filters"]], 1)


def textured_resnet(width: int = 32) -> TexturedResNet:
    """Build the network with fresh weights and gains of one, in evaluation mode."""
    return TexturedResNet(width).eval()
