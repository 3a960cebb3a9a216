"""The second stage: the coreset of the stored features, in greedy order (paper, section 3.2)."""

from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from patchcore.bank import MemoryBank
from patchcore.coreset import coreset_size, greedy_k_centre, projection_matrix
from patchcore.fitting.divided_coreset import divided_k_centre, parts_needed
from patchcore.fitting.feature_store import FeatureStore, StoredImage
from patchcore.fitting.run import FittingRun
from patchcore.kernels.matmul import product


def choose(run: FittingRun, store: FeatureStore) -> MemoryBank:
    """Pick the coreset at the largest share, in greedy order."""
    order, total = _greedy_order(run, store), len(store)
    number, within = store.locate(order)
    kept = {i: store.images[i].positions for i in set(number.tolist())}
    positions = np.array([kept[i][j] for i, j in zip(number.tolist(), within, strict=True)], np.int32)
    return MemoryBank(store.take(order), number.astype(np.int32), positions, total)


def _greedy_order(run: FittingRun, store: FeatureStore) -> NDArray[np.int64]:
    """Order the rows by their projection; in parts where the projection exceeds the memory allowed for it."""
    settings, total = run.settings, len(store)
    matrix = projection_matrix(store.dims, settings.seed)
    count, dims = coreset_size(total, settings.coreset), store.dims if matrix is None else matrix.shape[1]
    progress = partial(run.report, "coreset")
    progress(0, count)  # projecting is the first part of it
    divided = parts_needed(total, dims, run.coreset_memory)
    if divided == 1:
        points = _projected(store, store.images, matrix, dims)
        return greedy_k_centre(points, count, settings.seed, progress, run.cancelled).indices
    ends = [len(store.images) * i // divided for i in range(divided + 1)]
    parts = [
        partial(_projected, store, store.images[start:end], matrix, dims)
        for start, end in pairwise(ends)
        if end > start
    ]
    found = divided_k_centre(parts, count, run.coreset_memory, settings.seed, progress, run.cancelled)
    return found.order.indices


def _projected(
    store: FeatureStore, images: list[StoredImage], matrix: NDArray[np.float32] | None, dims: int
) -> NDArray[np.float32]:
    out = np.empty((sum(image.count for image in images), dims), np.float32)
    start = 0
    for image in images:
        rows = store.rows(image)
        out[start : start + len(rows)] = rows if matrix is None else product(rows, matrix)
        start += len(rows)
    return out
