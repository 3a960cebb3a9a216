"""PaDiM's part of an inspector's file: drawn dimensions, and a Gaussian at each position of the map."""

import numpy as np

from patchcore.errors import SettingsError
from patchcore.files.method_rules import (
    LONGEST_FEATURE,
    SCORED,
    SCORED_BY_SESSIONS,
    FileRules,
    Header,
    Tensors,
    hold,
    scored_rules,
)
from patchcore.kernels.gaussians import FEWEST
from patchcore.settings import Settings
from patchcore.thresholds.operating_point import LARGEST_SCORE

LARGEST_INVERSES = 10**9  # bytes that the inverse covariances may take


def inverse_bytes(positions: int, dims: int) -> int:
    """Return the bytes of the inverse covariances at all positions of the map."""
    return positions * dims**2 * 8


def require_inverses(positions: int, dims: int) -> None:
    """Refuse inverse covariances of more than `LARGEST_INVERSES`.

    Raises
    ------
    SettingsError
        The covariances would take more; the sentence has the number.
    """
    if (taken := inverse_bytes(positions, dims)) > LARGEST_INVERSES:
        fitting = int((LARGEST_INVERSES / inverse_bytes(positions, 1)) ** 0.5)
        raise SettingsError(
            f"PaDiM's inverse covariances would take {taken / 1e9:,.1f} GB ({dims:,} dimensions at {positions:,} "
            f"positions); {LARGEST_INVERSES / 1e9:.0f} GB is the most. Use at most {fitting:,} dimensions, or a "
            "smaller image size."
        )


def _rules(tensors: Tensors, header: Header) -> dict[str, bool]:
    """Rules for the arrays, checked at every load."""
    dims, counts = tensors["padim.dims"], tensors["padim.counts"]
    means, covariances = tensors["padim.means"], tensors["padim.covariances"]
    cells, images = header["grid"][0] * header["grid"][1], len(header["images"])
    most = Settings.from_dict(header["settings"]).dims_used or LONGEST_FEATURE
    count = len(dims)
    shapes = {
        "every position has a count, a mean and a covariance": dims.ndim == counts.ndim == 1
        and counts.shape == (cells,)
        and means.shape == (cells, count)
        and covariances.shape == (cells, count * (count + 1) // 2),
        "the numbers are of the kinds that PaDiM writes": dims.dtype == counts.dtype == np.int32
        and means.dtype == covariances.dtype == np.float64,
        "the dimensions are drawn from a feature, each once": 0 < count <= most
        and bool((np.diff(dims) > 0).all())
        and dims[0] >= 0
        and dims[-1] < LONGEST_FEATURE,
        "the inverse covariances fit into memory": inverse_bytes(cells, count) <= LARGEST_INVERSES,
    }
    hold(shapes)  # the further rules rely on them
    largest = LARGEST_SCORE**2
    diagonal = np.cumsum(np.arange(1, count + 1)) - 1
    return {
        "no position was inspected in more images than there are": bool(
            ((counts >= 0) & (counts <= images)).all()
        ),
        "some position was inspected in two images": bool(counts.max() >= FEWEST),
        "means and covariances are numbers": bool(
            np.isfinite(means).all() and np.isfinite(covariances).all()
        ),
        "means and covariances are no larger than scores can be": bool(
            (np.abs(means) <= LARGEST_SCORE).all() and (np.abs(covariances) <= largest).all()
        ),
        "no variance is negative": bool((covariances[:, diagonal] >= 0).all()),
        **scored_rules(tensors, images),
        "a good score is infinite only with two images": bool(
            counts.max() <= FEWEST or np.isfinite(tensors["good_scores.values"]).all()
        ),
    }


GAUSSIAN_RULES = FileRules(
    {
        "padim.dims": ("I32", 4, 1),
        "padim.counts": ("I32", 4, 1),
        "padim.means": ("F64", 8, 2),
        "padim.covariances": ("F64", 8, 2),
        **SCORED,
    },
    rules=_rules,
    optional=SCORED_BY_SESSIONS,
)
