"""Owns the numbers of a training run."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the weights, beside the code and the machine's arithmetic."""

    seed: int = 0
    width: int = 32
    unit_depths: bool = True
    procedural: int = 900
    photographed: int = 100
    views: int = 6
    view_size: int = 144
    steps: int = 3000
    size: int = 112
    crops: int = 40
    episodes: int = 3
    episode_weight: float = 0.4
    rate: float = 1.5e-3
    warmup: int = 200
    weight_decay: float = 0.02
    falling_from: float = 0.7  # share of the steps after which rate falls, batch-norm statistics stand still
    averaging: float = 0.998  # exponential moving average of the weights, a step
    look_every: int = 250  # steps between looks at the held-out products
    half_precision: bool = True  # bfloat16 forward and backward

    def to_dict(self) -> dict[str, object]:
        """Plain values, for the log and the checkpoint."""
        return asdict(self)


SMOKE = Recipe(
    width=8, procedural=6, photographed=2, views=6, view_size=80, steps=4, size=64, crops=4, episodes=1,
    warmup=2, look_every=2, falling_from=0.5,
)  # fmt: skip
