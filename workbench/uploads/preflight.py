"""The check of good images before a build: their sizes and formats, broken files, and oddities."""

import io
import logging
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from patchcore.errors import Cancelled, ImageError, PatchCoreError, program_fault
from patchcore.images.geometry import thumbnail
from patchcore.images.good_forms import notes_apart
from patchcore.images.raw_image import Limits
from patchcore.images.reading import ImageRecord, read_image
from patchcore.images.remarks import grouped
from workbench.people.roles import Role, require
from workbench.storage.workspace import Workspace
from workbench.uploads.image_set import LeftOut, Upload, UploadSet
from workbench.uploads.preflight_warnings import warnings_of

THUMBNAIL_SIDE = 96
SKETCH = 16
PLAIN = 6.0  # grey levels; a lens cap with noise shows less
SAME_PICTURE = (
    1.0  # grey levels of a sketch, on average: JPEG and WebP at 75 change 0.1 to 0.5, another part 2 or more
)

Progress = Callable[[str, int, int], None]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CheckedImage:
    """One image that can be used.

    Attributes
    ----------
    upload
        Its name and where its bytes are.
    record
        The facts found while reading it.
    thumbnail_jpeg
        At most 96 px a side; kept packed, so that ten thousand weigh some 30 MB.
    contrast
        Standard deviation of the thumbnail's brightness, in grey levels of 0 to 255.
    sketch
        The picture in `SKETCH` x `SKETCH` mean brightnesses, uint8 as bytes, by which it is known in another format.
    """

    upload: Upload
    record: ImageRecord
    thumbnail_jpeg: bytes
    contrast: float = math.inf
    sketch: bytes = b""

    @property
    def megapixels(self) -> float:
        """Its pixels, in millions."""
        return self.record.width * self.record.height / 1e6

    @property
    def name(self) -> str:
        """The image's name in its set."""
        return self.upload.name

    @property
    def sha256(self) -> str:
        """The SHA-256 of the file's bytes."""
        return self.record.sha256

    @property
    def pixel_sha256(self) -> str:
        """The hash of the pixels, the same for exact copies in other files."""
        return self.record.pixel_sha256

    @property
    def thumbnail(self) -> NDArray[np.uint8]:
        """[h, w, 3] uint8, at most 96 px a side."""
        return np.asarray(Image.open(io.BytesIO(self.thumbnail_jpeg), formats=("JPEG",)))


@dataclass(frozen=True)
class Preflight:
    """The facts about a set of images, before anything is built on it.

    Attributes
    ----------
    usable
        The images that can be read, in their order; copies included.
    broken
        The images that cannot be read, each with its reason.
    left_out
        Files that could not be images from the start.
    value_range
        (black, white) that the images were read with.
    """

    usable: list[CheckedImage] = field(default_factory=list)
    broken: list[LeftOut] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    value_range: tuple[float, float] | None = None

    @cached_property
    def sizes(self) -> list[tuple[tuple[int, int], int]]:
        """((width, height) in pixels, number of images), most frequent first."""
        return Counter((image.record.width, image.record.height) for image in self.usable).most_common()

    @cached_property
    def bit_depths(self) -> dict[int, int]:
        """Bits a sample -> number of images."""
        return dict(sorted(Counter(image.record.bit_depth for image in self.usable).items()))

    @cached_property
    def formats(self) -> dict[str, int]:
        """File format -> number of images."""
        return dict(Counter(image.record.format for image in self.usable).most_common())

    @cached_property
    def colours(self) -> dict[str, int]:
        """``grey`` and ``colour``, as stored -> number of images."""
        stored = Counter("grey" if image.record.channels <= 2 else "colour" for image in self.usable)
        return dict(stored.most_common())

    @cached_property
    def remarks(self) -> list[str]:
        """Remarks made while reading the images, those alike in one sentence."""
        return grouped((image.name, notes_apart(image.record)) for image in self.usable)

    @cached_property
    def duplicates(self) -> list[list[str]]:
        """Names of images with the very same pixels, a list for each group."""
        groups: dict[str, list[str]] = {}
        for image in self.usable:
            groups.setdefault(image.pixel_sha256, []).append(image.name)
        return [names for names in groups.values() if len(names) > 1]

    @cached_property
    def plain(self) -> list[CheckedImage]:
        """Images that show nothing, such as a black frame: hardly any contrast, where the others have some."""
        usual = float(np.median([image.contrast for image in self.usable])) if self.usable else 0.0
        return [image for image in self.usable if image.contrast < PLAIN and image.contrast < usual / 4]

    @cached_property
    def in_two_formats(self) -> list[tuple[str, str]]:
        """Names of images that show one picture in two file formats, whose pixels differ by what JPEG loses."""
        groups: dict[tuple[int, int], list[CheckedImage]] = {}
        for image in self.distinct:
            groups.setdefault((image.record.width, image.record.height), []).append(image)
        return [pair for images in groups.values() for pair in _in_two_formats(images)]

    @cached_property
    def distinct(self) -> list[CheckedImage]:
        """The usable images, the first of each group of copies only."""
        return list({image.pixel_sha256: image for image in reversed(self.usable)}.values())[::-1]

    @cached_property
    def warnings(self) -> list[str]:
        """Warnings to the user before building, one or two sentences each."""
        return warnings_of(self)


def preflight(
    uploads: UploadSet | Iterable[Upload],
    value_range: tuple[float, float] | None = None,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Preflight:
    """Read every image once, keeping only a small picture of it.

    Parameters
    ----------
    uploads
        The files.
    value_range
        For data of more than 8 bits, as in `patchcore.images.reading.read_image`.
    limits
        The largest size of one image.
    progress
        Called with ("checking images", done, total).
    cancelled
        Asked before each image.

    Raises
    ------
    Cancelled
        When `cancelled` says so.
    """
    files = list(uploads)
    result = Preflight(value_range=value_range)
    result.left_out.extend(uploads.left_out if isinstance(uploads, UploadSet) else [])
    for done, upload in enumerate(files):
        if cancelled is not None and cancelled():
            raise Cancelled("The check of the images was stopped.")
        if progress is not None:
            progress("checking images", done, len(files))
        try:
            result.usable.append(_check(upload, value_range, limits))
        except ImageError as fault:
            result.broken.append(LeftOut(upload.name, fault.reason))
        except (PatchCoreError, OSError):
            raise
        except Exception as fault:  # a fault of the program on one file must not stop the others
            log.exception("The check of %s failed.", upload.name)
            result.broken.append(LeftOut(upload.name, program_fault(fault)))
    if progress is not None:
        progress("checking images", len(files), len(files))
    return result


def try_stopped_again(workspace: Workspace) -> None:
    """Forget the deaths of all files, so that those are read again on which the program was stopped."""
    require(Role.OPERATE, "have files tried again")
    workspace.notes.forget_all()


def _check(upload: Upload, value_range: tuple[float, float] | None, limits: Limits) -> CheckedImage:
    image = read_image(upload.data, name=upload.name, value_range=value_range, limits=limits)
    small = thumbnail(image.pixels, THUMBNAIL_SIDE)
    packed = io.BytesIO()
    Image.fromarray(small).save(packed, "JPEG", quality=88)
    grey = small.mean(axis=2)
    sketch = Image.fromarray(grey.astype(np.uint8)).resize((SKETCH, SKETCH), Image.Resampling.BOX)
    return CheckedImage(
        upload, image.hashed_record, packed.getvalue(), float(grey.std()), np.asarray(sketch).tobytes()
    )


def _in_two_formats(images: Sequence[CheckedImage]) -> Iterator[tuple[str, str]]:
    """Yield pairs among images of one size: of two formats, and alike but for rounding."""
    sketches = np.array([np.frombuffer(image.sketch, np.uint8) for image in images if image.sketch], np.int16)
    if len(sketches) != len(images) or len({image.record.format for image in images}) < 2:
        return
    formats = np.array([image.record.format for image in images])
    for place, image in enumerate(images[:-1]):
        others = np.flatnonzero(formats[place + 1 :] != image.record.format) + place + 1
        differences = np.abs(sketches[others] - sketches[place]).mean(axis=1)
        yield from ((image.name, images[other].name) for other in others[differences < SAME_PICTURE])
