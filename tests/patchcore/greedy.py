"""The greedy order of features as a build makes it: on a random projection of them (paper section 3.2)."""

from patchcore.coreset import greedy_k_centre, projection_matrix
from patchcore.kernels.matmul import product


def greedy_order(features, count, seed=0):
    matrix = projection_matrix(features.shape[1], seed)
    return greedy_k_centre(features if matrix is None else product(features, matrix), count, seed).indices
