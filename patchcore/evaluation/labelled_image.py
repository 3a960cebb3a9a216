"""The interface of a labelled image, on disk or in the workspace."""

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
