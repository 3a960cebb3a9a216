"""Labelled sets as users hand them in: folders in MVTec's layout, or images with a table of labels."""

import io
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from patchcore.errors import DataError, ImageError, NoImagesError, shortened_sentence
from patchcore.images.file_names import composed, names_on_disk, written_name
from patchcore.labels.drawing import Drawing
from patchcore.labels.layout import few, read_names
from patchcore.labels.masks import Marks, mask_of, note, sentences
from patchcore.labels.problems import Problems
from patchcore.labels.set_annotations import add_drawings
from patchcore.labels.words import (
    GOOD,
    NothingGood,
    Vocabulary,
    require_good,
    short_label,
    vocabulary,
    written_labels,
)
from workbench.inspections.batches import create_batch, image_size
from workbench.inspections.purpose import Purpose
from workbench.people.roles import Role, require
from workbench.storage.tables import EVALUATION, PRODUCTION, Batch
from workbench.storage.workspace import NamedImage, Workspace
from workbench.uploads.image_set import FOR_LABELS, Upload, UploadSet

MOST_PROBLEMS = 5_000  # that are kept with a set
LONGEST_SENTENCE = 5_000  # characters


@dataclass(frozen=True)
class Reading:
    """What was found in reading the files of a labelled set; it is stored with the set's batch.

    Attributes
    ----------
    labels
        Which labels were taken as good and which as defects; empty where no image came with one.
    problems
        A sentence for each problem.
    """

    labels: str = ""
    problems: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for the database; of very many or very long sentences, the beginning."""
        problems = [_cut(problem) for problem in self.problems[:MOST_PROBLEMS]]
        if further := len(self.problems) - len(problems):
            problems.append(f"{further:,} further remarks are not kept.")
        return {"labels": _cut(self.labels), "problems": problems}

    @classmethod
    def of(cls, batch: Batch) -> "Reading":
        """Return what is stored with a batch; nothing for a batch that was not handed in with labels."""
        stored = batch.reading or {}
        return cls(stored.get("labels", ""), tuple(stored.get("problems", ())))


@dataclass(frozen=True)
class ImportedSet:
    """A labelled set that was brought in.

    Attributes
    ----------
    batch_id
        Its batch.
    reading
        What was found in reading its files.
    """

    batch_id: int
    reading: Reading

    @property
    def problems(self) -> list[str]:
        """A sentence for each problem."""
        return list(self.reading.problems)

    @property
    def labels(self) -> str:
        """Which labels were taken as good and which as defects."""
        return self.reading.labels


@dataclass
class Labels:
    """The labels of a set's images, by the names under which the images were handed in.

    Attributes
    ----------
    truth
        "good" or the defect type.
    written
        The label as it was written.
    masks
        The masks of an image, several where each part of a defect has its own.
    drawings
        The drawing of an image in an annotation file.
    no_images
        Files that are not to be inspected: masks, and depth beside pictures.
    problems
        A sentence for each problem.
    """

    truth: dict[str, str] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    masks: dict[str, list[str]] = field(default_factory=dict)
    drawings: dict[str, Drawing] = field(default_factory=dict)
    no_images: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)


def import_labelled(
    workspace: Workspace,
    inspector_id: str,
    uploads: UploadSet,
    name: str,
    good_labels: Iterable[str] | None = None,
) -> ImportedSet:
    """Take in images with their labels, as a batch that counts as evaluation.

    Labels come from a table where there is one (`patchcore.evaluation.label_table.read_labels`), else from folders
    (`patchcore.labels.layout.read_names`). Images to build from are left out; those without a label come in too.

    Parameters
    ----------
    uploads
        From `workbench.uploads.intake`.
    name
        Name of the batch.
    good_labels
        Labels that the user has called good, beside the known words; an empty list says that all are defects. None:
        the user has not been asked.

    Raises
    ------
    NoImagesError
        When there is no image to inspect.
    NothingGood
        When no label means good, and `good_labels` is None; its `labels` are those to ask about. Nothing was stored
        as a batch.
    """
    require(Role.OPERATE, "bring images in")
    uploads.require_images(name)
    words = vocabulary(good_labels or ())
    labels = _labels(workspace, uploads, words)
    return _take_in(workspace, inspector_id, uploads, name, words, labels, ask=good_labels is None)


def _take_in(
    workspace: Workspace,
    inspector_id: str,
    uploads: UploadSet,
    name: str,
    words: Vocabulary,
    labels: Labels,
    *,
    ask: bool,
) -> ImportedSet:
    """Take in images with the labels that were read; `ask`: refuse a set in which nothing is good."""
    problems = _left_out(uploads, name)
    left_out = read_names((upload.name for upload in uploads), words).left_out
    wanted = [upload for upload in uploads if upload.name not in left_out]
    if left := len(left_out):
        below = " or ".join(sorted(set(left_out.values())))
        problems.append(
            f"{left:,} image{'' if left == 1 else 's'} below {below} {'was' if left == 1 else 'were'} left out: what "
            "an inspector is built from says nothing of how well it inspects."
        )
    counts = written_labels((labels.written[name], kind != GOOD) for name, kind in labels.truth.items())
    if ask:
        require_good(name, counts)
    images = _with_labels(workspace, {upload.name: upload for upload in uploads}, wanted, labels)
    unlabelled = [image.name for image in images if image.truth is None]
    if unlabelled:
        labels.problems.append(f"{_counted(unlabelled)} without a label: label here what you know of them.")
    reading = Reading(counts.sentence if labels.truth else "", tuple(problems + labels.problems))
    purpose: Purpose = EVALUATION if labels.truth else PRODUCTION
    batch_id = create_batch(workspace, inspector_id, images, name, reading.to_dict(), purpose)
    return ImportedSet(batch_id, reading)


def import_images(workspace: Workspace, inspector_id: str, uploads: UploadSet, name: str) -> ImportedSet:
    """Take in images to inspect, as a batch, with the labels that a table or the names of folders give them.

    Masks are no images to inspect. Where the labels hold a word for good parts, the images are taken in as by
    `import_labelled`. Otherwise only folders with a word for defects, such as NG, label their images; other folders may
    count cameras or days. Images that come with labels are an evaluation set.

    Parameters
    ----------
    uploads, name
        As for `import_labelled`.

    Raises
    ------
    NoImagesError
        When there is no image to inspect.
    """
    require(Role.OPERATE, "bring images in")
    uploads.require_images(name)
    words, refused = vocabulary(), list[str]()
    found = labels_of_folders(_sources(uploads), words, _annotations(uploads))
    if uploads.tables or GOOD in found.truth.values():
        try:
            labels = _labels(workspace, uploads, words) if uploads.tables else found
            return _take_in(workspace, inspector_id, uploads, name, words, labels, ask=True)
        except NothingGood as error:
            refused = [
                f"{error} The labels were left out; bring the set on Evaluate, which asks what means good."
            ]
    truth = {of: label for of, label in found.truth.items() if not refused and words.kind(found.written[of])}
    masks = [upload.name for upload in uploads if upload.name in found.no_images]
    if masks:
        refused.append(f"{_counted(masks)} left out: masks, by the names of their folders.")
    images = [
        workspace.store_image(upload.data, upload.name, truth=truth.get(upload.name))
        for upload in uploads
        if upload.name not in found.no_images
    ]
    counts = written_labels((found.written[of], True) for of in truth)
    reading = Reading(counts.sentence if truth else "", (*_left_out(uploads, name), *refused))
    purpose: Purpose = EVALUATION if truth else PRODUCTION
    batch_id = create_batch(workspace, inspector_id, images, name, reading.to_dict(), purpose)
    return ImportedSet(batch_id, reading)


def labels_of_folders(
    sources: Mapping[str, bytes | Path],
    words: Vocabulary | None = None,
    annotations: Mapping[str, bytes | Path] | None = None,
) -> Labels:
    """Read labels and masks off the names of files, as `patchcore.labels.layout.read_names` does.

    Parameters
    ----------
    sources
        Images and masks by name: relative, with forward slashes, as `UploadSet` has them.
    words
        The words in force; None: `vocabulary`.
    annotations
        Annotation files by name.
    """
    words = words or vocabulary()
    layout = read_names(sources, words)
    drawings = add_drawings(layout, annotations or {}, sources, words)
    truth = {
        name: GOOD if words.kind(label) == GOOD else short_label(label)
        for name, label in layout.labels.items()
    }
    return Labels(truth, layout.labels, layout.masks, drawings, layout.no_images, layout.problems)


def _labels(workspace: Workspace, uploads: UploadSet, words: Vocabulary) -> Labels:
    labels, unread = Labels(), []
    for table in uploads.tables:
        try:
            labels = _labels_of_table(workspace, table, uploads, words)
        except (DataError, NoImagesError) as error:
            unread.append(str(error))
            continue
        others = [other.name for other in uploads.tables if other is not table]
        if others:
            labels.problems.append(f"Labels were read from {table.name} alone; besides it: {few(others)}.")
        break
    else:
        labels = labels_of_folders(_sources(uploads), words, _annotations(uploads))
    labels.problems[:0] = unread
    return labels


def _sources(uploads: UploadSet) -> dict[str, bytes | Path]:
    return {upload.name: upload.data for upload in uploads}


def _annotations(uploads: UploadSet) -> dict[str, bytes | Path]:
    return {one.name: one.data for one in uploads.annotations}


def _labels_of_table(workspace: Workspace, table: Upload, uploads: UploadSet, words: Vocabulary) -> Labels:
    """Lay the files out as they were handed in: the table names them by their paths."""
    from patchcore.evaluation.label_table import read_labels

    uploaded = [*uploads, *uploads.annotations]
    *laid_out, place_of_table = names_on_disk(
        written_name(name) for name in (*(upload.name for upload in uploaded), table.name)
    )
    names: dict[str, str] = {place: upload.name for place, upload in zip(laid_out, uploaded, strict=True)}
    with workspace.draft_folder() as folder:

        def named(path: Path) -> str:
            return names[composed(path.resolve().relative_to(folder.resolve()).as_posix())]

        for laid, upload in zip(laid_out, uploaded, strict=True):
            _lay_out(upload.data, folder / laid)
        place = folder / place_of_table
        _lay_out(table.data, place)
        images, problems = read_labels(place, words, within=folder)
        labels = Labels(problems=list(problems))
        for labelled in images:
            name = named(labelled.path)
            labels.truth[name], labels.written[name] = labelled.defect_type, labelled.label
            if labelled.drawing is not None:
                labels.drawings[name] = labelled.drawing
            if labelled.mask_path is not None:
                paths = (labelled.mask_path, *labelled.further_masks)
                labels.masks[name] = [named(path) for path in paths]
    masks = {mask for several in labels.masks.values() for mask in several}
    labels.no_images = masks | (read_names(_sources(uploads), words).no_images - labels.truth.keys())
    return labels


def _with_labels(
    workspace: Workspace, uploads: Mapping[str, Upload], wanted: Iterable[Upload], labels: Labels
) -> list[NamedImage]:
    """Store the images to inspect with their masks; a mask that cannot be used is left out and becomes a problem."""
    images, notes = list[NamedImage](), dict[str, list[str]]()
    for upload in wanted:
        if (name := upload.name) in labels.no_images:
            continue
        image, mask = workspace.store_image(upload.data, name), None
        pictures = [(one, uploads[one].data) for one in labels.masks.get(name, [])]
        drawing = labels.drawings.get(name)
        if (pictures or drawing) and labels.truth.get(name, GOOD) != GOOD:
            try:
                marks = mask_of(pictures, drawing, image_size(workspace, image.sha256))
                note(notes, name, marks)
                mask = _stored(workspace, name, marks)
            except (ImageError, DataError) as error:
                labels.problems.append(f"{_naming(name, error)} The image came in without its mask.")
        images.append(NamedImage(image.sha256, name, labels.truth.get(name), mask))
    labels.problems += sentences(notes)
    return images


def _naming(name: str, error: Exception) -> str:
    """Return an error's sentence with the image's name, if the sentence does not hold the name of a file."""
    return str(error) if isinstance(error, ImageError) else f"{name}: {error}"


def _stored(workspace: Workspace, name: str, marks: Marks | None) -> str | None:
    """Store marks as a mask in black and white, and return its SHA-256."""
    if marks is None:
        return None
    packed = io.BytesIO()
    Image.fromarray(marks.pixels.astype(np.uint8) * 255).save(packed, "PNG")
    return workspace.store_image(packed.getvalue(), f"{name}_mask.png").sha256


def _lay_out(source: bytes | Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(source, bytes):
        target.write_bytes(source)
        return
    try:
        os.link(source, target)
    except OSError:  # a file system without links, or another one
        shutil.copyfile(source, target)


def _left_out(uploads: UploadSet, name: str) -> list[str]:
    problems = Problems(name)
    problems.add(*(f"{file.name}: {file.reason}" for file in uploads.left_out if file.reason != FOR_LABELS))
    return problems.sentences()


def _cut(sentence: str) -> str:
    return shortened_sentence(sentence, LONGEST_SENTENCE)


def _counted(names: list[str]) -> str:
    return f"{len(names):,} image{'' if len(names) == 1 else 's'} ({few(names)})"
