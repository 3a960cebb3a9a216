"""Products on torch's threads against numpy's."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from patchcore.kernels.matmul import product, tensor


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_matmul_equals_numpys_matrix_product(kind):
    a, b = (np.random.default_rng(i).standard_normal((7, 7)).astype(kind) for i in range(2))
    found = product(a, b.T)
    assert found.dtype == kind
    assert_allclose(found, np.matmul(a, b.T), rtol=1e-5, atol=1e-6)


def test_read_only_arrays_are_multiplied_and_unchanged():
    a = np.ones((2, 3), np.float32)
    assert tensor(a).data_ptr() == a.ctypes.data
    a.flags.writeable = False
    assert_allclose(product(a, a.T), 3)
    assert tensor(a).data_ptr() != a.ctypes.data
