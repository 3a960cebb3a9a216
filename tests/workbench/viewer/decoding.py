"""A map as the browser decodes it; the browser's own code is held to it."""

import zlib

import numpy as np


def decode_map(raster):
    """Return the scores that the browser sees, float32 [H, W]."""
    size = raster.width * raster.height
    planes = np.frombuffer(zlib.decompress(raster.data), np.uint8).reshape(raster.bits // 8, size)
    folded = np.zeros(size, np.int64)
    for plane in planes:
        folded = folded << 8 | plane
    change = np.where(folded & 1, -((folded + 1) >> 1), folded >> 1).reshape(raster.height, raster.width)
    codes = change.cumsum(1).cumsum(0) & (2**raster.bits - 1)
    return codes.astype(np.float32) * np.float32(raster.step)
