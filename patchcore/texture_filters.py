"""Fixed texture filters: Gabor energies, local moments and colour contrast of a picture, one set a patch."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

DIRECTIONS = 6
FINE, FINE_SIDE = (0.25, 0.4), 15  # cycles a pixel of the full picture, and the kernels' side
COARSE, COARSE_SIDE = (0.16, 0.3), 19  # the same of the halved picture: 0.08 and 0.15 of the full one
BANDWIDTH = 1.2  # octaves
SPOT, SPOT_SIDE = 1.2, 9  # deviation and side of the centre-surround kernel, px
WINDOWS = (8, 24)  # of the moments, px; patches lie 8 px apart
OUTPUTS = DIRECTIONS * (len(FINE) + len(COARSE)) + 3 * len(WINDOWS) + 3 + 6


def gabor_pairs(frequencies: tuple[float, ...], side: int) -> Tensor:
    """Even and odd Gabor kernels in turn, without answer to an even ground.

    Parameters
    ----------
    frequencies
        Cycles a pixel.
    side
        Of each kernel, odd.

    Returns
    -------
    Tensor
        [2 * frequencies * directions, 1, side, side] float32; the envelope's width follows from a bandwidth of 1.2
        octaves at half height (Daugman 1985).
    """
    half = side // 2
    y, x = torch.meshgrid(*[torch.arange(-half, half + 1, dtype=torch.float64)] * 2, indexing="ij")
    octave = 2.0**BANDWIDTH
    kernels = []
    for frequency in frequencies:
        sigma = math.sqrt(math.log(2) / 2) / (math.pi * frequency) * (octave + 1) / (octave - 1)
        envelope = torch.exp(-(x * x + y * y) / (2 * sigma * sigma)) / (2 * math.pi * sigma * sigma)
        for turn in range(DIRECTIONS):
            angle = math.pi * turn / DIRECTIONS
            phase = 2 * math.pi * frequency * (x * math.cos(angle) + y * math.sin(angle))
            kernels += [envelope * phase.cos(), envelope * phase.sin()]
    stacked = torch.stack(kernels)
    return (stacked - stacked.mean((1, 2), keepdim=True)).float()[:, None]


def spot_kernel() -> Tensor:
    """Centre-surround kernel [1, 1, side, side]: a Laplacian of a Gaussian, absolute sum 1."""
    half = SPOT_SIDE // 2
    y, x = torch.meshgrid(*[torch.arange(-half, half + 1, dtype=torch.float64)] * 2, indexing="ij")
    r = (x * x + y * y) / SPOT**2
    kernel = (2 - r) * torch.exp(-r / 2)
    kernel -= kernel.mean()
    return (kernel / kernel.abs().sum()).float()[None, None]


class TextureFilters(nn.Module):
    """The filters, each answer multiplied by a stored gain.

    Kernels and gains are kept in the weight file, whose hash an inspector remembers: what decides its scores cannot
    change unnoticed.

    Parameters
    ----------
    central
        Whether moments are summed about the middle. Without, deviation and skew of an even ground, a saturated one
        say, are what rounding leaves of large numbers; the earlier networks were built so, and their inspectors
        remember it.
    """

    fine: Tensor
    coarse: Tensor
    spot: Tensor
    blur: Tensor
    gains: Tensor

    def __init__(self, central: bool = False) -> None:
        super().__init__()
        self.central = central
        row = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
        self.register_buffer("fine", gabor_pairs(FINE, FINE_SIDE))
        self.register_buffer("coarse", gabor_pairs(COARSE, COARSE_SIDE))
        self.register_buffer("spot", spot_kernel())
        self.register_buffer("blur", torch.outer(row, row)[None, None])
        self.register_buffer("gains", torch.ones(OUTPUTS))

    def forward(self, x: Tensor, size: torch.Size) -> Tensor:
        """Answers of every patch.

        Parameters
        ----------
        x
            [N, 3, S, S] float32, normalised.
        size
            Rows and columns of patches.

        Returns
        -------
        Tensor
            [N, 39, rows, cols]: 24 energies, 6 moments, 3 colour means, 6 colour contrasts.
        """
        x = x.contiguous()
        grey = x.mean(1, keepdim=True)
        parts = [_to(_energies(grey, self.fine), size), _to(_energies(self._halved(grey), self.coarse), size)]
        parts += [_to(moment, size) for moment in (_central_moments if self.central else _moments)(grey)]
        parts += [_to(F.avg_pool2d(_padded_to_patches(x), 8), size), *self._contrasts(x, size)]
        return torch.cat(parts, 1) * self.gains[:, None, None]

    def _contrasts(self, x: Tensor, size: torch.Size) -> list[Tensor]:
        """How much red-green and blue-yellow change from point to point, at three scales."""
        red, green, blue = x.unbind(1)
        opponent = torch.stack([red - green, blue - (red + green) / 2], 1)
        answers = []
        for _ in range(3):
            answers.append(_to(_spotted(opponent, self.spot).abs_(), size))
            opponent = self._halved(opponent)
        return answers

    def _halved(self, x: Tensor) -> Tensor:
        """Blur and keep every other pixel, each channel by itself."""
        return _convolved(x, self.blur, stride=2)


def _convolved(x: Tensor, kernel: Tensor, stride: int = 1) -> Tensor:
    """Convolve each channel with the same kernels; the border is mirrored."""
    flat = x.flatten(0, 1)[:, None]
    answers = F.conv2d(F.pad(flat, [kernel.shape[-1] // 2] * 4, "reflect"), kernel, stride=stride)
    return answers.reshape(x.shape[0], -1, *answers.shape[-2:])


def _spotted(x: Tensor, kernel: Tensor) -> Tensor:
    """Convolve each channel with one kernel, eight columns of the answer at once: the same sums in half the time."""
    width, half = x.shape[-1], kernel.shape[-1] // 2
    padded = F.pad(F.pad(x.flatten(0, 1)[:, None], [half] * 4, "reflect"), [0, (-width) % 8])
    shifted = torch.cat([F.pad(kernel, [step, 7 - step]) for step in range(8)])
    columns = F.conv2d(padded, shifted, stride=(1, 8))
    return columns.permute(0, 2, 3, 1).flatten(2)[:, :, :width].reshape(x.shape)


def _energies(grey: Tensor, kernels: Tensor) -> Tensor:
    """Lengths of the pairs' answers; written over each other, for fresh memory costs more than the sums."""
    squares = _convolved(grey, kernels).square_()
    return (squares[:, 0::2] + squares[:, 1::2]).add_(1e-8).sqrt_()


def _moments(grey: Tensor) -> list[Tensor]:
    """Mean, deviation and skew within each window around each patch."""
    grey = _padded_to_patches(grey)
    found = []
    for window in WINDOWS:
        first, second, third = (F.avg_pool2d(grey**k, window, 8, (window - 8) // 2) for k in (1, 2, 3))
        spread = (second - first**2).clamp_min(1e-6).sqrt()
        skew = (third - 3 * first * second + 2 * first**3) / spread**2
        found += [first, spread, skew.clamp(-2, 2)]
    return found


def _central_moments(grey: Tensor) -> list[Tensor]:
    """The same, from sums about the mean of each patch, which are joined about the mean of each window."""
    grey = _padded_to_patches(grey)
    patches = grey.reshape(len(grey), 1, grey.shape[2] // 8, 8, grey.shape[3] // 8, 8)
    mean = patches.mean((3, 5))
    apart = patches - mean[:, :, :, None, :, None]
    squares = apart.square()
    of_patches = torch.cat([mean, squares.mean((3, 5)), (squares * apart).mean((3, 5))], 1)
    found = []
    for window in WINDOWS:
        around = _surroundings(of_patches, window // 8)
        first = around[:, 0].mean(1, keepdim=True)
        off = around[:, 0] - first
        second = (around[:, 1] + off.square()).mean(1, keepdim=True).clamp_min(1e-6)
        third = (around[:, 2] + off * (3 * around[:, 1] + off.square())).mean(1, keepdim=True)
        found += [first, second.sqrt(), (third / second).clamp(-2, 2)]
    return found


def _surroundings(x: Tensor, side: int) -> Tensor:
    """Values of the patches around each: [N, C, h, w] -> [N, C, side * side, h, w], noughts beyond the border."""
    rows, columns = x.shape[2:]
    padded = F.pad(x, [side // 2] * 4)
    steps = [(i, j) for i in range(side) for j in range(side)]
    return torch.stack([padded[:, :, i : i + rows, j : j + columns] for i, j in steps], 2)


def _padded_to_patches(x: Tensor) -> Tensor:
    """Repeat the border so that both sides are whole numbers of patches, 8 px each."""
    below, right = (-x.shape[2]) % 8, (-x.shape[3]) % 8
    return F.pad(x, [0, right, 0, below], "replicate") if below or right else x


def _to(x: Tensor, size: torch.Size) -> Tensor:
    return x if x.shape[-2:] == size else F.adaptive_avg_pool2d(x, (size[0], size[1]))
