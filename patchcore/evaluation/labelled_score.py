"""One labelled image with its score; its map, mask and picture are read only when asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patchcore.errors import DataError, ImageError
from patchcore.evaluation.metrics import GOOD
from patchcore.thresholds.operating_point import Verdict

UNREADABLE = (ImageError, DataError, OSError)  # errors of a loader that concern one image; the others go on


@dataclass(frozen=True)
class LabelledScore:
    """One image of a labelled set: its label, score and verdict.

    Parameters
    ----------
    name
        As the user knows it; untrusted text.
    defect_type
        Name of the defect; "good" for a good part.
    score
        The image's anomaly score.
    load_map
        Returns the anomaly map, float32 [H, W].
    load_mask
        Returns the marked defect, [H, W] bool; None without a mask.
    load_pixels
        Returns the picture, uint8 [H, W, 3].
    verdict
        Verdict by the operating point in force; None without one.
    remarks
        Remarks on the image, as its inspection has them.
    doubtful
        Whether the check of the whole picture found a reason for doubt.
    worst_box
        The patch that gave the score, (x0, y0, x1, y1) in pixels of the image; None where unknown.

    Notes
    -----
    The loaders may raise `ImageError`, `DataError` or `OSError`.
    """

    name: str
    defect_type: str
    score: float
    load_map: Callable[[], NDArray[np.float32]]
    load_mask: Callable[[], NDArray[np.bool_] | None]
    load_pixels: Callable[[], NDArray[np.uint8]]
    verdict: Verdict | None = None
    remarks: Sequence[str] = ()
    doubtful: bool = False
    worst_box: Sequence[int] | None = None

    @property
    def is_defect(self) -> bool:
        """Whether the part is defective."""
        return self.defect_type != GOOD

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return {
            "path": self.name,
            "type": self.defect_type,
            "score": self.score,
            "verdict": self.verdict,
            "remarks": list(self.remarks),
        }
