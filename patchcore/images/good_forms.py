"""The forms of an inspector's good images, colour, depth and size, and the remarks on images of another form."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from patchcore.images.reading import ImageRecord
from patchcore.images.sample_scaling import used_bits

SAME_SIDE = 1.05  # sides and aspects within this factor of the good images' count as theirs
SMALLEST_SIDE = 32  # px; below, the network sees hardly more than one patch
WILD_AREA, WILD_ASPECT = 4.0, 1.5  # largest over smallest


@dataclass(frozen=True)
class GoodForms:
    """What the good images have in common, from their records.

    Attributes
    ----------
    hashes
        SHA-256 of the good images.
    count
        Number of good images.
    coloured
        Number of those with colour.
    depths
        Bits a sample -> number of images.
    widths, heights, aspects
        (smallest, largest) in pixels, and of width over height.
    """

    hashes: frozenset[str]
    count: int
    coloured: int
    depths: dict[int, int]
    widths: tuple[int, int]
    heights: tuple[int, int]
    aspects: tuple[float, float]

    @classmethod
    def of(cls, records: Sequence[ImageRecord]) -> "GoodForms":
        """Sum up the records of good images, at least one."""
        widths, heights = [record.width for record in records], [record.height for record in records]
        aspects = [record.width / record.height for record in records]
        return cls(
            frozenset(record.sha256 for record in records),
            len(records),
            sum(record.colourful for record in records),
            dict(sorted(Counter(record.bit_depth for record in records).items())),
            (min(widths), max(widths)),
            (min(heights), max(heights)),
            (min(aspects), max(aspects)),
        )

    def remarks_on(self, record: ImageRecord) -> list[str]:
        """Return a sentence for each way in which an image differs from all good ones."""
        return [*self._of_colour(record), *self._of_depth(record), *self._of_size(record)]

    def _of_colour(self, record: ImageRecord) -> list[str]:
        if record.colourful and not self.coloured:
            return [f"It is in colour, and all {self.count:,} good images are grey. {_LIKE_A_DEFECT}"]
        if not record.colourful and self.coloured == self.count:
            return [f"It is grey, and all {self.count:,} good images are in colour. {_LIKE_A_DEFECT}"]
        return []

    def _of_depth(self, record: ImageRecord) -> list[str]:
        if record.bit_depth in self.depths:
            return []
        known = " or ".join(map(str, self.depths))
        return [
            f"It has {record.bit_depth} bits a sample, and the good images have {known}. Brightness may differ between "
            "them; export all alike."
        ]

    def _of_size(self, record: ImageRecord) -> list[str]:
        own, good = f"{record.width:,} × {record.height:,} px", self._sizes()
        if not _within(record.width / record.height, self.aspects):
            return [
                f"Its shape is another than the good images': {own}, and they have {good}. {_LIKE_A_DEFECT}"
            ]
        if not (_within(record.width, self.widths) and _within(record.height, self.heights)):
            return [
                f"Its size is another than the good images': {own}, and they have {good}. Parts should appear at one "
                "scale and with the same sharpness."
            ]
        return []

    def _sizes(self) -> str:
        (narrow, wide), (low, high) = self.widths, self.heights
        first = f"{narrow:,} × {low:,}"
        return f"{first} px" if (narrow, low) == (wide, high) else f"{first} to {wide:,} × {high:,} px"


_LIKE_A_DEFECT = "It may look like a defect for that alone."


def set_remarks(records: Sequence[ImageRecord], value_range: tuple[float, float] | None = None) -> list[str]:
    """Return a sentence for each oddity of a set of good images as a whole: sizes, colours, depths, unused bits.

    Parameters
    ----------
    records
        Of the images that can be used.
    value_range
        (black, white) that the images were read with.
    """
    if not records:
        return []
    found = (
        _sizes(records),
        _tiny(records),
        _colours(records),
        _depths(records),
        _unused_bits(records, value_range),
    )
    return [sentence for sentence in found if sentence]


def notes_apart(record: ImageRecord) -> list[str]:
    """Return an image's notes without the one on unused bits, which `set_remarks` says of the whole set."""
    return [note for note in record.notes if not note.startswith("It has 16 bits")]


def _sizes(records: Sequence[ImageRecord]) -> str | None:
    shapes = sorted({(record.width, record.height) for record in records}, key=lambda size: size[0] * size[1])
    if len(shapes) < 2:
        return None
    (small_w, small_h), (large_w, large_h) = shapes[0], shapes[-1]
    aspects = [width / height for width, height in shapes]
    text = f"Sizes vary: {len(shapes):,} shapes, {small_w} × {small_h} to {large_w} × {large_h} px."
    wild = large_w * large_h > WILD_AREA * small_w * small_h or max(aspects) > WILD_ASPECT * min(aspects)
    if wild:
        return (
            f"{text} That is wildly different: one part would appear at many scales. Check that all are of one "
            "product and one camera set-up."
        )
    return f"{text} Each is fitted into the network's square by itself; parts should appear at one scale."


def _tiny(records: Sequence[ImageRecord]) -> str | None:
    tiny = [record for record in records if min(record.width, record.height) < SMALLEST_SIDE]
    if not tiny:
        return None
    first = tiny[0]
    return (
        f"{counted(len(tiny), 'has', 'have')} a side below {SMALLEST_SIDE} px (first: {first.name}, "
        f"{first.width} × {first.height} px): hardly more than one patch. Remove them unless meant."
    )


def _colours(records: Sequence[ImageRecord]) -> str | None:
    grey = [record for record in records if not record.colourful]
    colour = [record for record in records if record.colourful]
    if not grey or not colour:
        return None
    fewer = min(grey, colour, key=len)
    return (
        f"Grey and colour are mixed: {len(grey):,} grey, {len(colour):,} in colour (such as {fewer[0].name}). "
        "Test images of the rarer kind would look like defects; use one kind."
    )


def _depths(records: Sequence[ImageRecord]) -> str | None:
    depths = dict(sorted(Counter(record.bit_depth for record in records).items()))
    if len([bits for bits in depths if bits > 1]) < 2:
        return None
    parts = ", ".join(f"{count:,} of {bits} bits" for bits, count in depths.items())
    return f"Bit depths are mixed: {parts}. Brightness may differ between them; export all alike."


def _unused_bits(records: Sequence[ImageRecord], value_range: tuple[float, float] | None) -> str | None:
    deep = [record for record in records if record.is_deep]
    if not deep or value_range is not None:
        return None
    highest = max(record.highest for record in deep)
    bits = used_bits(highest)
    if bits is None:
        return None
    return (
        f"{counted(len(deep))} in 16-bit containers: no value lies above {highest:,.0f}, as in {bits}-bit data, which "
        f"will look dark. Set the value range to 0 to {2**bits - 1} to use the full contrast."
    )


def _within(value: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] / SAME_SIDE <= value <= bounds[1] * SAME_SIDE


def counted(count: int, one: str = "", many: str = "") -> str:
    """Count images, with the verb that goes with it."""
    number, verb = ("1 image", one) if count == 1 else (f"{count:,} images", many)
    return f"{number} {verb}".rstrip()
