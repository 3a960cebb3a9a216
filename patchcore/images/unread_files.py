"""Files that are not read as images: counted by kind, and a sentence where a folder holds nothing else."""

import os
import stat
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path, PurePath

from patchcore.images.file_names import IMAGE_SUFFIXES, display_name, is_hidden
from patchcore.images.formats import foreign_kind, is_text, sniff_format

HEAD = 512  # bytes that tell the kinds of files apart
MOST_FILES = 1_000  # files that are opened to learn their kind
FOLDER_LINK, DEAD_LINK, LINK = "link to a folder", "link that leads nowhere", "link"
HIDDEN, EMPTY, TEXT, DEVICE = "hidden file", "empty file", "text file", "device or pipe"
CLOSED, SUBFOLDER, FURTHER = "file or folder that cannot be opened", "subfolder", "further file"
MISNAMED, UNKNOWN = "image without an image's ending", "file of an unknown kind"

PLAIN_KINDS = frozenset({HIDDEN, TEXT, FOLDER_LINK, SUBFOLDER, FURTHER})
"""Kinds of files that are no pictures, and need no word beside images that were read."""

_PLURALS = {
    FOLDER_LINK: "links to folders",
    DEAD_LINK: "links that lead nowhere",
    DEVICE: "devices or pipes",
    CLOSED: "files or folders that cannot be opened",
    MISNAMED: "images without an image's ending",
    UNKNOWN: "files of an unknown kind",
}
_REMEDIES = {
    FOLDER_LINK: "A link to a folder is not followed; name that folder itself.",
    DEAD_LINK: "Copy the images that the links led to.",
    LINK: "Links are not followed; copy the images themselves.",
    HIDDEN: "A hidden file is never read; give it a name without the dot in front.",
    EMPTY: "Copy an empty file again from where it came.",
    DEVICE: "Copy the images to ordinary files.",
    CLOSED: "Check the permissions.",
    SUBFOLDER: "Name a subfolder, or have subfolders looked into.",
    MISNAMED: "Give each image an ending such as .png.",
}
_EXPORT = "Export pictures as PNG, JPEG, TIFF, BMP, WebP or PGM."
_NO_PICTURES = frozenset({*_REMEDIES, TEXT, FURTHER})


def kind_of(name: str, head: bytes) -> str:
    """Return the kind of a file that is not read as an image, a noun, by its name and its first bytes."""
    if is_hidden(PurePath(name).parts):
        return HIDDEN
    if what := foreign_kind(head):
        return what.partition(" ")[2]  # without its article
    if not head:
        return EMPTY
    if sniff_format(head) is not None:
        return MISNAMED
    if is_text(head):
        return TEXT
    suffix = PurePath(name).suffix
    return f"{display_name(suffix.lower())} file" if 1 < len(suffix) <= 12 else UNKNOWN


def contents_of(
    folder: Path, *, subfolders: bool = True, links: bool = True, exclude: Collection[Path] = ()
) -> Counter[str]:
    """Count the files below a folder that are not read as images, by their kinds.

    Parameters
    ----------
    subfolders
        Whether folders below are looked into.
    links
        Whether links to files are read.
    exclude
        Folders, and links to folders, that are neither counted nor looked into.
    """
    counts: Counter[str] = Counter()

    def closed(_: OSError) -> None:
        counts[CLOSED] += 1

    looked_at = 0
    for where, folders, files in os.walk(folder, onerror=closed):
        here = Path(where)
        wanted = [name for name in folders if here / name not in exclude]
        counts[FOLDER_LINK] += sum((here / name).is_symlink() for name in wanted)
        inner = [name for name in wanted if not (is_hidden((name,)) or (here / name).is_symlink())]
        folders[:] = sorted(inner) if subfolders else []
        counts[SUBFOLDER] += 0 if subfolders else len(inner)
        for name in files:
            looked_at += 1
            kind = FURTHER if looked_at > MOST_FILES else _kind_on_disk(here / name, links)
            if kind is not None:
                counts[kind] += 1
    return +counts


def why_no_images(place: str, contents: Mapping[str, int]) -> str:
    """Return a sentence on a folder or an upload without images: the files it holds, the reason and the remedy."""
    shown = display_name(place)
    if not contents:
        return f"{shown} holds no images: it is empty. Put images into it, or choose another place."
    remedies = [_REMEDIES[kind] for kind in contents if kind in _REMEDIES]
    if not _NO_PICTURES.issuperset(contents) or not remedies:
        remedies.insert(0, _EXPORT)
    return " ".join([f"{shown} holds no images that can be read: {counted(contents)}.", *remedies])


def counted(contents: Mapping[str, int]) -> str:
    """Return kinds with their counts in words, the most frequent first.

    Examples
    --------
    >>> counted({"link": 2, "GIF": 3, "text file": 1})
    '3 GIFs, 2 links, 1 text file'
    """
    order = sorted(contents.items(), key=lambda entry: (-entry[1], entry[0]))
    return ", ".join(f"{count:,} {_noun(kind, count)}" for kind, count in order)


def _noun(kind: str, count: int) -> str:
    return kind if count == 1 else _PLURALS.get(kind, f"{kind}s")


def _kind_on_disk(path: Path, links: bool) -> str | None:
    """Return the kind of a file; None for one that is read as an image."""
    kind = None
    try:
        status = path.stat()
        if is_hidden((path.name,)):
            kind = HIDDEN
        elif path.is_symlink() and not links:
            kind = LINK
        elif not stat.S_ISREG(status.st_mode):
            kind = DEVICE
        elif path.suffix.lower() not in IMAGE_SUFFIXES:
            with path.open("rb") as file:
                kind = kind_of(path.name, file.read(HEAD))
    except OSError as fault:
        gone = isinstance(fault, FileNotFoundError)
        kind = DEAD_LINK if path.is_symlink() else None if gone else CLOSED
    return kind
