"""Labelled sets as users hand them in: folders in MVTec's layout, or images with a table of labels."""

import io
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from patchcore.errors import DataError, ImageError, NoImagesError
from patchcore.evaluation.mvtec_layout import union
from patchcore.images.reading import read_image
from patchcore.labels.layout import few, read_names
from patchcore.labels.words import GOOD, NothingGood, Vocabulary, require_good, vocabulary, written_labels
from workbench.inspections.batches import create_batch, image_size, read_mask
from workbench.people.roles import Role, require
from workbench.storage.database import WorkspaceError
from workbench.storage.workspace import NamedImage, Workspace
from workbench.uploads.image_set import A_TABLE, Upload, UploadSet


@dataclass(frozen=True)
class ImportedSet:
    """A labelled set that was brought in.

    Attributes
    ----------
    batch_id
        Its batch.
    problems
        A sentence for each problem.
    labels
        Which labels were taken as good and which as defects; empty where no image came with one.
    """

    batch_id: int
    problems: list[str]
    labels: str = ""


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
        The mask of an image, by the image's name.
    further_masks
        Its further masks, where each part of a defect has its own.
    no_images
        Files that are not to be inspected: masks, and depth beside pictures.
    problems
        A sentence for each problem.
    """

    truth: dict[str, str] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    masks: dict[str, str] = field(default_factory=dict)
    further_masks: dict[str, list[str]] = field(default_factory=dict)
    no_images: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)


def import_labelled(
    workspace: Workspace,
    inspector_id: str,
    uploads: UploadSet,
    name: str,
    good_labels: Iterable[str] | None = None,
) -> ImportedSet:
    """Take in images with their labels, as a batch.

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
    problems = [f"{file.name}: {file.reason}" for file in uploads.left_out if file.reason != A_TABLE]
    left_out = read_names((upload.name for upload in uploads), words).left_out
    wanted = [upload for upload in uploads if upload.name not in left_out]
    if left := len(left_out):
        below = " or ".join(sorted(set(left_out.values())))
        problems.append(
            f"{left:,} image{'' if left == 1 else 's'} below {below} {'was' if left == 1 else 'were'} left out: what "
            "an inspector is built from says nothing of how well it inspects."
        )
    stored = {upload.name: workspace.store_image(upload.data, upload.name) for upload in wanted}
    labels = _labels(workspace, uploads.tables, stored, words)
    counts = written_labels((labels.written[name], kind != GOOD) for name, kind in labels.truth.items())
    if good_labels is None:
        require_good(name, counts)
    images = _with_labels(workspace, stored, labels)
    unlabelled = [image.name for image in images if image.truth is None]
    if unlabelled:
        labels.problems.append(f"{_counted(unlabelled)} without a label: label here what you know of them.")
    batch_id = create_batch(workspace, inspector_id, images, name)
    return ImportedSet(batch_id, problems + labels.problems, counts.sentence if labels.truth else "")


def import_images(workspace: Workspace, inspector_id: str, uploads: UploadSet, name: str) -> ImportedSet:
    """Take in images to inspect, as a batch, with the labels that a table or the names of folders give them.

    Masks are no images to inspect. Where the labels hold a word for good parts, the images are taken in as by
    `import_labelled`. Otherwise only folders with a word for defects, such as NG, label their images; other folders may
    count cameras or days.

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
    found = labels_of_folders((upload.name for upload in uploads), words)
    if uploads.tables or GOOD in found.truth.values():
        try:
            return import_labelled(workspace, inspector_id, uploads, name)
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
    batch_id = create_batch(workspace, inspector_id, images, name)
    return ImportedSet(batch_id, refused, counts.sentence if truth else "")


def labels_of_folders(names: Iterable[str], words: Vocabulary | None = None) -> Labels:
    """Read labels and masks off the names of files, as `patchcore.labels.layout.read_names` does.

    Parameters
    ----------
    names
        Relative, with forward slashes, as `UploadSet` has them.
    words
        The words in force; None: `vocabulary`.
    """
    words = words or vocabulary()
    layout = read_names(names, words)
    truth = {name: GOOD if words.kind(label) == GOOD else label for name, label in layout.labels.items()}
    return Labels(
        truth,
        layout.labels,
        {name: masks[0] for name, masks in layout.masks.items()},
        {name: masks[1:] for name, masks in layout.masks.items() if masks[1:]},
        layout.no_images,
        layout.problems,
    )


def _labels(
    workspace: Workspace, tables: list[Upload], stored: Mapping[str, NamedImage], words: Vocabulary
) -> Labels:
    labels, unread = Labels(), []
    for table in tables:
        try:
            labels = _labels_of_table(workspace, table, stored, words)
        except (DataError, NoImagesError) as error:
            unread.append(str(error))
            continue
        others = [other.name for other in tables if other is not table]
        if others:
            labels.problems.append(f"Labels were read from {table.name} alone; besides it: {few(others)}.")
        break
    else:
        labels = labels_of_folders(stored, words)
    labels.problems[:0] = unread
    return labels


def _labels_of_table(
    workspace: Workspace, table: Upload, stored: Mapping[str, NamedImage], words: Vocabulary
) -> Labels:
    """Lay the files out as they were handed in: the table names them by their paths."""
    from patchcore.evaluation.label_table import read_labels

    with workspace.draft_folder() as folder:
        for name, image in stored.items():
            _link(workspace.image_path(image.sha256), folder / name)
        place = folder / table.name
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(table.data, bytes):
            place.write_bytes(table.data)
        else:
            shutil.copyfile(table.data, place)
        images, problems = read_labels(place, words, within=folder)
        labels = Labels(problems=list(problems))
        for labelled in images:
            name = labelled.path.resolve().relative_to(folder.resolve()).as_posix()
            labels.truth[name], labels.written[name] = labelled.defect_type, labelled.label
            if labelled.mask_path is not None:
                mask = labelled.mask_path.resolve().relative_to(folder.resolve())
                labels.masks[name] = mask.as_posix()
    labels.no_images = set(labels.masks.values()) | (
        labels_of_folders(stored, words).no_images - labels.truth.keys()
    )
    return labels


def _with_labels(workspace: Workspace, stored: Mapping[str, NamedImage], labels: Labels) -> list[NamedImage]:
    """Return the images to inspect; a mask that cannot be used is left out and becomes a problem."""
    images = []
    for name, image in stored.items():
        if name in labels.no_images:
            continue
        sha256 = None
        try:
            if mask := labels.masks.get(name):
                masks = [stored[one] for one in (mask, *labels.further_masks.get(name, []))]
                sha256 = _one_mask(workspace, masks)
                read_mask(workspace, sha256, name, image_size(workspace, image.sha256))
        except (WorkspaceError, ImageError, DataError) as error:
            labels.problems.append(f"{error} The image came in without its mask.")
            sha256 = None
        images.append(NamedImage(image.sha256, name, labels.truth.get(name), sha256))
    return images


def _one_mask(workspace: Workspace, masks: list[NamedImage]) -> str:
    """Return the SHA-256 of an image's mask; several masks are united and stored as one."""
    if len(masks) == 1:
        return masks[0].sha256
    united = union([read_image(workspace.image_path(mask.sha256)).pixels.max(axis=2) for mask in masks])
    packed = io.BytesIO()
    Image.fromarray((united * 255).astype(np.uint8)).save(packed, "PNG")
    return workspace.store_image(packed.getvalue(), masks[0].name).sha256


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        shutil.copyfile(source, target)


def _counted(names: list[str]) -> str:
    return f"{len(names):,} image{'' if len(names) == 1 else 's'} ({few(names)})"
