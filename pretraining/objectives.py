"""Owns the two objectives: name the product a crop comes from, and set defects apart from a bank of good patches."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from pretraining.dice import Dice
from pretraining.evaluate import joined

SHARPNESS = 16.0  # of the cosine classifier
MARGIN, SOFTNESS = 0.1, 0.25  # of the ranking, in logarithms of a distance
FLOOR = 2e-3  # of a squared distance; features have squared length 2


class ExemplarHeads(nn.Module):
    """Which product is this crop of, and this piece of it (Dosovitskiy et al. 2014, Exemplar-CNN).

    Parameters
    ----------
    middle, deep : int
        Channels of ``layer2`` and ``layer3``.
    products : int
        How many classes.
    """

    def __init__(self, middle: int, deep: int, products: int) -> None:
        super().__init__()
        self.middle = nn.Parameter(torch.randn(products, middle) * 0.05)
        self.deep = nn.Parameter(torch.randn(products, deep) * 0.05)

    def forward(self, maps: dict[str, Tensor], labels: Tensor, dice: Dice) -> tuple[Tensor, Tensor]:
        """Return the loss, and the share of whole crops named correctly."""
        middle, deep = maps["layer2"].float(), maps["layer3"].float()
        whole = self._cosines(deep.mean((2, 3)), self.deep)
        pieces = functional.avg_pool2d(deep, 3, 1).flatten(2).transpose(1, 2)
        pieces = pieces[:, dice.order(pieces.shape[1])[:4]]
        small = functional.avg_pool2d(middle, 6, 2).flatten(2).transpose(1, 2)
        small = small[:, dice.order(small.shape[1])[:2]]
        loss = functional.cross_entropy(SHARPNESS * whole, labels)
        for rows, weights in ((pieces, self.deep), (small, self.middle)):
            cosines = self._cosines(rows.flatten(0, 1), weights)
            repeated = labels.repeat_interleave(rows.shape[1])
            loss = loss + functional.cross_entropy(SHARPNESS * cosines, repeated)
        return loss, (whole.argmax(1) == labels).float().mean()

    @staticmethod
    def _cosines(rows: Tensor, weights: Tensor) -> Tensor:
        return functional.normalize(rows, dim=1) @ functional.normalize(weights, dim=1).t()


@dataclass(frozen=True)
class Episodes:
    """Miniature inspections, one a product: pictures to build on, good ones and defective ones to test on."""

    pictures: Tensor  # [episodes, bank + good + defective, 3, S, S]
    change: Tensor  # [episodes, defective, S, S], how much the defect changed each pixel
    bank: int


def patch_labels(change: Tensor, rows: int) -> tuple[Tensor, Tensor]:
    """Say which patches show the defect and which are far from it.

    Parameters
    ----------
    change : Tensor [n, S, S]
        How much each pixel changed.
    rows : int
        Patches a side.

    Returns
    -------
    defective, good : Tensor, bool [n, rows, rows]
        What is in neither lies beside a defect and is not judged.
    """
    cover = functional.adaptive_avg_pool2d((change > 0.03).float()[:, None], rows)
    defective = cover > (0.3 * cover.amax((2, 3), keepdim=True)).clamp_min(0.03)
    near = functional.max_pool2d((cover > 0).float(), 3, 1, 1) > 0
    return defective[:, 0], ~near[:, 0]


def episode_loss(maps: dict[str, Tensor], episodes: Episodes, unit_depths: bool) -> tuple[Tensor, Tensor]:
    """Rank defective patches above good ones by their distance to the nearest patch of the bank.

    Free of scale: only ratios of distances within an episode count.

    Parameters
    ----------
    maps : dict of Tensor
        The network's maps of all pictures of all episodes, in order.
    episodes : Episodes
        What they show.
    unit_depths : bool
        Scale each depth to unit length.

    Returns
    -------
    loss, auroc : Tensor
        Scalars; the area under the patches' ROC curve, mean over the episodes, without gradient.
    """
    features = joined([maps["layer2"], maps["layer3"]], unit_depths)
    rows = features.shape[-1]
    count, pictures = episodes.pictures.shape[:2]
    features = features.flatten(2).transpose(1, 2).unflatten(0, (count, pictures))
    bank, tests = features[:, : episodes.bank].flatten(1, 2), features[:, episodes.bank :]
    distances = _nearest(tests.flatten(1, 2), bank).unflatten(1, (tests.shape[1], rows * rows))
    losses, areas = [], []
    for logs, change in zip(distances, episodes.change, strict=True):
        defective, good = (labels.flatten(1) for labels in patch_labels(change, rows))
        whole = len(logs) - len(change)
        normal = torch.cat([logs[:whole].flatten(), logs[whole:][good]])
        found = logs[whole:][defective]
        if len(found):
            worst = logs[whole:].masked_fill(~defective, -20.0).amax(1)[defective.any(1)]
            losses.append(_ranking(normal, found, worst, logs[:whole].amax(1)))
            areas.append((found[:, None] > normal[None, ::5]).float().mean().detach())
    if not losses:
        return features.sum() * 0, features.new_tensor(float("nan"))
    return torch.stack(losses).mean(), torch.stack(areas).mean()


def _nearest(tests: Tensor, bank: Tensor) -> Tensor:
    """Logarithm of the distance to the nearest row of the bank: [episodes, n, d], [episodes, m, d] -> [episodes, n]."""
    with torch.no_grad():
        near = torch.cdist(tests, bank).argmin(2)
    rows = bank.gather(1, near[..., None].expand_as(tests))
    return 0.5 * torch.log((tests - rows).pow(2).sum(2) + FLOOR)


def _ranking(normal: Tensor, found: Tensor, worst: Tensor, good_images: Tensor) -> Tensor:
    """Defective patches above the mean and the tail of the good ones; defective images above good ones."""
    tail = normal.topk(max(1, len(normal) // 40)).values.mean()
    loss = _above(found, tail).mean() + 0.5 * _above(found, normal.mean() + 0.2).mean()
    return loss + _above(worst[:, None], good_images[None, :]).mean()


def _above(high: Tensor, low: Tensor) -> Tensor:
    return functional.softplus((low + MARGIN - high) / SOFTNESS)
