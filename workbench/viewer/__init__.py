"""The viewer: images and anomaly maps painted in the browser. README.md beside this file shows how to call it."""

from workbench.storage.pictures import encode_tile
from workbench.storage.shapes import Shape
from workbench.viewer.component import kept_files
from workbench.viewer.detail import Why, detail, why_pair
from workbench.viewer.gallery import gallery, threshold_strip
from workbench.viewer.items import Dot, RegionRule, Thresholds, Tile
from workbench.viewer.outcome import outcome
from workbench.viewer.roi import Drawing, RoiImage, roi_editor

__all__ = [
    "Dot",
    "Drawing",
    "RegionRule",
    "RoiImage",
    "Shape",
    "Thresholds",
    "Tile",
    "Why",
    "detail",
    "encode_tile",
    "gallery",
    "kept_files",
    "outcome",
    "roi_editor",
    "threshold_strip",
    "why_pair",
]
