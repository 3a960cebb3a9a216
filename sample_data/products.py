"""Owns the two products: their numbers of photographs, their defects, and one photograph from its seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sample_data import fabric_defects, loom_light, steel_washer, studio, washer_defects, woven_fabric
from sample_data.fields import Field
from sample_data.optics import SUPERSAMPLING, Camera, photograph, to_bytes

SIDE = 448  # px of a photograph
CHANGED = 0.030  # display difference from which a pixel counts as changed


@dataclass(frozen=True)
class Product:
    """One product of the sample data."""

    name: str
    number: int  # first part of every seed
    defects: tuple[str, ...]
    quality: int  # quality of the JPEG files
    train_good: int = 45
    test_good: int = 18
    per_defect: int = 4


PRODUCTS = {
    "washer": Product("washer", 11, tuple(washer_defects.DEFECTS), 91),
    "fabric": Product("fabric", 12, tuple(fabric_defects.DEFECTS), 87),
}


@dataclass(frozen=True)
class Shot:
    """One photograph of the plan: its content and its place."""

    product: Product
    split: str  # train or test
    label: str  # good or a defect type
    index: int

    @property
    def path(self) -> str:
        """Place of the photograph, relative to the folder of all products."""
        return f"{self.product.name}/{self.split}/{self.label}/{self.index:03d}.jpg"

    @property
    def mask_path(self) -> str:
        """Place of its mask; only for defects."""
        return f"{self.product.name}/ground_truth/{self.label}/{self.index:03d}_mask.png"

    @property
    def severity(self) -> float:
        """From 0, subtle, to 1, blatant, evenly over the photographs of a defect type."""
        return self.index / max(self.product.per_defect - 1, 1)


def plan(product: Product) -> list[Shot]:
    """All photographs of a product."""
    good = [("train", "good", product.train_good), ("test", "good", product.test_good)]
    bad = [("test", defect, product.per_defect) for defect in product.defects]
    return [
        Shot(product, split, label, index) for split, label, count in good + bad for index in range(count)
    ]


def take(shot: Shot) -> tuple[NDArray[np.uint8], NDArray[np.bool_] | None]:
    """Render one photograph and, for a defect, its mask.

    Parameters
    ----------
    shot : Shot
        The photograph of the plan; the same shot always gives the same photograph.

    Returns
    -------
    uint8 [SIDE, SIDE, 3], bool [SIDE, SIDE] or None
        The mask holds the pixels that the defect changed: the scene is rendered twice, with and without it.
    """
    group = ["train", "test"].index(shot.split), ["good", *shot.product.defects].index(shot.label)
    seed = [shot.product.number, *group, shot.index]
    scene = _washer_scene if shot.product.name == "washer" else _fabric_scene
    if shot.label == "good":
        light, camera = scene(seed, None, 0.0)
        return to_bytes(photograph(light, camera)), None
    with_defect, camera = scene(seed, shot.label, shot.severity)
    without, _ = scene(seed, None, 0.0)
    mask = changed(photograph(with_defect, camera, noise=False), photograph(without, camera, noise=False))
    return to_bytes(photograph(with_defect, camera)), mask


def changed(one: Field, other: Field) -> NDArray[np.bool_]:
    """Pixels that differ visibly, gaps closed and specks dropped."""
    difference = np.abs(one - other).max(axis=-1)
    mask = ndimage.gaussian_filter(difference, 0.8) > CHANGED
    reach = max(one.shape[0] // 150, 1)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    padded = np.pad(mask, reach)
    closed = ndimage.binary_closing(padded, np.hypot(x, y) <= reach)[reach:-reach, reach:-reach]
    filled = ndimage.binary_fill_holes(closed)
    parts, count = ndimage.label(filled)
    sizes = ndimage.sum_labels(filled, parts, np.arange(count + 1))
    smallest = max(0.06 * sizes.max(initial=0), 6)
    return np.asarray(sizes >= smallest)[parts] & filled


def _washer_scene(seed: list[int], defect: str | None, severity: float) -> tuple[Field, Camera]:
    rng = np.random.default_rng(seed)
    light, camera = studio.Light.drawn(rng), Camera.drawn(rng)
    part = steel_washer.washer(rng, SIDE * SUPERSAMPLING)
    if defect is not None:
        washer_defects.DEFECTS[defect](np.random.default_rng([*seed, 1]), part, severity)
    return studio.scene(rng, part, light), camera


def _fabric_scene(seed: list[int], defect: str | None, severity: float) -> tuple[Field, Camera]:
    rng = np.random.default_rng(seed)
    lamp, camera = loom_light.Lamp.drawn(rng), Camera.drawn(rng)
    piece = woven_fabric.cloth(rng, SIDE * SUPERSAMPLING)
    if defect is not None:
        fabric_defects.DEFECTS[defect](np.random.default_rng([*seed, 1]), piece, severity)
    return loom_light.scene(rng, piece, lamp), camera
