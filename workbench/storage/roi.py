"""The region of interest: the user's drawing, its mask, and the last drawing on each image."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patchcore.disk.in_use import delete_file
from patchcore.errors import SettingsError
from workbench.people.roles import Role, require
from workbench.storage.shapes import Shape, mask_of
from workbench.storage.workspace import Workspace

MASK_SIDE = 2048  # pixels; a larger image gets a mask of this longest side


@dataclass(frozen=True)
class Roi:
    """Shapes drawn on a good image; only pixels inside are learned and scored.

    Parameters
    ----------
    shapes
        In drawing order, in pixels of that image.
    height, width
        The image's size; over images of another size the region is stretched.

    Raises
    ------
    SettingsError
        When there are no shapes, or the image has no pixels.
    """

    shapes: tuple[Shape, ...]
    height: int
    width: int

    def __post_init__(self) -> None:
        """Refuse an empty or impossible region."""
        if not self.shapes:
            raise SettingsError("The region of interest is empty. Draw it, or inspect the whole image.")
        if self.height < 1 or self.width < 1 or any(shape.kind == "mask" for shape in self.shapes):
            raise SettingsError("The region of interest was not drawn on an image. Draw it again.")

    def mask(self) -> NDArray[np.bool_]:
        """Return bool [rows, columns], the drawn image's own pixels up to `MASK_SIDE`."""
        factor = min(1.0, MASK_SIDE / max(self.height, self.width))
        size = max(1, round(self.height * factor)), max(1, round(self.width * factor))
        return mask_of([_scaled(shape, factor) for shape in self.shapes], *size)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON that the database holds."""
        shapes = [shape.to_dict() for shape in self.shapes]
        return {"shapes": shapes, "height": self.height, "width": self.width}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Roi:
        """Return the region described by `to_dict`."""
        return cls(tuple(map(Shape.from_dict, data["shapes"])), int(data["height"]), int(data["width"]))


def keep_region(workspace: Workspace, sha256: str, roi: Roi | None) -> None:
    """Remember the last drawing on an image; None forgets it."""
    require(Role.ENGINEER, "draw regions of interest")
    target = workspace.region_path(sha256)
    if roi is None:
        delete_file(target)
        return
    with workspace.new_file(target) as path:
        path.write_text(json.dumps(roi.to_dict()), encoding="utf-8")


def kept_region(workspace: Workspace, sha256: str) -> Roi | None:
    """Return the last drawing on an image; None without one."""
    path = workspace.region_path(sha256)
    return Roi.from_dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


def _scaled(shape: Shape, factor: float) -> Shape:
    points = tuple((x * factor, y * factor) for x, y in shape.points)
    return Shape(shape.kind, points, shape.cut, shape.radius * factor)
