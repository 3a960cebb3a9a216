"""Labelled images on disk in MVTec's layout: test/good, test/<defect type>, ground_truth/<type>/<name>_mask.png."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from patchcore.errors import DataError, NoImagesError
from patchcore.images import list_images, read_image
from patchcore.pixel_metrics import binary_mask

GOOD = "good"
MASKS = "ground_truth"
MASK_ENDINGS = ("_mask.png", ".png", "_mask.bmp", ".bmp")


@dataclass(frozen=True)
class LabelledImage:
    """One image with what is known of it.

    Attributes
    ----------
    path
        The image file.
    name
        Path relative to the folder that was given.
    defect_type
        Name of the defect; "good" for a good part.
    mask_path
        Picture of the defect's place, black elsewhere; None if there is none.
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
        """Where the image is read from."""
        return self.path

    def mask(self) -> NDArray[np.bool_] | None:
        """Read the mask as [H, W] bool, true where it is not black. None if there is none.

        Raises
        ------
        ImageError
            If the mask's file cannot be read.
        DataError
            If the mask has greys.
        """
        if self.mask_path is None:
            return None
        levels = read_image(self.mask_path).pixels.max(axis=2) * np.float32(255)
        return binary_mask(levels, (levels.shape[0], levels.shape[1]))


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
    if not folder.is_dir():
        raise NoImagesError(f"There is no folder {folder}.")
    test = folder / "test" if (folder / "test").is_dir() else folder
    types = sorted(p for p in test.iterdir() if p.is_dir() and p.name != MASKS and not p.name.startswith("."))
    if not types:
        raise DataError(
            f"{folder} has no subfolders. Labels are read from folder names: put good images into 'good' and "
            "each kind of defect into a folder of its own."
        )
    masks = next((p for p in (test / MASKS, test.parent / MASKS) if p.is_dir()), None)
    found = [
        LabelledImage(path, path.relative_to(folder).as_posix(), kind.name, _mask_of(path, kind.name, masks))
        for kind in types
        for path in list_images(kind)
    ]
    if not found:
        raise NoImagesError(f"The subfolders of {test} hold no images.")
    return found


def _mask_of(image: Path, kind: str, masks: Path | None) -> Path | None:
    if masks is None or kind == GOOD:
        return None
    candidates = (masks / kind / f"{image.stem}{ending}" for ending in MASK_ENDINGS)
    return next((path for path in candidates if path.is_file()), None)
