"""The smallest detail that an inspector sees: the part of an image that one patch covers, in the image's own pixels.

A patch is a position of the feature map with its neighbours (paper section 3.1, p = 3). An image that is much larger
than the network's input is scaled down first, so that a patch covers much of it, and smaller defects fade.
"""

from dataclasses import dataclass

from patchcore.images.geometry import Geometry, place

NEIGHBOURHOOD = 3  # positions a side
MUCH_LARGER = 6.0  # an image's pixels for one of the network's input, along either side
TILE = 3  # side of a tile that helps, in sides of the network's input
LONG = 3  # long side of an image over its short side, from which stretching shows more of the short one
COMMON_SIZES = (256, 320, 384, 448, 512)  # of the network's input, as the page Build offers them
LARGE_SIZES = (768, 1024, 1536, 2048)


@dataclass(frozen=True)
class VisibleDetail:
    """The part of an image that one patch covers.

    Attributes
    ----------
    size
        (width, height) of the image in pixels.
    patch
        (width, height) that one patch covers, in pixels of the image; at most the image.
    shrinking
        Pixels of the image for one pixel of the network's input, (across, down).
    geometry, step
        How the image is fitted into the input; pixels of the input between two patches.
    """

    size: tuple[int, int]
    patch: tuple[float, float]
    shrinking: tuple[float, float]
    geometry: Geometry
    step: float

    @classmethod
    def of(cls, size: tuple[int, int], geometry: Geometry, step: float) -> "VisibleDetail":
        """Compute it for an image of (width, height).

        Parameters
        ----------
        step
            Pixels of the network's input between two positions of the feature map.
        """
        width, height = size
        placement = place((height, width), geometry)
        down, across = (1 / scale for scale in placement.scale)
        side = NEIGHBOURHOOD * step
        return cls(
            size, (min(side * across, width), min(side * down, height)), (across, down), geometry, step
        )

    @property
    def patch_words(self) -> str:
        """The patch in words: "880 × 512 px"; rounded, except where it covers all of a side."""
        sides = (
            whole if covered >= whole else _rounded(covered)
            for covered, whole in zip(self.patch, self.size, strict=True)
        )
        return " × ".join(f"{side:,}" for side in sides) + " px"

    @property
    def remark(self) -> str | None:
        """The remark on an image that is much larger than the network's input, and what helps; None for others."""
        if max(self.shrinking) <= MUCH_LARGER:
            return None
        width, height = self.size
        return (
            f"One patch covers {self.patch_words} of this image ({width:,} × {height:,} px); defects below about that "
            f"are not seen. {self._remedy()}"
        )

    @property
    def sentence(self) -> str:
        """The smallest defect that is seen, in a sentence for any image."""
        width, height = self.size
        return self.remark or (
            f"At {self.geometry.size:,} px one patch covers {self.patch_words} of an image of {width:,} × {height:,} "
            "px; a defect much smaller than that may fade."
        )

    def _remedy(self) -> str:
        """Say what makes the patch smaller, with the figures: a larger input, another geometry, tiles."""
        side = self.geometry.size
        sizes = [size for size in COMMON_SIZES if size > side] or [
            size for size in LARGE_SIZES if size > side
        ]
        found = []
        if sizes:
            enough = (one for one in sizes if one >= 2 * side and max(self._at(one).shrinking) <= MUCH_LARGER)
            size = next(enough, sizes[-1])
            found.append(f"An image size of {size:,} px lowers it to {self._at(size).patch_words}.")
        if self.geometry.mode == "fit" and max(self.size) >= LONG * min(self.size):
            stretched = VisibleDetail.of(self.size, Geometry("stretch", side), self.step)
            found.append(f"The geometry stretch makes it {stretched.patch_words}.")
        tile = min(TILE * side, max(min(self.size), side))
        found.append(
            f"Tiles of {tile:,} px a side, cut from good and test images alike before they are handed in, lower it to "
            f"{VisibleDetail.of((tile, tile), self.geometry, self.step).patch_words}."
        )
        return " ".join(found)

    def _at(self, size: int) -> "VisibleDetail":
        return VisibleDetail.of(self.size, Geometry(self.geometry.mode, size), self.step)


def _rounded(pixels: float) -> int:
    """Round to two digits, so that nobody takes the figure for exact."""
    return max(1, round(pixels)) if pixels < 100 else round(pixels / 10) * 10
