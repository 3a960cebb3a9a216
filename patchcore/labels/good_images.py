"""The good images of a folder to build from: its folders' names say which images are good, defects and masks."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from patchcore.errors import NoImagesError
from patchcore.images.file_names import display_name, safe_name
from patchcore.labels.layout import PICTURES, Folders, common_folders, few, mask_folder
from patchcore.labels.mask_names import masks_beside
from patchcore.labels.words import DEFECT, GOOD, Vocabulary, is_mask_folder, vocabulary

MASK, DEPTH = "mask", "depth"
NAMED = 24  # folders named in a sentence
NUMBERS = frozenset({"0", "1"})


@dataclass(frozen=True)
class GoodImages:
    """The images of a folder that an inspector is built from.

    Attributes
    ----------
    names
        Of the images taken, in their order.
    left_out
        Name of an image -> why it was left out.
    remarks
        What was taken and what was left out, a sentence each; empty where nothing was in doubt.
    """

    names: list[str]
    left_out: dict[str, str]
    remarks: list[str]


@dataclass(frozen=True)
class _File:
    name: str
    folders: Folders
    kind: str | None
    split: str | None

    @property
    def folder(self) -> str:
        return display_name("/".join(self.folders)) or "the folder itself"


def choose_good(names: Iterable[str], root: str = "") -> GoodImages:
    """Choose the images to build from, by the names of their folders.

    Good images in a folder of training are preferred, then good images outside any split, then those for validation,
    then those for testing. Where no folder's name means good, the images in folders of unknown names are taken.

    Parameters
    ----------
    names
        Of the images, relative, with forward slashes.
    root
        Name of the folder that holds them all, if it is not in the names.

    Raises
    ------
    NoImagesError
        The names say that all images are defects or masks.
    """
    files = _files(list(names), root, vocabulary())
    ranks = [
        [file for file in files if (file.kind, file.split) in accepted]
        for accepted in (
            {(GOOD, "train")},
            {(None, "train")},
            {(GOOD, None)},
            {(GOOD, "validation")},
            {(GOOD, "test")},
            {(None, None)},
            {(None, "validation"), (None, "test")},
        )
    ]
    taken = next((rank for rank in ranks if rank), [])
    if files and not taken:
        raise NoImagesError(_refusal(files, root))
    above = {_above_pictures(file) for file in taken if _in_pictures(file)}
    depth = {file.name for file in taken if not _in_pictures(file) and file.folders[:-1] in above}
    taken = [file for file in taken if file.name not in depth]
    chosen = {file.name for file in taken}
    rest = [
        replace(file, kind=DEPTH) if file.name in depth else file for file in files if file.name not in chosen
    ]
    return GoodImages(
        [file.name for file in taken], {file.name: _reason(file) for file in rest}, _remarks(taken, rest)
    )


def _files(names: Sequence[str], root: str, words: Vocabulary) -> list[_File]:
    above = (root,) if root else ()
    paths = [above + PurePosixPath(name).parts[:-1] for name in names]
    shared = len(common_folders(paths))
    numbered = _numbered(paths)
    kinds = [_kind(path, shared, shared, numbered, words) for path in paths]
    if GOOD not in kinds:  # a folder that holds all images may say what they are, such as train/good
        kinds = [_kind(path, 0, shared, numbered, words) for path in paths]
    if GOOD not in kinds:  # a folder below the masks is called as the defects that they mark
        marks = (path[at + 1 :] for path in paths if (at := mask_folder(path)) is not None)
        types = {safe_name(folder) for folders in marks for folder in folders}
        kinds = [
            DEFECT if kind is None and types & {*map(safe_name, path)} else kind
            for kind, path in zip(kinds, paths, strict=True)
        ]
    beside = masks_beside(names)
    kinds = [MASK if name in beside else kind for name, kind in zip(names, kinds, strict=True)]
    splits = [[split for folder in path if (split := words.split(folder))] for path in paths]
    return [
        _File(name, path[len(above) :], kind, found[-1] if found else None)
        for name, path, kind, found in zip(names, paths, kinds, splits, strict=True)
    ]


def _kind(path: Folders, first: int, shared: int, numbered: set[Folders], words: Vocabulary) -> str | None:
    """Return what a path's folders from the first one on say: masks below the shared folders, else the deepest word."""
    kind: str | None = None
    for at in range(first, len(path)):
        if is_mask_folder(path[at]):
            kind = MASK
            if at >= shared:
                break
        elif not path[at].isdecimal() or path[:at] in numbered:
            kind = words.kind(path[at]) or kind
    return kind


def _numbered(folders: Iterable[Folders]) -> set[Folders]:
    """Find the folders that hold 0 and 1 and no other number; else numbers may count cameras or days."""
    below: dict[Folders, set[str]] = {}
    for parts in folders:
        for at, folder in enumerate(parts):
            below.setdefault(parts[:at], set()).add(folder)
    return {
        parent for parent, inside in below.items() if {one for one in inside if one.isdecimal()} == NUMBERS
    }


def _in_pictures(file: _File) -> bool:
    return PICTURES in [folder.casefold() for folder in file.folders]


def _above_pictures(file: _File) -> Folders:
    return file.folders[: [folder.casefold() for folder in file.folders].index(PICTURES)]


def _reason(file: _File) -> str:
    what = {
        GOOD: "good images of another split",
        DEFECT: "defects",
        MASK: "masks",
        DEPTH: "other data beside the pictures in rgb",
    }.get(file.kind or "", "images without a word for good parts, beside a folder that has one")
    return f"lies in {file.folder}: {what}. Choose that folder itself to build from it."


def _remarks(taken: Sequence[_File], rest: Sequence[_File]) -> list[str]:
    several = len({file.folders for file in taken}) > 1
    if not rest and (not several or all(file.kind == GOOD for file in taken)):
        return []
    remarks = [f"Taken as good: {_by_folder(taken)}."]
    if any(file.kind is None for file in taken) and several:
        remarks[0] += (
            " These names do not say what the folders hold. If one of them holds defects, build from the folder of "
            "good images alone, or name it good."
        )
    groups = {
        DEFECT: "Left out as defects",
        MASK: "Left out as masks",
        GOOD: "Left out as good images of another split",
        DEPTH: "Left out beside pictures in rgb",
        None: "Left out, without a word for good parts",
    }
    for kind, words in groups.items():
        if out := [file for file in rest if file.kind == kind]:
            remarks.append(f"{words}: {_by_folder(out)}.")
    return remarks


def _refusal(files: Sequence[_File], root: str) -> str:
    where = f"{display_name(root)} holds" if root else "These folders hold"
    return (
        f"{where} defects or masks alone, by the names of the folders: {_by_folder(files)}. An inspector is built from "
        "images of good parts; choose their folder, such as train/good. If one of these names means good, add it to "
        "the environment variable PATCHCORE_GOOD_WORDS."
    )


def _by_folder(files: Sequence[_File]) -> str:
    counts = Counter(file.folder for file in files)
    return few([f"{folder} ({count:,})" for folder, count in counts.items()], NAMED)
