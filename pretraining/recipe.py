"""Owns the numbers of a training run: what every stage's recipe says, and the network's."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TypeVar


@dataclass(frozen=True)
class StageRecipe:
    """What every stage says of its products and its steps."""

    seed: int
    procedural: int  # products
    photographed: int  # products that are places of free photographs
    views: int
    view_size: int
    steps: int
    warmup: int
    falling_from: float  # share of the steps after which the rate falls
    averaging: float  # exponential moving average of the weights, a step
    look_every: int  # steps between looks at the held-out products


@dataclass(frozen=True)
class InspectionRecipe(StageRecipe):
    """What a stage says that learns from whole inspections, every one drawn anew."""

    at_once: int  # inspections in a step
    good: int  # pictures of each inspection
    defective: int
    size: int = 144
    cracks: float = 0.12  # share of the defects
    pull: float = 0.01  # decay of the map towards the one that changes nothing
    pieces: tuple[int, int, int] = (16, 42, 224)  # held out: to build on, good as well as defective, px


Inspecting = TypeVar("Inspecting", bound=InspectionRecipe)


def smoke(recipe: Inspecting) -> Inspecting:
    """Make a few tiny steps of a recipe, to see that all of it runs."""
    return replace(
        recipe, procedural=6, photographed=2, views=6, view_size=80, size=64, good=3, defective=2, steps=4,
        at_once=2, warmup=2, look_every=2, pieces=(2, 2, 64),
    )  # fmt: skip


@dataclass(frozen=True)
class Recipe(StageRecipe):
    """Everything that decides the network's weights, beside the code and the machine's arithmetic."""

    seed: int = 0
    start: str = ""  # SHA-256 of the weights it goes on from; from nothing if empty
    width: int = 32
    procedural: int = 2000
    photographed: int = 150
    views: int = 7
    view_size: int = 176
    steps: int = 7200
    size: int = 96
    crops: int = 48
    inspections: int = 2
    good: int = 5  # pictures of each inspection
    defective: int = 3
    bank_share: float = 0.4
    deep_gain: float = 1.0  # factor on layer3 in the patch features
    naming_weight: float = 2.5
    fault_weight: float = 0.3
    rate: float = 1.5e-3
    warmup: int = 200
    weight_decay: float = 0.02
    falling_from: float = 0.7
    still_from: float = 0.7  # share of the steps after which batch-norm statistics stand still
    averaging: float = 0.998
    look_every: int = 500
    half_precision: bool = (
        True  # bfloat16 forward and backward on a GPU; on a processor it is the slower of the two
    )

    def to_dict(self) -> dict[str, object]:
        """Plain values, for the log and the checkpoint."""
        return asdict(self)


SMOKE = Recipe(
    width=8, procedural=6, photographed=2, views=6, view_size=80, steps=4, size=64, crops=4, inspections=1,
    good=3, defective=2, warmup=2, look_every=2, falling_from=0.5, still_from=0.5,
)  # fmt: skip
