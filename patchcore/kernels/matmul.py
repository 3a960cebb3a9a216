"""Matrix products of numpy arrays on torch's threads.

numpy has its own threads, which after each product spin for a tenth of a second in case another one follows. A network
that torch runs meanwhile has to share the cores with them, and takes up to twice as long.
"""

from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

Float = TypeVar("Float", np.float32, np.float64)


def product(a: NDArray[Float], b: NDArray[Float]) -> NDArray[Float]:
    """Multiply [n, m] by [m, k], both float32 or both float64."""
    found: NDArray[Float] = torch.mm(tensor(a), tensor(b)).numpy()
    return found


def tensor(array: NDArray[Float]) -> torch.Tensor:
    """Return an array as a tensor, without a copy unless the array is read-only."""
    return torch.from_numpy(array if array.flags.writeable else array.copy())
