"""The distance of two patches, defined only here, and a lower bound of it, which a matrix product gives nearly free.

Searching compares every patch with every row by |x|² + |y|² - 2 x·y, one matrix product. Cancellation in this sum can
reorder near ties, and gives a patch of the bank a distance other than 0 from itself. The bound is the sum minus the
largest possible rounding error. A row whose bound lies above the nearest distance so far cannot be nearer and is
skipped; every other row is measured directly. The search is therefore exact for any order of sums in the product.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
from numba import njit
from numba.core.caching import FunctionCache
from numpy.typing import NDArray

from patchcore.kernels.simd import eight_sums

ROUNDING = 2.0**-24  # relative rounding error of a float32 operation
SMALLEST = 2.0**-126  # below it a float32 loses digits
LARGEST = 1e37  # square norms above it could overflow on the way: then no row is skipped


class _OptionalCache(FunctionCache):
    """Machine code on disk for the next start; a fault of the disk costs a compilation, never a result."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return stored machine code; None where it is missing, unreadable or damaged."""
        try:
            return super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        except Exception:  # pickle raises errors of every kind on a file that was cut short
            with suppress(Exception):
                self.flush()  # type: ignore[no-untyped-call]  # so that the code is stored once more
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Store machine code where the disk allows it."""
        try:
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]
        except Exception:  # a full disk, or a folder that is gone
            self.disable()  # type: ignore[no-untyped-call]


def _machine_code(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    code: Any = njit(nogil=True, error_model="numpy", **options)(function)
    # As numba's own `enable_caching` does; numba raises where it finds no folder to write to.
    with suppress(RuntimeError):
        code._cache = _OptionalCache(function)  # type: ignore[no-untyped-call]
    result: Callable[..., Any] = code
    return result


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile to machine code, stored on disk for the next start where the disk can be written to."""
    return _machine_code(function)  # no fast maths: the order of the sum is part of the contract


@compiled
def square_distance(a, b):  # type: ignore[no-untyped-def]
    """Square of the Euclidean distance of two float32 vectors, contiguous, summed in float64 in a fixed order.

    Eight sums take every eighth coordinate each; the first also takes the remaining ones. They are added up in pairs.
    """
    s = eight_sums(a, b)
    first = s[0]
    for j in range(a.shape[0] - a.shape[0] % 8, a.shape[0]):
        d = np.float64(a[j]) - np.float64(b[j])
        first += d * d
    return ((first + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))


def in_any_order(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a bound: sums may run in parallel lanes; infinities occur on purpose, NaN does not occur."""
    fast = {"reassoc", "contract", "nsz", "nnan"}
    return _machine_code(function, fastmath=fast)


def bounds(vectors: NDArray[np.float32], spare: int = 0) -> NDArray[np.float32]:
    """Lower |v|² by the largest rounding error of a bound made of it.

    However the d products of x·y are summed, the result is off by at most d u |x| |y| to first order, u = 2^-24
    (Higham, "Accuracy and Stability of Numerical Algorithms", 2002, §3.1); and 2 |x| |y| <= |x|² + |y|². So
    (1 - c)(|x|² + |y|²) - 2 x·y is never above the true square for c = d u, and a few u more cover the roundings
    outside the sum.

    Parameters
    ----------
    vectors
        [N, dims] float32.
    spare
        Number of further roundings to allow for, where the vectors themselves are rounded.

    Returns
    -------
    ndarray
        [N] float32: ``bounds(x) + bounds(y) - 2 x @ y`` is at most ``square_distance(x, y)``, in any rounding.
    """
    dims = vectors.shape[1]
    norms = _square_norms(vectors)
    lowered = norms * (1 - ROUNDING * (1.01 * dims + 32 + spare)) - SMALLEST * (2 * dims + 64)
    return np.where(norms < LARGEST, lowered, -np.inf).astype(np.float32)


@compiled
def _square_norms(vectors):  # type: ignore[no-untyped-def]
    norms = np.empty(vectors.shape[0], np.float64)
    for i in range(vectors.shape[0]):
        total = 0.0
        for j in range(vectors.shape[1]):
            total += np.float64(vectors[i, j]) * np.float64(vectors[i, j])
        norms[i] = total
    return norms


@compiled
def any_within(products, row_bounds, limit):  # type: ignore[no-untyped-def]
    """Tell whether any row may be nearer than a limit; without a branch, so that it runs in parallel lanes.

    `limit` is the square to beat, less the bound of the query. A comparison with NaN counts as true.
    """
    two, found = np.float32(2), np.int32(0)
    for j in range(products.shape[0]):
        found |= np.int32(not (row_bounds[j] - two * products[j] > limit))
    return found != 0
