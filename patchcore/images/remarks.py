"""Remarks on images, put together for people: the same remark on many images becomes one sentence.

A remark is a sentence without the image's name. Two remarks that differ in their numbers alone are of one kind.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from patchcore.images.file_names import display_name

NAMED = 3  # images named in a sentence
MOST_KINDS = 20  # sentences on one set; the rest is counted
_NUMBERS = re.compile(r"\d[\d,. ]*")


@dataclass
class RemarkTally:
    """Counts the remarks on images by their kind, so that a long run names each kind once.

    Attributes
    ----------
    images
        Number of images, with or without remarks.
    """

    images: int = 0
    _kinds: dict[str, "_Kind"] = field(default_factory=dict)

    def take(self, name: str, remarks: Iterable[str]) -> list[str]:
        """Count an image, and return the sentences on it whose kind is new."""
        self.images += 1
        new = []
        for remark in dict.fromkeys(remarks):
            key = _NUMBERS.sub("#", remark)
            if key not in self._kinds and len(self._kinds) < MOST_KINDS:
                new.append(f"{display_name(name)}: {remark}")
            self._kinds.setdefault(key, _Kind()).add(name, remark)
        return new

    def sentences(self) -> list[str]:
        """Return a sentence for each kind of remark, the most frequent first: "38 of 40 images (...): ..."."""
        ordered = sorted(self._kinds.values(), key=lambda kind: -kind.count)
        shown = [kind.sentence(self.images) for kind in ordered[:MOST_KINDS]]
        rest = len(ordered) - MOST_KINDS
        return [*shown, f"Further remarks of {rest:,} kinds are not shown."] if rest > 0 else shown

    def repeated(self) -> list[str]:
        """Return the sentences on kinds that were found in more than one image."""
        found = sorted(
            (kind for kind in self._kinds.values() if kind.count > 1), key=lambda kind: -kind.count
        )
        return [kind.sentence(self.images) for kind in found[:MOST_KINDS]]


@dataclass
class _Kind:
    count: int = 0
    first: str = ""
    alike: bool = True
    names: list[str] = field(default_factory=list)

    def add(self, name: str, remark: str) -> None:
        self.first = self.first or remark
        self.alike = self.alike and remark == self.first
        self.count += 1
        if len(self.names) < NAMED:
            self.names.append(display_name(name))

    def sentence(self, images: int) -> str:
        if self.count == 1:
            return f"{self.names[0]}: {self.first}"
        if self.count == images:
            who = f"All {images:,} images"
            return f"{who}: {self.first}" if self.alike else f"{who}, such as {self.names[0]}: {self.first}"
        more = f" and {self.count - len(self.names):,} more" if self.count > len(self.names) else ""
        example = "" if self.alike else f", such as {self.names[0]}"
        return f"{self.count:,} of {images:,} images ({', '.join(self.names)}{more}){example}: {self.first}"


def grouped(found: Iterable[tuple[str, Sequence[str]]]) -> list[str]:
    """Return the remarks on a set of images as few sentences.

    Parameters
    ----------
    found
        (name, remarks) of every image of the set, also of images without a remark.

    Examples
    --------
    >>> grouped([("a.png", ["Turned."]), ("b.png", ["Turned."]), ("c.png", [])])
    ['2 of 3 images (a.png, b.png): Turned.']
    """
    tally = RemarkTally()
    for name, remarks in found:
        tally.take(name, remarks)
    return tally.sentences()
