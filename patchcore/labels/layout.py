"""Labels and masks read off the names of files: the layouts of MVTec AD, AD 2, LOCO and 3D, VisA's and BTAD's folders.

Names alone are read, so that a folder on disk and uploaded files with relative paths are labelled by the same rules.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import PurePosixPath

from patchcore.images.file_names import LONGEST_NAME, display_name, quoted, safe_name
from patchcore.labels.mask_names import MARKED, NUMBERED, PLAIN, image_stems, masks_beside
from patchcore.labels.words import GOOD, Split, Vocabulary, is_mask_folder, vocabulary

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
        The masks of a defect or of an image without a label, several where each part of a defect has its own.
    masks_of_good
        The masks of a good image, which should mark nothing.
    no_images
        Masks, and depth beside pictures.
    left_out
        Images to build from, and images for validation beside others for testing; their split.
    problems
        A sentence for each problem.
    """

    labels: dict[str, str] = field(default_factory=dict)
    masks: dict[str, list[str]] = field(default_factory=dict)
    masks_of_good: dict[str, list[str]] = field(default_factory=dict)
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
    beside = {
        PurePosixPath(mask): PurePosixPath(image)
        for mask, image in masks_beside(str(path) for path in paths if path not in marks).items()
    }
    images = _of_the_test(paths, {*marks, *beside}, words, layout)
    places = _places(images, words)
    layout.labels = {str(path): place[1] for path, place in places.items()}
    depth = _beside_pictures(places)
    layout.no_images = {str(path) for path in (*marks, *beside, *depth)}
    for path in depth:
        del layout.labels[str(path)]
        del places[path]
    for mask, image in beside.items():
        if image in images:
            layout.masks.setdefault(str(image), []).append(str(mask))
    loose = {path: (path.parts[:-1], "") for path in images if path not in places and path not in depth}
    _give_masks(layout, places | loose, {path: path.parts[:-1][at:] for path, at in marks.items()}, words)
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
    return ", ".join(quoted(name, LONGEST_NAME) for name in names[:named]) + rest


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


_Key = tuple[
    Folders, str, str, int
]  # folders of the product, type or "", stem of the image, way of naming it
FOLDER = -1  # the way in which a folder of masks is named after its image
WHOLE = -2  # the way of a long name, which `safe_name` has cut in the middle: image and mask, each as a whole
WAYS = (FOLDER, MARKED, PLAIN, NUMBERED, WHOLE)
ENDINGS = ("_mask.png", ".png")  # that make a mask's whole name of its image's


@dataclass(frozen=True)
class _Keys:
    """The keys by which an image finds its masks, with names in one form."""

    words: Vocabulary
    form: Callable[[str], str]

    def of(self, product: Folders, label: str, stem: str, way: int) -> _Key:
        """Leave out a product's last folder that holds its tests or its images: the masks may lie beside it."""
        last = product[-1] if product else ""
        general = self.words.split(last) is not None or last.casefold() in OF_IMAGES
        return (
            tuple(map(self.form, product[:-1] if general else product)),
            self.form(label).casefold() if label else "",
            self.form(stem),
            way,
        )

    def of_mask(self, path: PurePosixPath, below: Folders, folders: set[_Key]) -> list[_Key]:
        """Return the keys of a mask; `folders` holds those of images whose masks may lie in a folder of their own."""
        before = path.parts[: len(path.parts) - 1 - len(below)]
        kinds = below[1:]
        if kinds:
            label = kinds[0] if len(kinds) > 1 else ""
            own = self.of(before, label, kinds[-1], FOLDER)
            return [own] if own in folders else self._named(before, kinds[0], path)
        # test/<type>/gt/x.png, or the masks of all types in one folder
        inner = self._named(before[:-1], before[-1], path) if before else []
        return [*inner, *self._named(before, "", path)]

    def _named(self, product: Folders, label: str, path: PurePosixPath) -> list[_Key]:
        whole = self.of(product, label, path.name, WHOLE)
        return [*(self.of(product, label, stem, way) for way, stem in image_stems(path.stem)), whole]

    def of_image(self, path: PurePosixPath, place: Place, way: int) -> list[_Key]:
        """Return the keys by which an image asks for masks that are named in one way."""
        stems = [path.stem + ending for ending in ENDINGS] if way == WHOLE else [path.stem]
        return [self.of(place[0], kind, stem, way) for kind in (place[1], "") for stem in stems]


def _give_masks(
    layout: Layout,
    places: dict[PurePosixPath, Place],
    marks: dict[PurePosixPath, Folders],
    words: Vocabulary,
) -> None:
    """Give each image its masks; name the masks that fit no image.

    An image finds masks of its name as written, else in the form of `safe_name`, where umlauts that one system writes
    as one character and another system as two are the same name, else without regard to case.
    """
    without = {path: place for path, place in places.items() if str(path) not in layout.masks}
    unused = dict(marks)
    forms: tuple[Callable[[str], str], ...] = (str, safe_name, lambda name: safe_name(name).casefold())
    for form in forms:
        for path, found in _masks_by_name(without, unused, _Keys(words, form)).items():
            layout.masks[str(path)] = sorted(map(str, found))
            del without[path]
            for mask in found:
                unused.pop(mask, None)
    for path, (_, label) in places.items():
        if words.kind(label) == GOOD and str(path) in layout.masks:
            layout.masks_of_good[str(path)] = layout.masks.pop(str(path))
    if unused:
        noun = "mask" if len(unused) == 1 else "masks"
        layout.problems.append(
            f"No image belongs to {len(unused):,} {noun} ({few(sorted(map(str, unused)))}), or several do. Name a mask "
            "as its image, or as its image and _mask, in a folder called as the image's folder."
        )


def _masks_by_name(
    places: dict[PurePosixPath, Place], marks: dict[PurePosixPath, Folders], keys: _Keys
) -> dict[PurePosixPath, list[PurePosixPath]]:
    """Return the masks of the images that have some, each mask once."""
    if not marks:
        return {}
    types = {safe_name(label).casefold() for _, label in places.values()}
    folders = {
        keys.of(folders_of, kind, path.stem, FOLDER)
        for path, (folders_of, label) in places.items()
        for kind in ((label,) if safe_name(path.stem).casefold() in types else (label, ""))
    }
    by_key: dict[_Key, list[PurePosixPath]] = {}
    for path, below in marks.items():
        for key in keys.of_mask(path, below, folders):
            by_key.setdefault(key, []).append(path)
    defects = [path for path, (_, label) in places.items() if keys.words.kind(label) != GOOD]
    good = [path for path, (_, label) in places.items() if keys.words.kind(label) == GOOD]
    found: dict[PurePosixPath, list[PurePosixPath]] = {}
    used = set[PurePosixPath]()
    for way, paths in product(WAYS, (defects, good)):  # defects before good images
        claims: dict[_Key, list[PurePosixPath]] = {}
        for path in paths:
            wanted = [key for key in keys.of_image(path, places[path], way) if key in by_key]
            if wanted and path not in found:
                claims.setdefault(wanted[0], []).append(path)
        for key, claimants in claims.items():
            free = [mask for mask in by_key[key] if mask not in used]
            used.update(free)
            if free and len(claimants) == 1:  # of several images, a mask cannot say which one it means
                found[claimants[0]] = free
    return found
