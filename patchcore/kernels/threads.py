"""The number of threads that this process computes with."""


def use_threads(count: int) -> None:
    """Compute with this many threads from here on: at least one, and never more than before."""
    import numba
    import torch

    count = max(1, min(count, numba.get_num_threads()))
    torch.set_num_threads(count)
    numba.set_num_threads(count)
