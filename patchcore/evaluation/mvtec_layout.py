"""Labelled images on disk, in folders whose names are their labels, as in MVTec's layout."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from patchcore.errors import DataError, NoImagesError
from patchcore.images.file_names import IMAGE_SUFFIXES, composed, display_name, is_folder, is_hidden
from patchcore.images.reading import list_files
from patchcore.images.unread_files import PLAIN_KINDS, contents_of, counted, why_no_images
from patchcore.labels.drawing import Drawing
from patchcore.labels.layout import Layout, few, read_names
from patchcore.labels.mask_names import ANNOTATION_SUFFIXES
from patchcore.labels.masks import Marks, mask_of
from patchcore.labels.set_annotations import add_drawings
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
        Picture of the defect's place; None without one.
    further_masks
        Pictures of further places of the defect.
    label
        The label as it was written.
    drawing
        The defect's place in an annotation file; None without one.
    """

    path: Path
    name: str
    defect_type: str
    mask_path: Path | None
    further_masks: tuple[Path, ...] = ()
    label: str = ""
    drawing: Drawing | None = None

    @property
    def is_defect(self) -> bool:
        """Whether the part is defective."""
        return self.defect_type != GOOD

    @property
    def source(self) -> Path:
        """The image file."""
        return self.path

    @property
    def has_mask(self) -> bool:
        """Whether the place of the defect is known."""
        return self.mask_path is not None or self.drawing is not None

    def mask(self, shape: tuple[int, int]) -> Marks | None:
        """Read where the defect is in an image of a size (H, W); None without a mask. Errors as for `mask_of`."""
        paths = () if self.mask_path is None else (self.mask_path, *self.further_masks)
        return mask_of([(str(path), path) for path in paths], self.drawing, shape)


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
    words = vocabulary()
    paths, annotations = _paths(folder, words, IMAGE_SUFFIXES), _paths(folder, words, ANNOTATION_SUFFIXES)
    if not subfolders and not annotations:
        raise DataError(
            f"{shown} has no subfolders. Labels are read from folder names: put good images into 'good' and "
            "each kind of defect into a folder of its own."
        )
    layout = read_names(paths, words)
    drawings = add_drawings(layout, annotations, paths, words)
    found = [
        LabelledImage(
            paths[name],
            paths[name].relative_to(folder).as_posix(),
            GOOD if words.kind(label) == GOOD else composed(label),
            masks[0] if masks else None,
            tuple(masks[1:]),
            label,
            drawings.get(name),
        )
        for name, label in layout.labels.items()
        for masks in [[paths[mask] for mask in layout.masks.get(name, [])]]
    ]
    known = {*layout.labels, *layout.no_images, *layout.left_out}
    loose = [name for name in paths if name not in known]
    if not found:
        raise NoImagesError(_why_nothing(folder, layout, loose))
    rest = [f"{len(loose):,} without a folder for a label: {few(loose)}."] if loose else []
    unread = {kind: count for kind, count in contents_of(folder).items() if kind not in PLAIN_KINDS}
    if unread:
        rest.append(f"Files that cannot be read as images or masks: {counted(unread)}. Export them as PNG.")
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


def _paths(folder: Path, words: Vocabulary, suffixes: Collection[str]) -> dict[str, Path]:
    """Return the files of a kind by the names that say what they are."""
    own = {path.relative_to(folder).as_posix(): path for path in _files(folder, suffixes)}
    tops = {path.name for path in _subfolders(folder)}
    if any(words.split(top) == "test" for top in tops) or not any(words.kind(top) == GOOD for top in tops):
        return own
    masks = {
        f"{one.name}/{path.relative_to(one).as_posix()}": path
        for one in _beside(folder)
        for path in _files(one, suffixes)
    }
    return {f"test/{name}": path for name, path in own.items()} | masks if _beside(folder) else own


def _files(folder: Path, suffixes: Collection[str]) -> list[Path]:
    """List the files of a kind below a folder, those in linked folders of a type or of a split too."""
    linked = (path for link in _linked(folder, 2) for path in list_files(link, suffixes))
    return sorted({*list_files(folder, suffixes), *linked})


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
