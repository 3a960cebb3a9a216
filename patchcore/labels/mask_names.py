"""The names of masks and annotation files: the image that a mask belongs to, by what its name adds to the image's."""

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from patchcore.images.file_names import IMAGE_SUFFIXES, is_hidden, safe_name

ANNOTATION_SUFFIXES = frozenset({".json", ".xml"})

_WORD = (
    r"(?:(?:defect|anomaly|binary|pixel)[_\-. ]?)?"
    r"(?:masks?|masken?|masques?|gts?|ground[_\-. ]?truth|labels?|seg|segm|segmentation|annotations?|anno)"
)
_COUNT = r"[_\-. ]?[(]?\d{0,4}[)]?"
_AFTER = re.compile(
    rf"(?P<image>.+?)(?P<gap>[_\-. ]*){_WORD}{_COUNT}", re.IGNORECASE
)  # 000_mask, 000.gt, 000-Mask2
_BEFORE = re.compile(rf"{_WORD}[_\-. ]+(?P<image>.+)", re.IGNORECASE)  # mask_000
_NUMBERED = re.compile(r"(?P<image>.+?)[_\-. ]+[(]?\d{1,4}[)]?")  # 000_1, 000 (2)

MARKED, PLAIN, NUMBERED = range(3)
"""Ways in which a mask's name names its image, the strongest first: with a word, by the equal name, with a number."""


def is_annotation(name: str) -> bool:
    """Whether a file may hold annotations, by its name."""
    path = PurePosixPath(name)
    return path.suffix.lower() in ANNOTATION_SUFFIXES and not is_hidden(path.parts)


def image_stems(stem: str) -> Iterator[tuple[int, str]]:
    """Yield the stems of the images that a file in a folder of masks may belong to: (way, stem).

    Examples
    --------
    >>> list(image_stems("000_mask1"))
    [(1, '000_mask1'), (0, '000')]
    """
    yield from ((PLAIN, one) for one in _without_suffix(stem))
    for way, pattern in ((MARKED, _AFTER), (MARKED, _BEFORE), (NUMBERED, _NUMBERED)):
        if found := pattern.fullmatch(stem):
            yield from ((way, one) for one in _without_suffix(found["image"]))


def masks_beside(names: Iterable[str]) -> dict[str, str]:
    """Find the masks that lie beside their images: name of a mask -> name of its image.

    Such a mask has a word for masks after its image's name: ``000_mask.png`` or ``000_GT.tif`` beside ``000.jpg``.

    Parameters
    ----------
    names
        Of image files, relative, with forward slashes.
    """
    paths = {name: PurePosixPath(name) for name in names}
    images = {_key(path.parent, path.stem): name for name, path in reversed(paths.items())}
    found = {}
    for name, path in paths.items():
        match = _AFTER.fullmatch(path.stem)
        if match is None or not match["gap"]:
            continue
        stems = (_key(path.parent, stem) for stem in _without_suffix(match["image"]))
        if (image := next((images[stem] for stem in stems if stem in images), None)) is not None:
            found[name] = image
    return found


def _key(folder: PurePosixPath, stem: str) -> tuple[str, str]:
    return safe_name(str(folder)), safe_name(stem).casefold()


def _without_suffix(stem: str) -> list[str]:
    """Return a stem, and without the ending of an image that some programs leave in it: ``000.jpg_mask.png``."""
    path = PurePosixPath(stem)
    return [stem, path.stem] if path.suffix.lower() in IMAGE_SUFFIXES else [stem]
