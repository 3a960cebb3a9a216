"""A backbone whose network runs in less than full precision, to measure what that gains and what it costs.

No part of the product, which always computes in full. Only the network is lowered: its maps come back in single
precision, and local aggregation and search run on these.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace

import torch
from torch import Tensor, nn

from patchcore import PatchCore
from patchcore.backbones import Backbone

PRECISIONS = ("float32", "tf32", "bf16", "fp16")
HALVES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def lowered(backbone: Backbone, precision: str) -> Backbone:
    """Give the backbone at one of the precisions; its weights are shared."""
    if precision == "float32":
        return backbone
    return replace(backbone, network=_Lowered(backbone.network, precision))


class Upon(PatchCore):
    """A detector with default settings upon a given backbone."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__(backbone.spec.name)
        self.given = backbone

    @property
    def backbone_(self) -> Backbone:
        """The backbone that was given."""
        return self.given


class _Lowered(nn.Module):
    def __init__(self, network: nn.Module, precision: str) -> None:
        super().__init__()
        self.network, self.precision = network, precision

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        with _within(self.precision, x.device):
            maps = self.network(x)
        return {name: found.float() for name, found in maps.items()}


def _within(precision: str, device: torch.device) -> AbstractContextManager[object]:
    if precision in HALVES:
        return torch.autocast(device.type, HALVES[precision])
    return _tf32() if device.type == "cuda" else nullcontext()


@contextmanager
def _tf32() -> Iterator[None]:
    owners = torch.backends.cuda.matmul, torch.backends.cudnn.conv
    before = [owner.fp32_precision for owner in owners]
    for owner in owners:
        owner.fp32_precision = "tf32"
    try:
        yield
    finally:
        for owner, value in zip(owners, before, strict=True):
            owner.fp32_precision = value
