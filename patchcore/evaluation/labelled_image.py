"""The interface of a labelled image, on disk or in the workspace."""

from collections.abc import Sequence
from typing import Protocol

from patchcore.fitting.sources import Source
from patchcore.labels.masks import Marks


class Labelled(Protocol):
    """An image with its label and mask; `mvtec_layout.LabelledImage` is one."""

    @property
    def name(self) -> str:
        """As the user knows it."""

    @property
    def source(self) -> Source:
        """The image's file, bytes or array."""

    @property
    def defect_type(self) -> str | None:
        """Name of the defect, "good" for a good part, None without a label."""

    @property
    def is_defect(self) -> bool:
        """Whether the part is defective."""

    def mask(self, shape: tuple[int, int]) -> Marks | None:
        """Return where the defect is in an image of a size (H, W); None where nobody marked it."""


def built_from(twins: Sequence[tuple[str, str]]) -> str:
    """Return a sentence on images with the pixels of good images of the build: (name, name of the good one)."""
    one = len(twins) == 1
    (name, good) = twins[0]
    which = f"1 image shows the same pixels as a good image ({name}, as {good})" if one else ""
    many = f"{len(twins):,} images show the same pixels as good images (first: {name}, as {good})"
    return (
        f"{which or many} that the inspector was built from; {'it was' if one else 'each was'} scored as if it had not "
        "been. Images of other parts prove more."
    )
