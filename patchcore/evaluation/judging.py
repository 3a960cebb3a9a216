"""Verdicts for a labelled set, image by image; an image that cannot be judged leaves a sentence and stops no other."""

from dataclasses import dataclass, field, replace

from patchcore.evaluation.labelled_score import UNREADABLE, LabelledScore
from patchcore.images.file_names import display_name
from patchcore.inspection import regions_at, verdict_on
from patchcore.thresholds.operating_point import OperatingPoint, Verdict


@dataclass
class Judge:
    """Applies one operating point.

    Parameters
    ----------
    point
        The thresholds; None or stale ones give no verdicts.
    unjudged
        A sentence for each image without a verdict; filled while judging.
    """

    point: OperatingPoint | None
    unjudged: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Note at once that stale thresholds judge no image."""
        if self.point is not None and self.point.stale:
            self.unjudged.append(f"Nothing is judged: the threshold is out of date. {self.point.stale}")
            self.point = None

    def judged(self, item: LabelledScore) -> LabelledScore:
        """Return the item with its verdict; its map is read only where images are judged by area."""
        verdict: Verdict | None = None
        try:
            if self.point is not None:
                by_score = self.point.judge_by == "score"
                regions = [] if by_score else regions_at(item.load_map(), self.point)
                verdict = verdict_on(item.score, regions, self.point, doubtful=item.doubtful)
        except UNREADABLE as error:
            self.unjudged.append(
                f"{display_name(item.name)}: not judged, its map is missing or damaged: {error}"
            )
        return replace(item, verdict=verdict)
