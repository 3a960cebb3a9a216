"""Labelled images on disk in MVTec's layout: test/good, test/<defect type>, ground_truth/<type>/<name>_mask.png."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from patchcore.errors import DataError, NoImagesError
from patchcore.images.file_names import NamedFiles, display_name, is_file, is_folder
from patchcore.images.reading import list_images, read_image
from patchcore.images.unread_files import contents_of, why_no_images

GOOD = "good"
MASKS = "ground_truth"
MASK_ENDINGS = ("_mask.png", ".png", "_mask.bmp", ".bmp")


@dataclass(frozen=True)
class LabelledImage:
    """One image with its label and mask.

    Attributes
    ----------
    path
        The image file.
    name
        Path relative to the folder that was given.
    defect_type
        Name of the defect; "good" for a good part.
    mask_path
        Picture of the defect's place, black elsewhere; None without one.
    """

    path: Path
    name: str
    defect_type: str
    mask_path: Path | None

    @property
    def is_defect(self) -> bool:
        """Whether the part is defective."""
        return self.defect_type != GOOD

    @property
    def source(self) -> Path:
        """The image file."""
        return self.path

    def mask(self) -> NDArray[np.bool_] | None:
        """Read the mask as [H, W] bool, true where a defect is marked (`marked`); None without a mask.

        Raises
        ------
        ImageError
            If the mask's file cannot be read.
        """
        values = self.mask_values()
        return None if values is None else marked(values)[0]

    def mask_values(self) -> NDArray[np.float32] | None:
        """Read the mask's grey values, [H, W] float32 in 0..1; None without a mask; errors as for `mask`."""
        return None if self.mask_path is None else read_image(self.mask_path).pixels.max(axis=2)


def marked(values: NDArray[np.float32]) -> tuple[NDArray[np.bool_], bool]:
    """Turn a mask's values, [H, W] in 0..1, into marks: (marks, whether the mask has greys).

    A single value besides black marks the defect, however dark. Among several values, the ones above 0.5 mark it.
    """
    shown = values != 0
    greys = np.unique(values[shown]).size > 1
    return (np.asarray(values > 0.5) if greys else np.asarray(shown)), greys


def read_layout(folder: Path) -> list[LabelledImage]:
    """List a labelled set: the product's folder, or its test folder with the masks beside it or inside.

    Parameters
    ----------
    folder
        Holds `test/`, or is such a folder: `good`, and one subfolder for each defect type.

    Raises
    ------
    NoImagesError
        If there are no images in subfolders.
    DataError
        If there are no subfolders to read labels from.
    """
    if not is_folder(folder):
        raise NoImagesError(f"There is no folder {display_name(str(folder))}.")
    test = folder / "test" if (folder / "test").is_dir() else folder
    types = sorted(p for p in test.iterdir() if p.is_dir() and p.name != MASKS and not p.name.startswith("."))
    if not types:
        raise DataError(
            f"{folder} has no subfolders. Labels are read from folder names: put good images into 'good' and "
            "each kind of defect into a folder of its own."
        )
    folders = (place for place in (test / MASKS, test.parent / MASKS) if place.is_dir())
    masks = next(map(NamedFiles, folders), None)
    found = [
        LabelledImage(path, path.relative_to(folder).as_posix(), kind.name, _mask_of(path, kind.name, masks))
        for kind in types
        for path in list_images(kind)
    ]
    if not found:
        contents = sum(map(contents_of, types), Counter[str]())
        raise NoImagesError(why_no_images(f"{test}, in its subfolders,", contents))
    return found


def _mask_of(image: Path, kind: str, masks: NamedFiles | None) -> Path | None:
    if masks is None or kind == GOOD:
        return None
    candidates = (masks.find(f"{kind}/{image.stem}{ending}") for ending in MASK_ENDINGS)
    return next(filter(is_file, candidates), None)
