"""Labelled sets as users hand them in: folders in MVTec's layout, or images with a table of labels."""

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from patchcore.errors import DataError, ImageError, NoImagesError
from patchcore.evaluation.mvtec_layout import GOOD, MASK_ENDINGS, MASKS
from workbench.inspections.batches import create_batch, image_size, read_mask
from workbench.people.roles import Role, require
from workbench.storage.database import WorkspaceError
from workbench.storage.workspace import NamedImage, Workspace
from workbench.uploads.image_set import A_TABLE, Upload, UploadSet

TRAIN, TEST = "train", "test"
NAMED = 3  # files named in a sentence

Place = tuple[tuple[str, ...], str, str]  # folders of the product, defect type, file


@dataclass(frozen=True)
class ImportedSet:
    """A labelled set that was brought in, and a sentence for each problem."""

    batch_id: int
    problems: list[str]


@dataclass
class Labels:
    """The labels of a set's images, by the names under which the images were handed in.

    Attributes
    ----------
    truth
        "good" or the defect type.
    masks
        The mask of an image, by the image's name.
    no_images
        Files that are masks, not images to be inspected.
    problems
        A sentence for each problem.
    """

    truth: dict[str, str] = field(default_factory=dict)
    masks: dict[str, str] = field(default_factory=dict)
    no_images: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)


def import_labelled(workspace: Workspace, inspector_id: str, uploads: UploadSet, name: str) -> ImportedSet:
    """Take in images with their labels, as a batch.

    Labels come from a table (CSV with the columns ``file,label[,mask]``) where there is one, else from folders:
    ``[product/]test/<type>/x.png`` with masks in ``[product/]ground_truth/<type>/x_mask.png``, or ``good/x.png``
    beside a folder for each defect type. Images below ``train`` are left out; those without a label come in too.

    Parameters
    ----------
    uploads
        From `workbench.uploads.intake`.
    name
        Name of the batch.

    Raises
    ------
    NoImagesError
        When there is no image to inspect.
    """
    require(Role.OPERATE, "bring images in")
    uploads.require_images(name)
    problems = [f"{file.name}: {file.reason}" for file in uploads.left_out if file.reason != A_TABLE]
    wanted = [upload for upload in uploads if not _in_train(upload.name)]
    if left := len(uploads) - len(wanted):
        problems.append(
            f"{left:,} image{' below train was' if left == 1 else 's below train were'} left out: what an inspector "
            "is built from says nothing of how well it inspects."
        )
    stored = {upload.name: workspace.store_image(upload.data, upload.name) for upload in wanted}
    labels = _labels(workspace, uploads.tables, stored)
    images = _with_labels(workspace, stored, labels)
    unlabelled = [image.name for image in images if image.truth is None]
    if unlabelled:
        labels.problems.append(f"{_counted(unlabelled)} without a label: label here what you know of them.")
    return ImportedSet(create_batch(workspace, inspector_id, images, name), problems + labels.problems)


def labels_of_folders(names: Iterable[str]) -> Labels:
    """Read labels and masks off the names of files in MVTec's layout.

    Parameters
    ----------
    names
        Relative, with forward slashes, as `UploadSet` has them.
    """
    labels, paths = Labels(), [PurePosixPath(name) for name in names]
    marks = {path for path in paths if MASKS in path.parts[:-1]}
    labels.no_images = {str(path) for path in marks}
    by_place = {place: str(path) for path in sorted(marks) if (place := _place(path, MASKS))}
    without_test = any(path.parent.name == GOOD for path in paths)
    for path in paths:
        place = None if path in marks else _place(path, TEST) or (_own_folder(path) if without_test else None)
        if place is None:
            continue
        product, kind, _file = place
        labels.truth[str(path)] = kind
        masks = [by_place.pop((product, kind, path.stem + ending), None) for ending in MASK_ENDINGS]
        mask = next((one for one in masks if one is not None), None)
        if mask is not None and kind != GOOD:
            labels.masks[str(path)] = mask
    if by_place:
        labels.problems.append(f"No image belongs to {_counted(sorted(by_place.values()), 'mask')}.")
    return labels


def _labels(workspace: Workspace, tables: list[Upload], stored: Mapping[str, NamedImage]) -> Labels:
    labels, unread = Labels(), []
    for table in tables:
        try:
            labels = _labels_of_table(workspace, table, stored)
        except (DataError, NoImagesError) as error:
            unread.append(str(error))
            continue
        others = [other.name for other in tables if other is not table]
        if others:
            labels.problems.append(f"Labels were read from {table.name} alone; besides it: {_few(others)}.")
        break
    else:
        labels = labels_of_folders(stored)
    labels.problems[:0] = unread
    return labels


def _labels_of_table(workspace: Workspace, table: Upload, stored: Mapping[str, NamedImage]) -> Labels:
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
        images, problems = read_labels(place)
        labels = Labels(problems=list(problems))
        for labelled in images:
            name = labelled.path.relative_to(folder).as_posix()
            labels.truth[name] = labelled.defect_type
            if labelled.mask_path is not None:
                labels.masks[name] = labelled.mask_path.relative_to(folder).as_posix()
    labels.no_images = set(labels.masks.values()) | labels_of_folders(stored).no_images
    return labels


def _with_labels(workspace: Workspace, stored: Mapping[str, NamedImage], labels: Labels) -> list[NamedImage]:
    """Return the images to inspect; a mask that cannot be used is left out and becomes a problem."""
    images = []
    for name, image in stored.items():
        if name in labels.no_images:
            continue
        mask = labels.masks.get(name)
        sha256 = None if mask is None else stored[mask].sha256
        try:
            if sha256 is not None:
                read_mask(workspace, sha256, name, image_size(workspace, image.sha256))
        except (WorkspaceError, ImageError) as error:
            labels.problems.append(f"{error} The image came in without its mask.")
            sha256 = None
        images.append(NamedImage(image.sha256, name, labels.truth.get(name), sha256))
    return images


def _place(path: PurePosixPath, below: str) -> Place | None:
    """Return the place of a file ``<product>/<below>/<type>/.../<file>``; None for other paths."""
    folders = path.parts[:-1]
    if below not in folders[:-1]:
        return None
    at = folders.index(below)
    product = folders[: at - 1] if folders[at - 1 : at] == (TEST,) else folders[:at]  # masks within test
    return product, folders[at + 1], path.name


def _own_folder(path: PurePosixPath) -> Place | None:
    """Return the place of a file ``<product>/<type>/<file>``; None for other paths."""
    folders = path.parts[:-1]
    return None if not folders or folders[-1] == TEST else (folders[:-1], folders[-1], path.name)


def _in_train(name: str) -> bool:
    """Whether an image is one to build from, in ``[product/]train/...``."""
    return TRAIN in PurePosixPath(name).parts[:-1][:2]


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        shutil.copyfile(source, target)


def _counted(names: list[str], noun: str = "image") -> str:
    return f"{len(names):,} {noun}{'' if len(names) == 1 else 's'} ({_few(names)})"


def _few(names: list[str]) -> str:
    rest = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + rest
