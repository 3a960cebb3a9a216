"""Locally aware patch features (paper section 3.1): a network's maps, pooled by `kernels.pooling`."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from patchcore.backbones import Backbone
from patchcore.kernels.pooling import concatenated, reduced
from patchcore.kernels.precision import full_precision


@torch.inference_mode()
def embed(backbone: Backbone, images: Tensor, dims: int | None = None) -> Tensor:
    """Locally aware patch features of a batch.

    Parameters
    ----------
    backbone
        Network to run.
    images
        [N, 3, S, S] float32 RGB in 0..1, on the backbone's device.
    dims
        Length of a feature; None for the backbone's own (concatenation if it has none).

    Returns
    -------
    Tensor
        [N, rows, cols, dims] float32.
    """
    dims = dims or backbone.spec.dims

    def features(images: Tensor) -> Tensor:
        with full_precision(backbone.device):
            maps = backbone.maps(images)
            out = reduced(maps, dims) if dims else concatenated(maps)
        return out.permute(0, 2, 3, 1).contiguous()

    return backbone.engine(features, dims, images) if backbone.engine else features(images)


def patch_features(
    backbone: Backbone, image: NDArray[np.float32], dims: int | None = None
) -> NDArray[np.float32]:
    """Locally aware patch features of one image, already at the network's input size.

    Parameters
    ----------
    backbone
        Network to run.
    image
        [S, S, 3] float32 RGB in 0..1.
    dims
        As in :func:`embed`.

    Returns
    -------
    ndarray
        [rows, cols, dims] float32.
    """
    features: NDArray[np.float32] = features_of_batch(backbone, image[None], dims)[0]
    return features


def features_of_batch(
    backbone: Backbone, images: NDArray[np.float32], dims: int | None = None
) -> NDArray[np.float32]:
    """Patch features of a batch of images [N, S, S, 3] at the network's input size: [N, rows, cols, dims] float32."""
    batch = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).to(backbone.device)
    return np.asarray(embed(backbone, batch, dims).cpu().numpy(), dtype=np.float32)


def feature_shape(backbone: Backbone, image_size: int, dims: int | None = None) -> tuple[int, int, int]:
    """(rows, cols, dims) of the features of an image with `image_size` pixels a side, computed from a blank one."""
    rows, cols, length = patch_features(
        backbone, np.zeros((image_size, image_size, 3), np.float32), dims
    ).shape
    return rows, cols, length


def deepest_part(backbone: Backbone, image_size: int, dims: int | None = None) -> int:
    """Index in a patch feature at which the numbers of the deepest layer alone begin."""
    dims = dims or backbone.spec.dims
    if dims:  # each output of the second pooling reads len(layers) neighbouring ones, shallow layers first
        return -(-(len(backbone.layers) - 1) * dims // len(backbone.layers))
    blank = torch.zeros((1, 3, image_size, image_size), device=backbone.device)
    return sum(int(found.shape[1]) for found in backbone.maps(blank)[:-1])
