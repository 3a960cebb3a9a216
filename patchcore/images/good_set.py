"""What a user should know of a set of good images, and of another image beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from patchcore.images.copy_groups import CopyGroups, near_copy_remarks
from patchcore.images.geometry import Geometry
from patchcore.images.good_forms import GoodForms, notes_apart, set_remarks
from patchcore.images.reading import ImageRecord
from patchcore.images.remarks import grouped
from patchcore.images.visible_detail import VisibleDetail

LEARNED = "The inspector has learned from this very file, so that its score says nothing."


@dataclass(frozen=True)
class GoodSet:
    """The good images of an inspector, with the eyes that look at them.

    Attributes
    ----------
    records
        The good images.
    geometry
        The fitting of an image into the network's input.
    step
        Pixels of the input from one patch to the next.
    value_range
        As `Settings.value_range`.
    """

    records: Sequence[ImageRecord]
    geometry: Geometry
    step: float
    value_range: tuple[float, float] | None

    def remarks(self, groups: CopyGroups) -> list[str]:
        """Return sentences on the good images: near copies, oddities of the set, reading, visible detail."""
        notes = grouped((record.name, notes_apart(record)) for record in self.records)
        detail = grouped((record.name, self._detail_remark(record)) for record in self.records)
        copies = near_copy_remarks(self.records, groups)
        return [*copies, *set_remarks(self.records, self.value_range), *notes, *detail]

    def remarks_on(self, record: ImageRecord, *, leave_out: bool = False) -> list[str]:
        """Return sentences on an image: how it was read, how it differs from the good ones, what is too small to see.

        Parameters
        ----------
        leave_out
            Whether the image is scored without what was learned from it.
        """
        own = [LEARNED] if record.sha256 in self._forms.hashes and not leave_out else []
        return [*own, *record.notes, *self._forms.remarks_on(record), *self._detail_remark(record)]

    def visible_detail(self, record: ImageRecord) -> VisibleDetail:
        """Return the part of an image that one patch covers."""
        return VisibleDetail.of((record.width, record.height), self.geometry, self.step)

    @cached_property
    def _forms(self) -> GoodForms:
        return GoodForms.of(self.records)

    def _detail_remark(self, record: ImageRecord) -> list[str]:
        remark = self.visible_detail(record).remark
        return [remark] if remark else []
