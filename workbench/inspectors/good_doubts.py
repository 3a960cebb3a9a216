"""Good images of a version that the check learned from the others would send to review."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from patchcore.plausibility.doubt import Doubt
from workbench.storage.tables import InspectorVersion

if TYPE_CHECKING:
    from patchcore.detector import Detector

FIELD = "good_doubts"  # of `InspectorVersion.numbers`


def measured_doubts(model: Detector) -> dict[str, Any]:
    """Return the doubts on a model's good images, for `InspectorVersion.numbers`."""
    from patchcore.fitting.whole_picture import doubts_on_good_images  # late: PyTorch comes with it

    found = doubts_on_good_images(model.picture_check_, model.image_records_, model.settings)
    return {
        FIELD: [
            {"sha256": record.sha256, "doubts": [doubt.to_dict() for doubt in doubts]}
            for record, doubts in found
        ]
    }


def good_doubts(version: InspectorVersion) -> dict[str, tuple[str, ...]]:
    """Return the doubts on a version's good images in words, by SHA-256; empty for versions of before the check."""
    return {
        one["sha256"]: tuple(Doubt.from_dict(plain).sentence for plain in one["doubts"])
        for one in version.numbers.get(FIELD, [])
    }
