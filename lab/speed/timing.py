"""Measuring: works in turn, as medians with their spread; and the peaks of this machine."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

Work = Callable[[], float]
"""Does the work once and returns the seconds it took."""


@dataclass(frozen=True)
class Taken:
    """Seconds of a work: median, least, most."""

    median: float
    least: float
    most: float

    def __str__(self) -> str:
        """Return the times with a sensible unit."""
        if self.least == self.most:
            return seconds(self.median)
        return f"{seconds(self.median)} ({seconds(self.least)} to {seconds(self.most)})"


def seconds(value: float) -> str:
    """Write a time in s or ms."""
    return f"{value:.1f} s" if value >= 10 else f"{value:.2f} s" if value >= 1 else f"{1000 * value:.1f} ms"


def timed(work: Callable[[], object]) -> Work:
    """Turn a call into one that returns its seconds."""

    def run() -> float:
        began = time.perf_counter()
        work()
        return time.perf_counter() - began

    return run


def timed_on(device: str | torch.device, work: Callable[[], object]) -> Work:
    """Turn a call whose work a GPU may do into one that returns its seconds, the GPU's last step included."""
    if torch.device(device).type == "cpu":
        return timed(work)

    def finished() -> None:
        work()
        torch.cuda.synchronize()

    return timed(finished)


def in_turn(
    works: dict[str, Work], rounds: int, warm_up: bool = True, allowed: float = math.inf
) -> dict[str, Taken]:
    """Do each work once to warm up, then all in turn, repeatedly; no new round after the allowed seconds."""
    if warm_up:
        for work in works.values():
            work()
    found: dict[str, list[float]] = {name: [] for name in works}
    began = time.perf_counter()
    for _ in range(rounds):
        for name, work in works.items():
            found[name].append(work())
        if time.perf_counter() - began > allowed:
            break
    return {name: Taken(statistics.median(all_), min(all_), max(all_)) for name, all_ in found.items()}


@dataclass(frozen=True)
class Peaks:
    """The measured peaks of this machine: operations a second in single precision, bytes read a second."""

    flops: float
    bytes: float


def peaks() -> Peaks:
    """Measure by a large matrix product and by summing a large array, on all threads in use."""
    square, long = torch.randn(4096, 4096), torch.ones(2**26)
    product = in_turn({"": timed(lambda: square @ square)}, 5)[""].least
    read = in_turn({"": timed(long.sum)}, 10)[""].least
    return Peaks(2 * 4096**3 / product, 4 * 2**26 / read)
