"""Owns the two objectives: name the product a crop comes from, and set defects apart from a bank of good patches."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from pretraining.dice import Dice

SHARPNESS = 16.0  # of the cosine classifier
MARGIN, SOFTNESS = 0.1, 0.25  # of the ranking, in logarithms of a distance
FLOOR = 0.02  # added to a squared distance, in mean squares of the good patches'


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
class Inspections:
    """Miniature inspections, one a product: good pictures, and copies of the first of them with a defect.

    Each picture is judged by the good pictures but the one it is, or is a copy of.
    """

    pictures: Tensor  # [products, good + defective, 3, S, S]
    change: Tensor  # [products, defective, S, S], how much the defect changed each pixel


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


class FaultHead(nn.Module):
    """Says of a single patch, without a bank, how much it looks like a defect: a guide for the first steps."""

    def __init__(self, dims: int) -> None:
        super().__init__()
        self.levels = nn.BatchNorm1d(dims, affine=False)
        self.weigh = nn.Linear(dims, 1)

    def forward(self, rows: Tensor, defective: Tensor, judged: Tensor) -> Tensor:
        """Cross entropy of rows [n, dims], both kinds weighing the same."""
        marks = self.weigh(self.levels(rows))[:, 0]
        sharp = functional.softplus(torch.where(defective, -marks, marks))
        kinds = [sharp[judged & kind] for kind in (defective, ~defective)]
        return torch.stack([kind.mean() for kind in kinds if len(kind)]).mean()


def rank(features: Tensor, change: Tensor, bank_share: float, dice: Dice) -> tuple[Tensor, Tensor]:
    """Rank defective patches and pictures above good ones by their distance to the nearest patch of the others.

    Free of scale: only ratios of distances within an inspection count.

    Parameters
    ----------
    features : Tensor [products, good + defective, patches, d]
        Locally aware features.
    change : Tensor [products, defective, S, S]
        How much the defects changed each pixel.
    bank_share : float
        Share of the good patches, drawn by chance, that are the bank.
    dice : Dice
        Draws the bank.

    Returns
    -------
    loss, auroc : Tensor
        Scalars; the area under the pictures' ROC curve, mean over the products, without gradient.
    """
    side = math.isqrt(features.shape[2])
    losses, areas = [], []
    for rows, changed in zip(features, change, strict=True):
        defective, fair = (labels.flatten(1) for labels in patch_labels(changed, side))
        count = len(rows) - len(changed)
        logs = _logs(rows, count, bank_share, dice)
        good, spoilt = logs[:count], logs[count:]
        visible = defective.any(1)
        if visible.any():
            worst = spoilt.masked_fill(~defective, -20.0).amax(1)[visible]
            losses.append(
                _ranking(torch.cat([good.flatten(), spoilt[fair]]), spoilt[defective], worst, good.amax(1))
            )
            areas.append((worst[:, None] > good.amax(1)[None]).float().mean().detach())
    if not losses:
        return features.sum() * 0, features.new_tensor(float("nan"))
    return torch.stack(losses).mean(), torch.stack(areas).mean()


def _logs(rows: Tensor, count: int, share: float, dice: Dice) -> Tensor:
    """Logarithms of the distance to the nearest of the other good pictures' patches: [pictures, patches].

    The first ``count`` pictures are good; those after them are copies of the first, and judged without them too.
    """
    pictures, patches, _ = rows.shape
    chosen = dice.order(count * patches)[: max(patches, int(share * count * patches))].to(rows.device)
    bank, home = rows[:count].flatten(0, 1)[chosen], chosen // patches
    own = torch.cat([torch.arange(count), torch.arange(pictures - count)]).to(rows.device)
    with torch.no_grad():
        away = torch.cdist(rows.flatten(0, 1), bank).unflatten(0, (pictures, patches))
        near = away.masked_fill((own[:, None] == home)[:, None], torch.inf).argmin(2)
    squares = (rows - bank[near]).pow(2).sum(2)
    return 0.5 * torch.log(squares + FLOOR * squares[:count].mean().detach() + 1e-9)


def _ranking(normal: Tensor, found: Tensor, worst: Tensor, good_images: Tensor) -> Tensor:
    """Defective patches above the mean and the tail of the good ones; defective images above good ones."""
    tail = normal.topk(max(1, len(normal) // 40)).values.mean()
    loss = _above(found, tail).mean() + 0.5 * _above(found, normal.mean() + 0.2).mean()
    return loss + 2 * _above(worst[:, None], good_images[None, :]).mean()


def _above(high: Tensor, low: Tensor) -> Tensor:
    return functional.softplus((low + MARGIN - high) / SOFTNESS)
