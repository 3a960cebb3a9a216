"""The sample products: their inspectors, built on first use, and their test images as a ready batch."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from patchcore.evaluation.mvtec_layout import LabelledImage, read_layout
from patchcore.images.reading import list_images
from workbench.inspections.batches import create_batch, list_batches, score_batch
from workbench.inspectors.building import BuildSettings, build, submit_build
from workbench.inspectors.versions import find_inspector
from workbench.jobs import requests
from workbench.people.roles import Role, require
from workbench.storage.database import WorkspaceError
from workbench.storage.tables import EVALUATION, GOOD, BatchImage, Inspector
from workbench.storage.workspace import NamedImage, Workspace

FOLDER = Path(__file__).resolve().parents[2] / "sample_data"
BATCH_NAME = "Sample test images"
TITLES = {"washer": "Stamped washer", "fabric": "Woven fabric"}


@dataclass(frozen=True)
class SampleProduct:
    """One folder of `sample_data`: ``train/good``, ``test/<type>``, ``ground_truth/<type>``."""

    key: str  # the folder's name
    title: str
    folder: Path

    @property
    def inspector_id(self) -> str:
        """The id of the inspector that is built from it."""
        return f"sample-{self.key}"

    @property
    def settings(self) -> BuildSettings:
        """The settings that the inspector is built with."""
        return BuildSettings(name=f"{self.title} (sample)", product=self.key)


def list_samples(folder: Path = FOLDER) -> list[SampleProduct]:
    """Return the sample products that are on this computer, those we have a title for first."""
    found = {
        path.parent.parent.name: path.parent.parent for path in folder.glob("*/train/good") if path.is_dir()
    }
    order = [key for key in TITLES if key in found] + sorted(found.keys() - TITLES)
    return [
        SampleProduct(key, TITLES.get(key, key.replace("_", " ").capitalize()), found[key]) for key in order
    ]


def sample_of(inspector_id: str) -> SampleProduct | None:
    """Return the sample product that an inspector is built from; None for the user's own inspectors."""
    return next((sample for sample in list_samples() if sample.inspector_id == inspector_id), None)


def submit_sample(workspace: Workspace, sample: SampleProduct) -> int:
    """Queue the build of a sample's inspector (or find it queued already) and return the job's id."""
    require(Role.ENGINEER, "build inspectors")
    for job in requests.list_jobs(workspace, *requests.UNFINISHED):
        if job.kind == "build" and job.arguments.get("inspector_id") == sample.inspector_id:
            requests.resume(workspace, job.id)
            return job.id
    images = _good_images(workspace, sample)
    return submit_build(workspace, sample.settings, images, inspector_id=sample.inspector_id)


def prepare_sample(workspace: Workspace, sample: SampleProduct) -> Inspector:
    """Build a sample's inspector in this process, unless it is there; a few seconds."""
    if find_inspector(workspace, sample.inspector_id) is None:
        images = _good_images(workspace, sample)
        build(workspace, sample.settings, images, inspector_id=sample.inspector_id)
    inspector = find_inspector(workspace, sample.inspector_id)
    if inspector is None:
        raise WorkspaceError(f"The sample {sample.title} could not be built.")
    return inspector


def sample_batch(workspace: Workspace, sample: SampleProduct, inspector_id: str) -> int:
    """Return the batch of the sample's test images, with their truth and masks; made at the first call."""
    for batch in list_batches(workspace, inspector_id):
        if batch.name == BATCH_NAME:
            _add_masks(workspace, sample, batch.id)
            return batch.id
    images = [_labelled(workspace, image) for image in read_layout(sample.folder)]
    return create_batch(workspace, inspector_id, images, BATCH_NAME, purpose=EVALUATION)


def score_sample(workspace: Workspace, sample: SampleProduct) -> None:
    """Build the sample's inspector and score its test images, unless both are done."""
    inspector = prepare_sample(workspace, sample)
    if inspector.current is not None:
        for _ in score_batch(workspace, sample_batch(workspace, sample, inspector.id), inspector.current):
            pass  # each result is stored as it comes


def _labelled(workspace: Workspace, image: LabelledImage) -> NamedImage:
    """Store an image with its mask, under its name below ``test``."""
    mask = None if image.mask_path is None else workspace.store_image(image.mask_path, image.mask_path.name)
    return workspace.store_image(
        image.path,
        image.name.removeprefix("test/"),
        truth=image.defect_type,
        mask_sha256=None if mask is None else mask.sha256,
    )


def _add_masks(workspace: Workspace, sample: SampleProduct, batch_id: int) -> None:
    """Add the masks to a batch that an earlier release made without them."""
    query = select(BatchImage).where(
        BatchImage.batch_id == batch_id, BatchImage.mask_sha256.is_(None), BatchImage.truth != GOOD
    )
    with workspace.database.read() as session:
        bare = {image.name: image.id for image in session.scalars(query)}
    if not bare:
        return
    masked = [_labelled(workspace, image) for image in read_layout(sample.folder) if image.mask_path]
    with workspace.database.write() as session:
        for image in masked:
            if image.name in bare:
                session.get_one(BatchImage, bare[image.name]).mask_sha256 = image.mask_sha256


def _good_images(workspace: Workspace, sample: SampleProduct) -> list[NamedImage]:
    return [workspace.store_image(path, path.name) for path in list_images(sample.folder / "train" / "good")]
