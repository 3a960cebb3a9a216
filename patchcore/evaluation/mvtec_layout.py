"""Labelled images on disk, in folders whose names are their labels, as in MVTec's layout."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from patchcore.errors import DataError, NoImagesError
from patchcore.images.file_names import composed, display_name, is_folder, is_hidden
from patchcore.images.reading import list_images, read_image
from patchcore.images.unread_files import contents_of, why_no_images
from patchcore.labels.layout import Layout, few, read_names
from patchcore.labels.words import GOOD, Vocabulary, is_mask_folder, vocabulary


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
    further_masks
        Pictures of further places of the defect.
    label
        The label as it was written.
    """

    path: Path
    name: str
    defect_type: str
    mask_path: Path | None
    further_masks: tuple[Path, ...] = ()
    label: str = ""

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
        """Read the mask's grey values, [H, W] float32 in 0..1, of several masks their union in 0 and 1.

        None without a mask; errors as for `mask`.

        Raises
        ------
        DataError
            The masks are of different sizes.
        """
        if self.mask_path is None:
            return None
        values = read_image(self.mask_path).pixels.max(axis=2)
        return union([values, *(read_image(path).pixels.max(axis=2) for path in self.further_masks)])


def marked(values: NDArray[np.float32]) -> tuple[NDArray[np.bool_], bool]:
    """Turn a mask's values, [H, W] in 0..1, into marks: (marks, whether the mask has greys).

    A single value besides black marks the defect, however dark. Among several values, the ones above 0.5 mark it.
    """
    shown = values != 0
    greys = np.unique(values[shown]).size > 1
    return (np.asarray(values > 0.5) if greys else np.asarray(shown)), greys


def union(masks: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Unite the masks of one image, each [H, W] in 0..1; a single one comes back as it is.

    Raises
    ------
    DataError
        The masks are of different sizes.
    """
    if len(masks) == 1:
        return masks[0]
    if len({mask.shape for mask in masks}) > 1:
        raise DataError("Its masks are of different sizes; each must be as large as the image.")
    return np.asarray(np.any([marked(mask)[0] for mask in masks], axis=0), np.float32)


def read_layout(folder: Path) -> list[LabelledImage]:
    """List the images of `read_folders`; errors as there."""
    return read_folders(folder)[0]


def read_folders(folder: Path) -> tuple[list[LabelledImage], list[str]]:
    """List a labelled set whose folders are its labels: (images, a sentence for each problem).

    Parameters
    ----------
    folder
        The product's folder, which holds `test/`, or its test folder with the masks beside it or inside, or any
        folder that `patchcore.labels.layout.read_names` reads.

    Raises
    ------
    NoImagesError
        If there are no images in subfolders.
    DataError
        If there are no subfolders to read labels from.
    """
    shown = display_name(str(folder))
    if not is_folder(folder):
        raise NoImagesError(f"There is no folder {shown}.")
    try:
        subfolders = _subfolders(folder)
    except OSError as fault:
        raise NoImagesError(f"{shown} cannot be opened ({fault.strerror}). Check its permissions.") from fault
    if not subfolders:
        raise DataError(
            f"{shown} has no subfolders. Labels are read from folder names: put good images into 'good' and "
            "each kind of defect into a folder of its own."
        )
    words = vocabulary()
    paths = _paths(folder, words)
    layout = read_names(paths, words)
    found = [
        LabelledImage(
            paths[name],
            paths[name].relative_to(folder).as_posix(),
            GOOD if words.kind(label) == GOOD else composed(label),
            masks[0] if masks else None,
            tuple(masks[1:]),
            label,
        )
        for name, label in layout.labels.items()
        for masks in [[paths[mask] for mask in layout.masks.get(name, [])]]
    ]
    known = {*layout.labels, *layout.no_images, *layout.left_out}
    loose = [name for name in paths if name not in known]
    if not found:
        raise NoImagesError(_why_nothing(folder, layout, loose))
    rest = [f"{len(loose):,} without a folder for a label: {few(loose)}."] if loose else []
    return found, rest + layout.problems


def _why_nothing(folder: Path, layout: Layout, loose: list[str]) -> str:
    """Return a sentence on a folder without a labelled image: its other images, else the files of its subfolders."""
    shown = display_name(str(folder))
    others = Counter(f"below {split}" for split in layout.left_out.values())
    others += Counter(
        {"without a folder for a label": len(loose), "in folders of masks": len(layout.no_images)}
    )
    if others:
        counts = ", ".join(f"{count:,} {where}" for where, count in others.items())
        return (
            f"{shown} holds no image with a label. Its images: {counts}. Put good images into a folder named good, "
            "and each kind of defect into a folder of its own."
        )
    followed = list(_linked(folder, 2))
    places = {*_subfolders(folder), *followed}
    contents = sum((contents_of(place, exclude=followed) for place in sorted(places)), Counter[str]())
    return why_no_images(f"{shown}, in its subfolders,", contents)


def _subfolders(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if path.is_dir() and not is_hidden((path.name,))]


def _paths(folder: Path, words: Vocabulary) -> dict[str, Path]:
    """Return the images and masks by the names that say what they are."""
    own = {path.relative_to(folder).as_posix(): path for path in _images(folder)}
    tops = {name.partition("/")[0] for name in own if "/" in name}
    if any(words.split(top) == "test" for top in tops) or not any(words.kind(top) == GOOD for top in tops):
        return own
    masks = {
        f"{one.name}/{path.relative_to(one).as_posix()}": path
        for one in _beside(folder)
        for path in _images(one)
    }
    return {f"test/{name}": path for name, path in own.items()} | masks if masks else own


def _images(folder: Path) -> list[Path]:
    """List the images below a folder, those in linked folders of a type or of a split too."""
    linked = (path for link in _linked(folder, 2) for path in list_images(link))
    return sorted({*list_images(folder), *linked})


def _linked(folder: Path, levels: int) -> Iterator[Path]:
    """Yield the linked folders within a folder, so many levels deep."""
    try:
        inner = _subfolders(folder) if levels else []
    except OSError:  # a closed folder holds nothing that can be read
        return
    for path in inner:
        if path.is_symlink():
            yield path
        yield from _linked(path, levels - 1)


def _beside(folder: Path) -> list[Path]:
    """List the folders of masks beside a folder."""
    here = folder.absolute()
    try:
        return [
            path
            for path in sorted(here.parent.iterdir())
            if is_mask_folder(path.name) and path.is_dir() and path != here
        ]
    except OSError:  # the folder above may be closed
        return []
