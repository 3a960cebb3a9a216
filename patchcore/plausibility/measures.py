"""Brightness, contrast, sharpness and colour of a picture, where it is inspected and as the network gets it.

The network's input is measured, not the file: pictures of every size are then measured on one scale, a few thousand
pixels cost nothing, and a fault that vanishes in the input cannot mislead the network either.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from patchcore.plausibility.bounds import Margin

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # weights of red, green and blue, ITU-R BT.601
STEP = 0.5 / 255  # half a grey level: smaller differences are rounding
DARK = 5 / 255  # the colour of a darker picture counts for less


@dataclass(frozen=True)
class Measure:
    """One measure: its words, and the scale on which good images vary evenly.

    Attributes
    ----------
    kind
        Its name in the JSON form.
    below, above
        Beginnings of the sentence on a picture below or above the good images.
    shown
        The value in words, a format of the value times `levels`.
    scale, unscaled
        From a value to the scale of the bounds, and back.
    margin
        Distance of the bounds from the good images, on that scale.
    levels
        The shown value of 1.
    """

    kind: str
    below: str
    above: str
    shown: str
    scale: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    unscaled: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    margin: Margin
    levels: int = 255

    def sentence(self, value: float, low: float, lowest: float, highest: float) -> str:
        """Say that a value is beyond its bounds, of which `low` is the lower, and the extremes of the good images."""
        number = f"{value * self.levels:.3g}"
        good = f"{lowest * self.levels:.3g} to {highest * self.levels:.3g}"
        words = self.below if value < low else self.above
        legend = " (0 is black, 255 white)" if self.levels == 255 else ""
        return f"{words} than any good image: {self.shown.format(number)}, good images {good}{legend}."


def _logit(value: NDArray[np.float64]) -> NDArray[np.float64]:
    kept = value.clip(STEP, 1 - STEP)
    return np.asarray(np.log(kept / (1 - kept)))


def _from_logit(scaled: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-scaled)))


def _log(value: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.log(value + STEP))


def _from_log(scaled: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.exp(scaled) - STEP)


COLOUR = Margin(least=0.02, few=0.3, most=0.5)
MEASURES = (
    Measure(
        "brightness",
        "Darker",
        "Brighter",
        "mean grey {}",
        _logit,
        _from_logit,
        Margin(least=0.12, few=1.5, most=1.2),
    ),
    Measure(
        "contrast",
        "Less contrast",
        "More contrast",
        "grey values spread by {}",
        _log,
        _from_log,
        Margin(least=0.12, few=1.5, most=0.8),
    ),
    Measure(
        "sharpness",
        "Less sharp",
        "More fine detail or noise",
        "fine detail of {}",
        _log,
        _from_log,
        Margin(least=0.15, few=1.5, most=0.8),
    ),
    Measure("red", "Less red", "Redder", "red is {} times green", np.log, np.exp, COLOUR, levels=1),
    Measure("blue", "Less blue", "Bluer", "blue is {} times green", np.log, np.exp, COLOUR, levels=1),
)


def measure(pixels: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Measure a picture.

    Parameters
    ----------
    pixels
        [S, S, 3] float32 in 0..1: the network's input.
    valid
        [S, S] bool: the pixels that are inspected; some are.

    Returns
    -------
    ndarray
        [5] float64. In grey values from 0 (black) to 1 (white): mean; standard deviation; root mean square of the
        discrete Laplacian, four times a pixel less its four neighbours (a measure of focus: Pertuz et al., "Analysis of
        focus measure operators for shape-from-focus", 2013), 0 where no inspected pixel has four inspected neighbours.
        Then mean red and mean blue as multiples of mean green, each `DARK` brighter than it is.
    """
    red, green, blue = (pixels[..., channel] for channel in range(3))
    # Sums of numpy's own, not matrix products: their order does not depend on the number of threads.
    grey = red * LUMA[0] + green * LUMA[1] + blue * LUMA[2]
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    inner = valid[1:-1, 1:-1] & valid[:-2, 1:-1] & valid[2:, 1:-1] & valid[1:-1, :-2] & valid[1:-1, 2:]
    detail = (4 * grey[1:-1, 1:-1] - around)[inner]
    sharpness = np.sqrt(np.mean(np.square(detail), dtype=np.float64)) if len(detail) else 0.0
    means = [channel[valid].mean(dtype=np.float64) + DARK for channel in (red, green, blue)]
    inspected = grey[valid]
    mean, spread = inspected.mean(dtype=np.float64), inspected.std(dtype=np.float64)
    return np.array([mean, spread, sharpness, means[0] / means[1], means[2] / means[1]])
