"""The drawings of a set's images: annotation files are read, and each of their images is found in the set."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from patchcore.errors import DataError, ImageError
from patchcore.images.file_names import display_name, quoted, safe_name, shortened
from patchcore.labels.annotated_image import AnnotatedImage
from patchcore.labels.annotations import read_annotations
from patchcore.labels.drawing import Drawing
from patchcore.labels.layout import OF_IMAGES, Layout, few
from patchcore.labels.masks import read_marks
from patchcore.labels.words import DEFECT, GOOD, LONGEST_LABEL, Vocabulary, marks_nothing, short_label

Parts = tuple[str, ...]


@dataclass
class Drawings:
    """What annotation files say of a set's images.

    Attributes
    ----------
    of_image
        Name of an image -> its drawing.
    classes
        Name of an image that a file lists -> the classes of its defects as they are written, the most frequent first;
        empty where the file marks no defect, not even by a line.
    problems
        A sentence for each problem.
    """

    of_image: dict[str, Drawing] = field(default_factory=dict)
    classes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def read_drawings(files: Mapping[str, bytes | Path], images: Iterable[str], words: Vocabulary) -> Drawings:
    """Read annotation files and give each image its drawing.

    An image is found by its path in the file, then by the longest end of the path that one image alone has, then by
    the annotation file's own name. A mark is a defect unless its class is a word for good parts or for background.

    Parameters
    ----------
    files
        Annotation files by name: relative, with forward slashes, as the images' names.
    images
        Names of all images of the set, those that are not measured too.
    words
        The words in force.
    """
    found, finder = Drawings(), _Finder(images)
    parts: dict[str, list[AnnotatedImage]] = {}
    for file, source in files.items():
        try:
            annotated = read_annotations(source, file)
        except DataError as fault:
            found.problems.append(str(fault))
            continue
        _give(file, annotated, finder, parts, found)
    for image, several in parts.items():
        _draw(image, several, words, found)
    return found


def _give(
    file: str,
    annotated: Sequence[AnnotatedImage],
    finder: "_Finder",
    parts: dict[str, list[AnnotatedImage]],
    found: Drawings,
) -> None:
    """Give each image of a file to the set's image of that name; say which ones have none, or several."""
    shown = display_name(file)
    ignored = sum((one.ignored for one in annotated), Counter[str]())
    if ignored:
        counts = ", ".join(f"{count:,} {quoted(kind, LONGEST_LABEL)}" for kind, count in ignored.items())
        found.problems.append(f"{shown}: shapes without an area mark nothing and were not read ({counts}).")
    absent, unclear = list[str](), list[str]()
    for one in annotated:
        matches = finder.find(one.name, PurePosixPath(file), alone=len(annotated) == 1)
        if len(matches) == 1:
            parts.setdefault(matches[0], []).append(one)
            found.problems += [
                f"{shown}, {display_name(matches[0])}: {fault}. Mend it; the image counts without its mask."
                for fault in one.faults[:1]
            ]
        else:
            (unclear if matches else absent).append(shortened(one.name) or "an image without a name")
    if absent:
        count = f"{len(absent):,} image{'' if len(absent) == 1 else 's'}"
        found.problems.append(f"{shown} describes {count} that the set does not hold: {few(absent)}.")
    if unclear:
        found.problems.append(
            f"{shown}: several images are called {few(unclear)}; the file must name their folders, or lie beside them."
        )


def _draw(image: str, several: Sequence[AnnotatedImage], words: Vocabulary, found: Drawings) -> None:
    marks = [(label, mark) for one in several for label, mark in one.marks if not marks_nothing(label, words)]
    if marks or not any(one.faults or one.ignored for one in several):
        found.classes[image] = tuple(label for label, _ in Counter(label for label, _ in marks).most_common())
    if any(one.faults for one in several):
        return
    sizes = {one.size for one in several if one.size is not None and one.marks}
    if len(sizes) > 1:
        found.problems.append(
            f"{display_name(image)}: its annotation files are drawn for images of different sizes; none was read. "
            "Export them for the image itself."
        )
    elif marks:
        found.of_image[image] = Drawing(tuple(mark for _, mark in marks), next(iter(sizes), None))


class _Finder:
    """Finds the images of a set by names that other programs have written."""

    def __init__(self, images: Iterable[str]) -> None:
        self._by_name: dict[str, list[tuple[Parts, str]]] = {}
        for image in images:
            parts = _parts(image)
            for key in {parts[-1], _stem(parts[-1])}:
                self._by_name.setdefault(key, []).append((parts, image))

    def find(self, written: str, file: PurePosixPath, *, alone: bool) -> list[str]:
        """Return the images that a name may mean; the folders of the annotation file decide between equal names.

        A file of one image alone may have the image's name itself.
        """
        *folders, last = _parts(str(file))
        beside, wanted = tuple(folders), _parts(written) if written else ()
        tries = [wanted, (*wanted[:-1], _stem(wanted[-1]))] if wanted else []
        for names in [*tries, *([(_stem(last),)] if alone else [])]:
            candidates = self._by_name.get(names[-1], [])
            if candidates:
                best = [_likeness(names, beside, parts) for parts, _ in candidates]
                return [image for like, (_, image) in zip(best, candidates, strict=True) if like == max(best)]
        return []


def _likeness(wanted: Parts, beside: Parts, image: Parts) -> tuple[int, int, int]:
    """Count the folders in which a written path and an image's path end alike, and those shared with the file."""
    alike = 0
    for ours, theirs in zip(reversed(wanted[:-1]), reversed(image[:-1]), strict=False):
        if ours != theirs:
            break
        alike += 1
    return alike, int(image[:-1] == beside), len(set(beside) & set(image[:-1]))


def _parts(name: str) -> Parts:
    return PurePosixPath(safe_name(name).casefold()).parts


def _stem(name: str) -> str:
    return PurePosixPath(name).stem


def add_drawings(
    layout: Layout,
    files: Mapping[str, bytes | Path],
    sources: Mapping[str, bytes | Path],
    words: Vocabulary,
) -> dict[str, Drawing]:
    """Read a set's annotation files into its layout, and say which masks are missing or contradict a label.

    An image without a label gets the class of its marks, or the word for a good part where a file lists it without a
    defect. Where no folder means good, the classes outweigh the folders.

    Parameters
    ----------
    layout
        Its labels and problems are completed.
    files
        Annotation files by name.
    sources
        All images and masks by name, those that are left out too.
    words
        The words in force.

    Returns
    -------
    dict
        Name of a defect's image -> its drawing.
    """
    found = read_drawings(files, (name for name in sources if name not in layout.no_images), words)
    layout.problems += found.problems
    by_class = _label_by_class(layout, found, words)
    if by_class:
        layout.problems.append(
            f"{_counted(by_class)} labelled by annotation files, for want of a folder or a line of a table that does."
        )
    good = {name for name, label in layout.labels.items() if words.kind(label) == GOOD}
    contradictions = [name for name in found.of_image if name in good]
    contradictions += [
        name
        for name, masks in layout.masks_of_good.items()
        if any(map(_marks_something, (sources[mask] for mask in masks)))
    ]
    if contradictions:
        layout.problems.append(
            f"{_counted(contradictions)} labelled good, though a mask marks a defect there; the mask was not used. "
            "Correct the label or the mask."
        )
    drawn = {
        name: drawing
        for name, drawing in found.of_image.items()
        if name in layout.labels and name not in good
    }
    without = [name for name in layout.labels if name not in {*good, *drawn, *layout.masks}]
    if without and (drawn or layout.masks or layout.masks_of_good or files):
        layout.problems.append(
            f"{_counted(without)} with a defect, but without a mask; it counts among the images, not among the pixels."
            if len(without) == 1
            else f"{_counted(without)} with a defect, but without a mask; they count among the images, not the pixels."
        )
    return drawn


def _label_by_class(layout: Layout, found: Drawings, words: Vocabulary) -> list[str]:
    """Label images by the classes of their marks, and return their names."""
    folders_tell = any(words.kind(label) == GOOD for label in layout.labels.values())
    labelled = []
    for name, classes in found.classes.items():
        label = layout.labels.get(name)
        if name in layout.left_out or (label is not None and folders_tell):
            continue
        if label is None or classes or label.casefold() in OF_IMAGES:
            layout.labels[name] = (short_label(classes[0]) or DEFECT) if classes else GOOD
            labelled.append(name)
    return labelled


def _marks_something(source: bytes | Path) -> bool:
    try:
        return bool(read_marks(source).pixels.any())
    except (ImageError, DataError):
        return False  # a good image needs no mask


def _counted(names: Sequence[str]) -> str:
    return f"{len(names):,} image{'' if len(names) == 1 else 's'} ({few(names)})"
