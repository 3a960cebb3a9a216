"""The basis of figures from labels: a labelled set, a random sample, or labels that the scores chose.

Labels of images near the threshold were chosen by their scores. They are no sample of the parts, so a rate of them and
its interval say nothing of the line.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from patchcore.statistics.stratified import SampledRate, Stratum, sampled_rate
from patchcore.thresholds.operating_point import Verdict

Kind = Literal["set", "sample", "chosen"]
CHOSEN = "These labels are no sample: scores chose the images, so no share and no interval follow from them."


@dataclass(frozen=True)
class Cell:
    """Images of one stratum of a random sample that have one verdict at the thresholds in view.

    A label keeps the stratum that its image was drawn from, also where the verdict has changed since.

    Parameters
    ----------
    verdict
        At the thresholds in view.
    size, sampled
        All its images, and those of the sample.
    defects
        Sampled images that are defects.
    """

    verdict: Verdict
    size: int
    sampled: int
    defects: int


@dataclass(frozen=True)
class LabelBasis:
    """How the labels came about that figures rest on.

    Parameters
    ----------
    kind
        "set": each image of a labelled set has its label; "sample": images drawn at random; "chosen": images labelled
        one by one, which the scores brought to a person's eyes.
    sentence
        The same in words.
    cells
        For the kind "sample": all images that it was drawn from.
    """

    kind: Kind = "set"
    sentence: str = ""
    cells: tuple[Cell, ...] = ()

    @property
    def missing(self) -> str:
        """Why there is no rate; empty where there is one."""
        return CHOSEN if self.kind == "chosen" else ""

    def escapes(self) -> SampledRate | None:
        """Estimate the share of accepted images among the defects; None unless a random sample gives it."""
        return self._rate("accept", (one.defects for one in self.cells))

    def false_rejects(self) -> SampledRate | None:
        """Estimate the share of rejected images among the good ones; None unless a random sample gives it."""
        return self._rate("reject", (one.sampled - one.defects for one in self.cells))

    def _rate(self, counted: Verdict, events: Iterable[int]) -> SampledRate | None:
        if self.kind != "sample":
            return None
        pairs = zip(self.cells, events, strict=True)
        return sampled_rate(Stratum(one.size, one.sampled, n, one.verdict == counted) for one, n in pairs)


A_SET = LabelBasis()
