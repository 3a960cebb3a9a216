"""The viewer: images and anomaly maps painted in the browser. README.md beside this file shows how to call it."""

from workbench.viewer.detail import DetailEvents, Why, detail, why_pair
from workbench.viewer.gallery import GalleryEvents, StripEvents, gallery, threshold_strip
from workbench.viewer.items import Dot, Thresholds, Tile
from workbench.viewer.pictures import encode_tile

__all__ = [
    "DetailEvents",
    "Dot",
    "GalleryEvents",
    "StripEvents",
    "Thresholds",
    "Tile",
    "Why",
    "detail",
    "encode_tile",
    "gallery",
    "threshold_strip",
    "why_pair",
]
