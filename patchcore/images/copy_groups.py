"""Groups of near copies among the good images: a group counts once where a threshold promises something."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from patchcore.images.reading import ImageRecord

NAMED, NAMED_COPIES = 5, 3  # groups and copies of a group that a sentence names


@dataclass(frozen=True, eq=False)
class CopyGroups:
    """The group of each good image; an image without near copies is a group of its own.

    Attributes
    ----------
    firsts
        [n] int64: the number of the first image of each image's group.
    counted
        [n] bool: False for images that were taught, which no threshold is set from.
    least
        Number of groups that a method needs to score an image by the others.
    """

    firsts: NDArray[np.int64]
    counted: NDArray[np.bool_]
    least: int = 2

    @classmethod
    def of(cls, keys: Sequence[str], taught: Collection[int] = (), least: int = 2) -> "CopyGroups":
        """Read the groups from `ImageRecord.near_copy_of` of each image; `taught` holds numbers of images."""
        first = dict[str, int]()
        firsts = [first.setdefault(key, number) if key else number for number, key in enumerate(keys)]
        counted = np.ones(len(keys), bool)
        counted[list(taught)] = False
        return cls(np.array(firsts, np.int64), counted, least)

    @property
    def representatives(self) -> NDArray[np.int64]:
        """Numbers of the images that count: the first of each group, ascending."""
        return np.unique(self.firsts[self.counted])

    @property
    def too_few(self) -> bool:
        """Whether near copies leave fewer groups than scores by the others need."""
        groups = len(self.representatives)
        return groups < self.least and groups < int(self.counted.sum())

    @property
    def scored(self) -> NDArray[np.int64]:
        """Numbers of the images whose scores count: one of each group, one in all where the groups are too few."""
        return self.representatives[:1] if self.too_few else self.representatives

    def stand_ins(self, numbers: Sequence[int], gone: Collection[int]) -> list[int]:
        """Return the images to score once others are gone: a near copy stands in for one that is gone."""
        members = (np.flatnonzero(self.firsts == self.firsts[number]).tolist() for number in numbers)
        left = ([number for number in group if number not in gone] for group in members)
        return [group[0] for group in left if group]

    def left_out_with(self, number: int) -> frozenset[int]:
        """Return the numbers of the images that take no part in an image's score: its group, itself included.

        Where the groups are too few, the image alone takes no part.
        """
        if self.too_few:
            return frozenset({number})
        return frozenset(np.flatnonzero(self.firsts == self.firsts[number]).tolist())


def near_copy_remarks(records: Sequence[ImageRecord], groups: CopyGroups) -> list[str]:
    """Return a sentence on the near copies among the good images, with the names of the groups; none without any."""
    members = [np.flatnonzero(groups.firsts == first).tolist() for first in groups.representatives]
    members = [numbers for numbers in members if len(numbers) > 1]
    if not members:
        return []
    total, copies = int(groups.counted.sum()), sum(len(numbers) - 1 for numbers in members)
    named = "; ".join(_group([records[number].name for number in numbers]) for numbers in members[:NAMED])
    more = f"; and {len(members) - NAMED} more groups" if len(members) > NAMED else ""
    consequence = (
        "The rest does not show how good parts vary, so the threshold promises nothing. Add images of other good parts."
        if groups.too_few
        else "Each group counts once where the threshold is set. Images of other good parts teach more."
    )
    verb = "is a near copy" if copies == 1 else "are near copies"
    return [f"{copies:,} of your {total:,} images {verb} of {len(members):,}: {named}{more}. {consequence}"]


def _group(names: Sequence[str]) -> str:
    shown = names[1 : 1 + NAMED_COPIES]
    rest = len(names) - 1 - len(shown)
    return f"{', '.join(shown)}{f' and {rest} more' if rest else ''} of {names[0]}"
