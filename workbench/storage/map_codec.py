"""Anomaly maps as bytes for the browser: whole-number codes times a step, lossless from there on.

A score *m* becomes the code ``floor(m / step + 0.5)`` with ``step = float32(highest score / largest code)``, so the
error is at most half a step. Codes have 16 bits, or 24 where 16 would be coarser than `FINENESS` of the threshold.
Each code is sent as its difference to the left, upper and upper-left neighbours (in smooth maps mostly small),
folded to 0, -1, 1, -2, ... -> 0, 1, 2, 3, ..., split into byte planes, the highest first, and deflated.
"""

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from patchcore.errors import DataError

FINENESS = 1e-3
_LEVEL = 3
_LEAST_STEP = 1e-30  # for maps of zeros


@dataclass(frozen=True)
class MapRaster:
    """An encoded map.

    Parameters
    ----------
    data
        The deflated byte planes.
    width, height
        Size in pixels.
    bits
        Bits of a code: 16 or 24.
    step
        Score units per code, a float32 value.
    """

    data: bytes
    width: int
    height: int
    bits: int
    step: float

    @property
    def error(self) -> float:
        """The largest difference between a score and its decoded value, in score units."""
        return self.step / 2

    def header(self) -> dict[str, float | int]:
        """Return the fields that the browser needs to decode the bytes."""
        return {
            "width": self.width,
            "height": self.height,
            "bits": self.bits,
            "step": self.step,
            "bytes": len(self.data),
        }


def encode_map(anomaly_map: NDArray[np.float32], threshold: float | None = None) -> MapRaster:
    """Encode a map so finely that the error stays below a thousandth of the threshold.

    Parameters
    ----------
    anomaly_map
        Scores, float [H, W], not negative. Not-a-number becomes 0, as it counts as not inspected everywhere.
    threshold
        The threshold in force, score units; None before the first threshold.

    Raises
    ------
    DataError
        When the map has no rows and columns or holds infinite scores.
    """
    if anomaly_map.ndim != 2 or anomaly_map.size == 0:
        raise DataError(f"An anomaly map has rows and columns; this one has the shape {anomaly_map.shape}.")
    scores = np.fmax(anomaly_map, 0).astype(np.float32)
    highest = float(scores.max())
    if not np.isfinite(highest):
        raise DataError("The anomaly map holds infinite scores and cannot be shown.")
    bits = _bits_for(highest, threshold)
    step = float(np.float32(max(highest / (2**bits - 1), _LEAST_STEP)))
    codes = np.minimum(np.floor(scores / np.float64(step) + 0.5), 2**bits - 1).astype(np.int64)
    height, width = codes.shape
    return MapRaster(zlib.compress(_planes(codes, bits), _LEVEL), width, height, bits, step)


def _bits_for(highest: float, threshold: float | None) -> int:
    coarse = highest / (2**16 - 1) / 2
    return 24 if threshold is not None and threshold > 0 and coarse > FINENESS * threshold / 2 else 16


def _planes(codes: NDArray[np.int64], bits: int) -> bytes:
    change = np.diff(np.diff(codes, axis=0, prepend=0), axis=1, prepend=0)
    half = 2 ** (bits - 1)
    change = (change + half) % (2 * half) - half
    folded = np.where(change < 0, -2 * change - 1, 2 * change)
    return b"".join((folded >> shift & 255).astype(np.uint8).tobytes() for shift in range(bits - 8, -1, -8))
