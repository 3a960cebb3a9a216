"""Owns the processor time and the memory that decoding may take, with the sentences on files that take more."""

from dataclasses import dataclass

from patchcore.errors import ImageError, ImageTooLarge, UnreadableImage
from patchcore.images.raw_image import Limits

_SPARSEST = 16  # pixels that a byte of a photograph holds at most; a file of fewer bytes earns less time
_REMEDY = "Save it again as PNG."
_KILLED = -9  # as Popen writes SIGKILL


@dataclass(frozen=True)
class Allowance:
    """The time and the memory that decoding one file may take.

    Parameters
    ----------
    seconds
        Processor time for a picture of any size.
    seconds_per_megapixel
        Processor time for each million pixels that the header declares, on top. The slowest picture within the limits
        takes an eighth of this on a server of 2023.
    patience
        Times the processor time, the time on the clock that may pass meanwhile.
    wait
        Seconds that a file may wait for a child that is free.
    copies
        Times the largest picture as its container stores it, the memory that a decoder may hold.
    """

    seconds: float = 8.0
    seconds_per_megapixel: float = 0.2
    patience: float = 20.0
    wait: float = 600.0
    copies: float = 4.0

    def seconds_for(self, pixels: int, file_bytes: int) -> float:
        """Return the processor time for a picture of these declared pixels, in a file of so many bytes."""
        return self.seconds + self.seconds_per_megapixel * min(pixels, _SPARSEST * file_bytes) / 1e6

    def memory_for(self, limits: Limits) -> int:
        """Return the bytes that a decoder may hold beyond the imports of its process."""
        return int(self.copies * limits.max_unpacked)


def too_slow(name: str, seconds: float) -> ImageError:
    """Return the error on a file that took all of its processor time."""
    return UnreadableImage(
        name,
        f"it took more than {seconds:.2g} seconds of processor time to decode, many times what a picture of its "
        f"size takes. {_REMEDY}",
    )


def too_late(name: str, seconds: float) -> ImageError:
    """Return the error on a file whose decoder neither ended nor worked."""
    return UnreadableImage(
        name, f"it was not decoded within {seconds:,.0f} seconds. {_REMEDY} Or close other programs."
    )


def too_much_memory(name: str, memory: int) -> ImageError:
    """Return the error on a file whose decoder took all of its memory."""
    return ImageTooLarge(
        name,
        f"it takes more than {memory / 2**20:,.0f} MiB of memory to decode. Crop it or scale it down first, or save it "
        "again as PNG.",
    )


def no_turn(name: str, seconds: float) -> ImageError:
    """Return the error on a file that found no child free."""
    return ImageError(
        name, f"it was not decoded: other files were being decoded for {seconds:,.0f} seconds. Read it again."
    )


def crashed(name: str, kind: str, exitcode: int) -> ImageError:
    """Return the error on a file whose decoder ended its process twice."""
    if exitcode == _KILLED:  # as the system does where memory runs out
        return ImageTooLarge(
            name,
            "the system ended the process that decoded it, twice, as it does where memory runs out. Crop it or scale "
            "it down first, or close other programs.",
        )
    how = f"signal {-exitcode}" if exitcode < 0 else f"exit code {exitcode}"
    return UnreadableImage(
        name, f"its {kind} data is damaged, so that its decoder ended with {how}, twice. {_REMEDY}"
    )
