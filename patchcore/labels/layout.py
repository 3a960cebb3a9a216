"""Labels and masks read off the names of files: the layouts of MVTec AD, AD 2, LOCO and 3D, VisA's and BTAD's folders.

Names alone are read, so that a folder on disk and uploaded files with relative paths are labelled by the same rules.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from patchcore.images.file_names import display_name, safe_name
from patchcore.labels.words import GOOD, Split, Vocabulary, is_mask_folder, vocabulary

MASK_ENDINGS = ("_mask.png", ".png", "_mask.bmp", ".bmp")
OF_IMAGES = frozenset({"images", "image", "imgs", "bilder"})  # folders beside which masks may lie
PICTURES = "rgb"  # MVTec 3D: the pictures of a type, beside its depth in xyz
NAMED = 3  # files named in a sentence

Folders = tuple[str, ...]
Place = tuple[Folders, str]  # folders of the product, folder of the type


@dataclass
class Layout:
    """Labels and masks of a set's images, by the images' names.

    Attributes
    ----------
    labels
        The folder that labels an image, as it is written.
    masks
        The masks of a defect, several where each part of it has its own.
    no_images
        Masks, and depth beside pictures.
    left_out
        Images to build from, and images for validation beside others for testing; their split.
    problems
        A sentence for each problem.
    """

    labels: dict[str, str] = field(default_factory=dict)
    masks: dict[str, list[str]] = field(default_factory=dict)
    no_images: set[str] = field(default_factory=set)
    left_out: dict[str, Split] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def read_names(names: Iterable[str], words: Vocabulary | None = None) -> Layout:
    """Read labels and masks off names.

    A type is the folder below ``test`` (``[product/]test/<type>/x.png``), and other images have no label then. Without
    such a folder, the folders beside a folder of good images are types, and where no folder is good either, the
    folders where the paths part.

    Parameters
    ----------
    names
        Of the image files and masks, relative, with forward slashes.
    words
        The words in force; None: `vocabulary`.
    """
    words = words or vocabulary()
    paths = [PurePosixPath(name) for name in names]
    shared = len(common_folders([path.parts[:-1] for path in paths]))
    layout = Layout()
    marks = {path: at for path in paths if (at := mask_folder(path.parts[:-1], shared)) is not None}
    images = _of_the_test(paths, set(marks), words, layout)
    places = _places(images, words)
    layout.labels = {str(path): place[1] for path, place in places.items()}
    depth = _beside_pictures(places)
    layout.no_images = {str(path) for path in (*marks, *depth)}
    for path in depth:
        del layout.labels[str(path)]
    _give_masks(layout, places, {path: path.parts[:-1][at:] for path, at in marks.items()}, words)
    return layout


def mask_folder(folders: Folders, shared: int = 0) -> int | None:
    """Find the folder of masks in a path, below the folders that all paths share; None where there is none."""
    return next((at for at in range(shared, len(folders)) if is_mask_folder(folders[at])), None)


def label_remark(name: str, words: Vocabulary | None = None) -> list[str]:
    """Return a sentence on the label that the folders of an image give it, in a list; none where they give none.

    The deepest folder with a word for good parts or defects counts. A bare number may count cameras, so it is no word.

    Parameters
    ----------
    name
        Of the image, relative, with forward slashes.
    words
        The words in force; None: `vocabulary`.
    """
    words = words or vocabulary()
    for folder in reversed(PurePosixPath(name).parts[:-1]):
        if not folder.isdecimal() and (kind := words.kind(folder)):
            meaning = "a good part" if kind == GOOD else "a defect"
            return [f"It lies in {display_name(folder)}, which means {meaning} by the folder's name."]
    return []


def common_folders(paths: Sequence[Folders]) -> Folders:
    """Return the folders in which all paths begin."""
    if not paths:
        return ()
    lowest, highest = min(paths), max(paths)
    same = next(
        (at for at, pair in enumerate(zip(lowest, highest, strict=False)) if pair[0] != pair[1]), None
    )
    return lowest if same is None else lowest[:same]


def few(names: Sequence[str], named: int = NAMED) -> str:
    """Name the first of several, on one line."""
    rest = f" and {len(names) - named:,} more" if len(names) > named else ""
    return ", ".join(map(display_name, names[:named])) + rest


def _of_the_test(
    paths: Sequence[PurePosixPath], marks: set[PurePosixPath], words: Vocabulary, layout: Layout
) -> dict[PurePosixPath, int | None]:
    """Return the images to be labelled, each with the position of its test folder; others are noted as left out."""
    splits: dict[PurePosixPath, list[Split | None]] = {
        path: [words.split(folder) for folder in path.parts[:-1]] for path in paths if path not in marks
    }
    tested = any("test" in found for found in splits.values())
    wanted: dict[PurePosixPath, int | None] = {}
    for path, found in splits.items():
        unused = next((one for one in found if one == "train" or (tested and one == "validation")), None)
        if unused:
            layout.left_out[str(path)] = unused
            continue
        container: Split = "test" if tested else "validation"
        at = found.index(container) if container in found else None
        wanted[path] = at if at is None or at + 1 < len(found) else None
    return wanted


def _places(images: dict[PurePosixPath, int | None], words: Vocabulary) -> dict[PurePosixPath, Place]:
    """Return where each labelled image lies."""
    places: dict[PurePosixPath, Place] = {
        path: (path.parts[:at], path.parts[at + 1]) for path, at in images.items() if at is not None
    }
    if places:
        return places
    folders = [path.parts[:-1] for path in images]
    groups = {one[:at] for one in folders for at, folder in enumerate(one) if words.kind(folder) == GOOD} or {
        _parting(folders)
    }
    for path in images:
        one = path.parts[:-1]
        at = next((at for at in range(len(one)) if one[:at] in groups), None)
        if at is not None and (words.split(one[at]) is None or words.kind(one[at]) is not None):
            places[path] = (one[:at], one[at])
    return places


def _parting(paths: Sequence[Folders]) -> Folders:
    """Return the folder in which paths part; of equal paths, the folder above the last."""
    shared = common_folders(paths)
    return shared[:-1] if all(one == shared for one in paths) else shared


def _beside_pictures(places: dict[PurePosixPath, Place]) -> list[PurePosixPath]:
    """List the files beside a type's pictures in ``rgb``, such as depth in ``xyz``."""
    pictures = {path for path in places if PICTURES in map(str.casefold, path.parts[:-1])}
    types = {places[path] for path in pictures}
    return [path for path, place in places.items() if place in types and path not in pictures]


_Key = tuple[Folders, str, str]  # folders of the product, type or "", file; "name/" for a folder of masks


@dataclass(frozen=True)
class _Keys:
    """The keys by which an image finds its masks, with names in one form."""

    words: Vocabulary
    form: Callable[[str], str]

    def of(self, product: Folders, label: str, file: str) -> _Key:
        """Leave out a product's last folder that holds its tests or its images: the masks may lie beside it."""
        last = product[-1] if product else ""
        general = self.words.split(last) is not None or last.casefold() in OF_IMAGES
        name, slash = file.removesuffix("/"), "/" if file.endswith("/") else ""
        return (
            tuple(map(self.form, product[:-1] if general else product)),
            self.form(label).casefold() if label else "",
            self.form(name) + slash,
        )

    def of_mask(self, path: PurePosixPath, below: Folders, folders: set[_Key]) -> list[_Key]:
        """Return the keys of a mask; `folders` holds those of images whose masks may lie in a folder of their own."""
        before = path.parts[: len(path.parts) - 1 - len(below)]
        kinds = below[1:]
        if not kinds:  # test/<type>/gt/x.png, or the masks of all types in one folder
            inner = [self.of(before[:-1], before[-1], path.name)] if before else []
            return [*inner, self.of(before, "", path.name)]
        own = self.of(before, kinds[0], f"{kinds[-1]}/")
        return [own if len(kinds) > 1 and own in folders else self.of(before, kinds[0], path.name)]


def _give_masks(
    layout: Layout,
    places: dict[PurePosixPath, Place],
    marks: dict[PurePosixPath, Folders],
    words: Vocabulary,
) -> None:
    """Give each defect its masks; name the masks that fit no image.

    An image finds masks of its name as written, else in the form of `safe_name`: umlauts that one system writes as one
    character and another system as two are the same name.
    """
    without = {path: place for path, place in places.items() if str(path) not in layout.no_images}
    unused = dict(marks)
    forms: tuple[Callable[[str], str], ...] = (str, safe_name)
    for form in forms:
        for path, found in _masks_by_name(without, unused, _Keys(words, form)).items():
            if words.kind(places[path][1]) != GOOD:
                layout.masks[str(path)] = sorted(map(str, found))
            del without[path]
            for mask in found:
                unused.pop(mask, None)
    if unused:
        noun = "mask" if len(unused) == 1 else "masks"
        layout.problems.append(
            f"No image belongs to {len(unused):,} {noun} ({few(sorted(map(str, unused)))})."
        )


def _masks_by_name(
    places: dict[PurePosixPath, Place], marks: dict[PurePosixPath, Folders], keys: _Keys
) -> dict[PurePosixPath, list[PurePosixPath]]:
    """Return the masks of the images that have some."""
    if not marks:
        return {}
    folders = {keys.of(product, label, f"{path.stem}/") for path, (product, label) in places.items()}
    by_key: dict[_Key, list[PurePosixPath]] = {}
    for path, below in marks.items():
        for key in keys.of_mask(path, below, folders):
            by_key.setdefault(key, []).append(path)
    found = {}
    for path, (product, label) in places.items():
        wanted = (
            keys.of(product, kind, path.stem + ending)
            for kind in (label, "")
            for ending in ("/", *MASK_ENDINGS)
        )
        if (first := next((key for key in wanted if key in by_key), None)) is not None:
            found[path] = by_key[first]
    return found
