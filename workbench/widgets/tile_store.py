"""Small copies of images and their maps, kept in memory so that moving the threshold only paints."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from patchcore.rendering import HeatScale, Mode, overlay
from workbench.database import Result
from workbench.inspecting import load_map, load_pixels
from workbench.widgets.pictures import encode_jpeg
from workbench.widgets.theme import data_uri
from workbench.workspace import Workspace

TILE_SIDE = 224  # pixels; a tile is about 170 on the screen
TILES_KEPT, PAINTINGS_KEPT, WHOLE_KEPT = 1500, 3000, 2
Value = TypeVar("Value")


@dataclass(frozen=True)
class Painting:
    """How maps are laid over images."""

    mode: Mode = "heat"
    opacity: float = 0.6


@dataclass(frozen=True)
class Layers:
    """An image and its map in the same pixels: uint8 [H, W, 3] and [H, W] in units of the score."""

    pixels: NDArray[np.uint8]
    scores: NDArray[np.float16] | NDArray[np.float32]


class RecentlyUsed:
    """A mapping that forgets what was not asked for the longest; safe between sessions."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[Hashable, object] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return what is kept under the key, made first when it is not there."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]  # type: ignore[return-value]  # one kind of value for one kind of key
        value = make()
        with self._lock:
            self._kept[key] = value
            while len(self._kept) > self._limit:
                self._kept.popitem(last=False)
        return value


class TileStore:
    """Tiles, their paintings, and the last whole images that were looked at."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._tiles = RecentlyUsed(TILES_KEPT)
        self._paintings = RecentlyUsed(PAINTINGS_KEPT)
        self._whole = RecentlyUsed(WHOLE_KEPT)

    def tile(self, result: Result) -> Layers:
        """Return a scored image at the size of a tile, its map in half precision (3 digits, for painting)."""

        def load() -> Layers:
            pixels = load_pixels(self.workspace, result.image.sha256, TILE_SIDE)
            return Layers(pixels, load_map(self.workspace, result, TILE_SIDE).astype(np.float16))

        return self._tiles.get(result.id, load)

    def whole(self, result: Result) -> Layers:
        """Return a scored image in its own pixels."""

        def load() -> Layers:
            return Layers(load_pixels(self.workspace, result.image.sha256), load_map(self.workspace, result))

        return self._whole.get(result.id, load)

    def painting(self, result: Result, threshold: float, painting: Painting) -> str:
        """Return a tile with its map laid over it, as an address that carries the picture."""

        def paint() -> str:
            tile = self.tile(result)
            scores = tile.scores.astype(np.float32)
            scale = HeatScale.anchored(threshold)
            picture = overlay(tile.pixels, scores, scale, mode=painting.mode, opacity=painting.opacity)
            return data_uri(encode_jpeg(picture))

        heated = painting.mode in ("heat", "both")
        key = (result.id, threshold, painting.mode, painting.opacity if heated else None)
        return self._paintings.get(key, paint)
