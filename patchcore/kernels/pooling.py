"""Poolings of the reference implementation (paper section 3.1) as small convolutions over feature maps.

The reference unfolds every 3x3 neighbourhood and runs ``adaptive_avg_pool1d`` over (channel, row, column) flattened,
twice: to ``dims`` per depth, then over all depths to ``dims``. Both are linear and the same at every position, so
together they are one sparse 3x3 convolution per depth: the product of two pooling matrices.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

PATCH_SIZE = 3  # paper §3.1: p = 3


@lru_cache(maxsize=16)
def pooling_kernels(channels: tuple[int, ...], dims: int) -> tuple[tuple[Tensor, Tensor], ...]:
    """Write the reference's two poolings as one grouped 3x3 convolution per depth.

    Parameters
    ----------
    channels
        Number of channels of each depth, shallow first.
    dims
        Length of the finished feature (paper and reference: 1024).

    Returns
    -------
    tuple of (index, weight)
        For each depth: ``index`` [dims, m] int64, the m neighbouring channels that each output reads; ``weight``
        [dims, m, 3, 3] float32. An output that does not depend on the depth has zero weight.
    """
    second = pooling_matrix(len(channels) * dims, dims)
    return tuple(
        _as_kernel(
            second[:, depth * dims : (depth + 1) * dims] @ pooling_matrix(count * PATCH_SIZE**2, dims), count
        )
        for depth, count in enumerate(channels)
    )


def pooling_matrix(length: int, bins: int) -> csr_array:
    """Write ``adaptive_avg_pool1d`` from `length` to `bins` values as a matrix [bins, length]."""
    k = np.arange(bins + 1) * length
    starts, ends = k[:-1] // bins, -(-k[1:] // bins)
    widths = ends - starts
    columns = np.concatenate([np.arange(start, end) for start, end in zip(starts, ends, strict=True)])
    values = np.repeat(1.0 / widths, widths)
    return csr_array((values, columns, np.concatenate([[0], widths.cumsum()])), shape=(bins, length))


def _as_kernel(matrix: csr_array, channels: int) -> tuple[Tensor, Tensor]:
    """Turn [dims, channels x 3 x 3] into the channels each output reads and their 3x3 weights."""
    entries = matrix.tocoo()
    outputs, (channel, tap) = entries.row, np.divmod(entries.col, PATCH_SIZE**2)
    first = np.full(matrix.shape[0], channels)
    np.minimum.at(first, outputs, channel)
    offset = channel - first[outputs]
    width = int(offset.max()) + 1
    weight = np.zeros((matrix.shape[0], width, PATCH_SIZE**2), np.float32)
    weight[outputs, offset, tap] = entries.data
    index = np.minimum(first[:, None] + np.arange(width), channels - 1)
    kernel = weight.reshape(matrix.shape[0], width, PATCH_SIZE, PATCH_SIZE)
    return torch.from_numpy(index), torch.from_numpy(kernel)


@dataclass(frozen=True)
class _Kernel:
    """What one depth adds to the finished feature."""

    outputs: slice | Tensor
    reads: Tensor | None  # channels, m for each output; None for all channels in their order
    together: int  # m
    weight: Tensor  # [outputs x m, 1, 3, 3]


@lru_cache(maxsize=16)
def _kernels(channels: tuple[int, ...], dims: int, device: torch.device) -> tuple[_Kernel, ...]:
    """The kernels without empty work: outputs that a depth does not reach, and copies of channels in their order."""
    kernels = []
    for count, (index, weight) in zip(channels, pooling_kernels(channels, dims), strict=True):
        live = weight.abs().sum((1, 2, 3)).nonzero()[:, 0]
        first, last = int(live[0]), int(live[-1]) + 1
        reads = index[live].flatten()
        kernels.append(
            _Kernel(
                slice(first, last) if last - first == len(live) else live.to(device),
                None if torch.equal(reads, torch.arange(count)) else reads.to(device),
                weight.shape[1],
                weight[live].flatten(0, 1)[:, None].to(device),
            )
        )
    return tuple(kernels)


def reduced(maps: list[Tensor], dims: int) -> Tensor:
    """Aggregate and reduce to `dims` as the reference does: [N, C_j, H_j, W_j] -> [N, dims, H_0, W_0]."""
    size = _size(maps[0])
    kernels = _kernels(tuple(int(m.shape[1]) for m in maps), dims, maps[0].device)
    parts = []
    for x, kernel in zip(maps, kernels, strict=True):
        read = x if kernel.reads is None else x[:, kernel.reads]
        # each channel by itself, then the sum of m: quicker than groups of m channels
        read = read.contiguous(memory_format=torch.channels_last)
        y = F.conv2d(read, kernel.weight, padding=PATCH_SIZE // 2, groups=kernel.weight.shape[0])
        together = [y[:, i :: kernel.together] for i in range(kernel.together)]
        parts.append(_resize(sum(together[1:], together[0]), size))
    if _follow_each_other(kernels):
        return torch.cat(parts, 1)
    total = maps[0].new_zeros(len(maps[0]), dims, *size).contiguous(memory_format=torch.channels_last)
    for part, kernel in zip(parts, kernels, strict=True):
        total[:, kernel.outputs] += part
    return total


def _follow_each_other(kernels: tuple[_Kernel, ...]) -> bool:
    """Whether the outputs of each depth begin where the outputs of the depth before end."""
    ends = [0]
    for kernel in kernels:
        if not isinstance(kernel.outputs, slice) or kernel.outputs.start != ends[-1]:
            return False
        ends.append(kernel.outputs.stop)
    return True


def concatenated(maps: list[Tensor]) -> Tensor:
    """3x3 means of every depth at the size of the first, concatenated: [N, sum C_j, H_0, W_0]."""
    means = (F.avg_pool2d(x, PATCH_SIZE, stride=1, padding=PATCH_SIZE // 2) for x in maps)
    return torch.cat([_resize(x, _size(maps[0])) for x in means], dim=1)


def _size(x: Tensor) -> tuple[int, int]:
    # Plain numbers, also while an engine records the steps.
    return int(x.shape[-2]), int(x.shape[-1])


def _resize(x: Tensor, size: tuple[int, int]) -> Tensor:
    return x if _size(x) == size else F.interpolate(x, size=size, mode="bilinear", align_corners=False)
