"""Counting very many scores in bounded memory: exact while they fit, then in the finest steps that fit.

Scores are float32, and the bits of a float32, read as a whole number, are in the order of the scores. Counts
are kept per distinct number. Beyond `limit` distinct numbers, the last bit is dropped from all of them, repeatedly,
until they fit. With a million distinct values, an area under a curve can hardly change by a millionth.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Keys = NDArray[np.uint32]
_SIGN = np.uint32(0x80000000)


class Counts(NamedTuple):
    """Distinct keys in rising order, with the number of scores and the sum of weights of each."""

    keys: Keys
    counts: Floats
    weights: Floats


class Tally:
    """The number of occurrences of each score.

    Parameters
    ----------
    limit
        Distinct values to keep at most; 20 bytes each.
    pending
        Number of scores to collect before sorting them in.
    """

    def __init__(self, limit: int = 2**20, pending: int = 2**22) -> None:
        self.limit = limit
        self.pending = pending
        self.shift = 0  # bits dropped from the end of every key
        self.total = 0
        self._settled = _none()
        self._keys: list[Keys] = []
        self._weights: list[Floats] = []
        self._waiting = 0

    def add(self, scores: NDArray[np.float32], weights: Floats | None = None) -> None:
        """Count some scores.

        Parameters
        ----------
        scores
            float32 [n], without NaN.
        weights
            float64 [n]; one each where left out. All calls on a tally give them, or none does.
        """
        if not scores.size:
            return
        self._keys.append(order_keys(scores) >> np.uint32(self.shift))
        if weights is not None:
            self._weights.append(weights)
        self.total += scores.size
        self._waiting += scores.size
        if self._waiting >= self.pending:
            self.settle()

    def at(self, shift: int) -> Counts:
        """Return the counts with `shift` bits dropped; at least as many as already dropped."""
        self.settle()
        return _coarser(self._settled, shift - self.shift)

    def settle(self) -> None:
        """Sort in the collected scores; only then is `shift` final."""
        if not self._keys:
            return
        weights = np.concatenate(self._weights) if self._weights else None
        fresh = _count(np.concatenate(self._keys), weights)
        self._keys, self._weights, self._waiting = [], [], 0
        self._settled = merge([self._settled, fresh])
        while self._settled.keys.size > self.limit:
            self._settled = _coarser(self._settled, 1)
            self.shift += 1


def together(tallies: list[Tally], shift: int) -> Counts:
    """Add tallies up, with `shift` bits dropped from each."""
    return merge([tally.at(shift) for tally in tallies]) if tallies else _none()


def common_shift(tallies: list[Tally]) -> int:
    """Give the least number of dropped bits at which all the tallies can be compared."""
    for tally in tallies:
        tally.settle()
    return max((tally.shift for tally in tallies), default=0)


def order_keys(scores: NDArray[np.float32]) -> Keys:
    """Turn float32 into uint32 with the same order, and -0 into 0."""
    bits = (np.asarray(scores, np.float32) + np.float32(0)).view(np.uint32)
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)


def key_scores(keys: Keys, shift: int = 0) -> Floats:
    """Turn keys back into scores: the lowest that the key stands for, float64."""
    bits = keys << np.uint32(shift)
    return np.where(bits & _SIGN, bits ^ _SIGN, ~bits).view(np.float32).astype(np.float64)


def merge(parts: list[Counts]) -> Counts:
    """Add counts of the same shift up."""
    parts = [part for part in parts if part.keys.size]
    if len(parts) < 2:
        return parts[0] if parts else _none()
    every = np.sort(np.concatenate([part.keys for part in parts]))
    keys = every[_starts(every)]  # np.unique hashes, which takes fifty times as long here
    counts, weights = np.zeros(keys.size), np.zeros(keys.size)
    for part in parts:
        places = np.searchsorted(keys, part.keys)
        counts[places] += part.counts
        weights[places] += part.weights
    return Counts(keys, counts, weights)


def _none() -> Counts:
    return Counts(np.empty(0, np.uint32), np.empty(0), np.empty(0))


def _count(keys: Keys, weights: Floats | None) -> Counts:
    if weights is None:
        keys = np.sort(keys)
        return _runs(Counts(keys, np.empty(0), np.empty(0)))
    order = np.argsort(keys)
    return _runs(Counts(keys[order], np.ones(keys.size), weights[order]))


def _runs(rising: Counts) -> Counts:
    """Sum counts and weights by key; an empty `counts` stands for one each, without weights."""
    starts = _starts(rising.keys)
    if rising.counts.size == 0:
        counts = np.diff(starts, append=rising.keys.size).astype(np.float64)
        return Counts(rising.keys[starts], counts, counts)
    counts, weights = np.add.reduceat(rising.counts, starts), np.add.reduceat(rising.weights, starts)
    return Counts(rising.keys[starts], counts, weights)


def _coarser(counts: Counts, bits: int) -> Counts:
    if bits == 0 or counts.keys.size == 0:
        return counts
    return _runs(counts._replace(keys=counts.keys >> np.uint32(bits)))


def _starts(rising: Keys) -> NDArray[np.intp]:
    """Where each run of equal keys starts."""
    return np.flatnonzero(np.concatenate([[True], rising[1:] != rising[:-1]]))
