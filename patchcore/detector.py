"""`PatchCore`, the model: fit on good images, score, explain, change the share, save, load."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import warnings
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patchcore.backbones import Backbone, load_backbone
from patchcore.bank import MemoryBank
from patchcore.errors import ArtifactError, DataError, NotFittedError
from patchcore.executors import Executor
from patchcore.files import container
from patchcore.fitting.run import FittingRun, Progress
from patchcore.fitting.sources import Source
from patchcore.fitting.stages import fit
from patchcore.images.geometry import place, prepare
from patchcore.images.reading import ImageRecord, LoadedImage, read_image
from patchcore.leave_one_out import GoodScores
from patchcore.saved import Saved, SelfTest, from_saved, to_saved
from patchcore.scoring import (
    Explanation,
    ImagePatches,
    Result,
    anomaly_map,
    inspected_patches,
    patch_box,
    reweighted,
)
from patchcore.settings import Mode, Settings
from patchcore.thresholds.decision import decide, recalibrate
from patchcore.thresholds.from_good import images_needed
from patchcore.thresholds.operating_point import Choice, Evidence, OperatingPoint

FIRST_RULE = Choice("provisional")  # reject: the strictest promise that the good images allow
FIRST_REVIEW = Choice(
    "from_good", {"budget": 0.05}
)  # a person looks at what scores like the worst 1 good in 20


class PatchCore:
    """Industrial anomaly detection by a memory bank of patch features (Roth et al., arXiv 2106.08265).

    Parameters
    ----------
    backbone
        Name in the registry of :mod:`patchcore.backbones`.
    weights
        A state dict (`.pth` or `.safetensors`); None for the backbone's own file on this machine.
    layers
        Depths whose maps make a patch feature; None for the backbone's own (paper: layer2 and layer3).
    image_size
        Side of the square that the network sees, in pixels.
    geometry
        'fit' keeps the aspect ratio and pads, 'stretch' fills the square, 'crop' is the paper's protocol.
    coreset
        Largest share of all patches to keep, 0 to 1; smaller shares are prefixes of it.
    dims
        Length of a patch feature; None for the backbone's own (paper: 1024).
    reweight
        Whether to re-weight image scores by Eq. 7.
    neighbours
        b of Eq. 7.
    seed
        Of the projection, the first pick and the calibration sample.
    value_range
        (black, white) of 16-bit and float images; None scales by the container's range.
    device
        'auto', 'cpu' or 'cuda'.
    engine
        What runs the network: 'torch', or 'openvino' where it is installed; None for what the environment variable
        `PATCHCORE_ENGINE` says, else 'torch'.

    Attributes
    ----------
    bank_
        The memory bank at the share in use; `full_bank_` at the largest.
    good_scores_
        Leave-one-image-out score of each good image, by name, at the share in use.
    cover_radius_
        Largest distance from any patch of the good images to its nearest kept patch, at the share in use.
    operating_point_
        The thresholds in force, calibrated on the good images in the same step as the bank.
    image_records_, skipped_
        The images that built the bank, and those that could not be used, each with its reason.
    removed_
        SHA-256 of the images that were taken out of the bank after it was built.
    taught_
        SHA-256 of the images that were taught after it was built; their rows are in the bank at every share.

    Examples
    --------
    >>> import numpy as np
    >>> good = [np.random.default_rng(i).integers(90, 110, (64, 64, 3), np.uint8) for i in range(4)]
    >>> model = PatchCore(image_size=64, coreset=0.5).fit(good)
    >>> bad = good[0].copy()
    >>> bad[20:40, 20:40] = 255
    >>> bool(model.score(bad).score > model.score(good[0]).score)
    True
    """

    bank_: MemoryBank
    full_bank_: MemoryBank
    profile_: GoodScores
    image_records_: list[ImageRecord]
    grid_: tuple[int, int]
    operating_point_: OperatingPoint | None

    def __init__(
        self,
        backbone: str = Settings.backbone,
        weights: str | Path | None = None,
        layers: tuple[str, ...] | None = Settings.layers,
        image_size: int = Settings.image_size,
        geometry: Mode = Settings.geometry,
        coreset: float = Settings.coreset,
        dims: int | None = Settings.dims,
        reweight: bool = Settings.reweight,
        neighbours: int = Settings.neighbours,
        seed: int = Settings.seed,
        value_range: tuple[float, float] | None = Settings.value_range,
        device: str = "auto",
        engine: str | None = None,
    ) -> None:
        self.settings = Settings(
            backbone, layers, image_size, geometry, coreset, dims, reweight, neighbours, seed, value_range
        )
        self.weights = weights
        self.device, self.engine = device, engine
        self.roi_: NDArray[np.bool_] | None = None
        self.skipped_: list[Any] = []
        self.removed_: tuple[str, ...] = ()
        self._backbone: Backbone | None = None

    @property
    def backbone_(self) -> Backbone:
        """The network with its weights; loaded at the first use."""
        if self._backbone is None:
            self._backbone = load_backbone(
                self.settings.backbone,
                self.weights,
                self.settings.layers,
                self.device,
                engine=self.engine,
            )
        return self._backbone

    def fit(
        self,
        images: Iterable[Source | tuple[str, Source]],
        *,
        roi: NDArray[np.bool_] | None = None,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
        scratch: Path | None = None,
        executor: Executor | None = None,
    ) -> PatchCore:
        """Build the memory bank from good images, streamed, and calibrate a threshold on them.

        Parameters
        ----------
        images
            Paths, file bytes, arrays, or (name, one of these) pairs. One that cannot be read is left out and
            listed in `skipped_`.
        roi
            [h, w] bool laid over every image whatever its size: True where to look.
        progress
            Called with (stage, done, total); stages are 'features', 'coreset', 'calibration'.
        cancelled
            Asked often whether to stop.
        scratch
            Folder for features while building; an interrupted run given the same folder goes on from there.
        executor
            Where parts of the images are extracted, see :mod:`patchcore.fitting.parts`; None for this process.

        Raises
        ------
        NoImagesError
            If no image could be used.
        WeightsError
            If the backbone cannot be loaded.
        Cancelled
            If `cancelled` said so.
        """
        run = FittingRun(self.backbone_, self.settings, roi, progress, cancelled)
        fitted = fit(run, images, scratch, executor)
        self.roi_ = roi
        self.full_bank_ = self.bank_ = fitted.bank
        self.profile_, self.grid_ = fitted.good_scores, fitted.grid
        self.image_records_, self.skipped_, self.removed_ = fitted.records, list(fitted.skipped), ()
        self.self_test_ = SelfTest.make(fitted.sample, self._patch_distances)
        self.operating_point_ = self._first_operating_point()
        return self

    def score(self, image: Source | LoadedImage, *, leave_out: bool = False) -> Result:
        """Score one image.

        Parameters
        ----------
        image
            A path, file bytes, an array [H, W] or [H, W, 1 | 3 | 4], or what `read_image` returned.
        leave_out
            Whether the rows of good images with the same SHA-256 take no part, so that an image that built the
            bank is scored as one that did not: its score is then that of `good_scores_`, unless re-weighted.

        Raises
        ------
        NotFittedError
            If there is no bank yet.
        ImageError
            If the image cannot be used.
        DataError
            If nothing is left of the bank without the image's own rows.
        """
        self._bank()
        patches = self.patches(image)
        bank, rows = self._bank_without(patches.record) if leave_out else (self.bank_, None)
        found = bank.nearest(patches.features, device=self.backbone_.device)
        patch_scores = patches.patch_scores(found.distances[:, 0])
        worst = int(found.distances[:, 0].argmax())
        row, col = (int(i) for i in np.argwhere(patches.inspected)[worst])
        nearest = int(found.rows[worst, 0])
        return Result(
            score=self.image_score(bank, patches.features[worst], nearest, float(found.distances[worst, 0])),
            map=anomaly_map(patch_scores, patches.placement),
            patch_scores=patch_scores,
            worst=(row, col),
            worst_box=patch_box((row, col), patches.inspected.shape, patches.placement),
            nearest_row=nearest if rows is None else int(rows[nearest]),
            record=patches.record,
            placement=patches.placement,
        )

    def patches(self, image: Source | LoadedImage) -> ImagePatches:
        """Compute the features of an image's patches: the one costly step of scoring; errors as for `score`."""
        loaded = (
            image
            if isinstance(image, LoadedImage)
            else read_image(image, value_range=self.settings.value_range)
        )
        prepared = prepare(loaded.pixels, self.settings.geometry_of_input(), self.roi_)
        features = FittingRun(self.backbone_, self.settings).features(prepared)
        inspected = inspected_patches(prepared.valid, (features.shape[0], features.shape[1]))
        return ImagePatches(features[inspected], inspected, loaded.record, prepared.placement)

    def image_score(
        self, bank: MemoryBank, worst: NDArray[np.float32], nearest_row: int, distance: float
    ) -> float:
        """Score an image from its worst patch [dims] and the row nearest to it, re-weighted if so set."""
        if not self.settings.reweight:
            return distance
        return reweighted(bank, worst, nearest_row, distance, self.settings.neighbours)

    def explain(self, image: Source | LoadedImage | Result) -> Explanation:
        """Say why an image scored as it did: its worst patch and the nearest patch of any good image."""
        result = image if isinstance(image, Result) else self.score(image)
        bank = self._bank()
        record = self.image_records_[bank.images[result.nearest_row]]
        position = divmod(int(bank.positions[result.nearest_row]), self.grid_[1])
        placement = place((record.height, record.width), self.settings.geometry_of_input())
        return Explanation(
            test_box=result.worst_box,
            distance=float(result.patch_scores[result.worst]),
            neighbour_image=record.name,
            neighbour_sha256=record.sha256,
            neighbour_box=patch_box(position, self.grid_, placement),
        )

    def with_coreset(self, share: float) -> PatchCore:
        """Return the model at another share of the patches: a prefix of the order, nothing recomputed.

        The operating point is recalibrated by its own rule in the same step.

        Raises
        ------
        SettingsError
            If the share is above the largest one built.
        """
        self._bank()
        model = copy.copy(self)
        model.bank_ = self.full_bank_.prefix(share)
        if self.operating_point_ is not None:
            model.operating_point_ = recalibrate(self.operating_point_, model.evidence_, model.bank_id_)
        return model

    def with_operating_point(self, point: OperatingPoint | None) -> PatchCore:
        """Return the model with other thresholds in force; None for none.

        Raises
        ------
        SettingsError
            If they are stale, or were set for another bank.
        """
        if point is not None:
            point.check_bank(self.bank_id_)
        model = copy.copy(self)
        model.operating_point_ = point
        return model

    @property
    def taught_(self) -> tuple[str, ...]:
        """SHA-256 of the images that were taught; no threshold is set from them."""
        numbers = sorted(self.full_bank_.taught_images)
        return tuple(self.image_records_[number].sha256 for number in numbers)

    @property
    def good_scores_(self) -> dict[str, float]:
        """Leave-one-image-out scores by image name; infinite where no other image is in the bank."""
        scores = self.profile_.at(len(self._bank()))
        return {
            self.image_records_[i].name: float(s) for i, s in zip(self.profile_.images, scores, strict=True)
        }

    @property
    def evidence_(self) -> Evidence:
        """Leave-one-image-out scores by the image's SHA-256, where there are any: what a threshold is set from.

        None with re-weighting (Eq. 7): they are kept as distances, which a re-weighted score cannot be held against.
        """
        if self.settings.reweight:
            return Evidence()
        scores = self.profile_.at(len(self._bank()))
        hashes = (self.image_records_[i].sha256 for i in self.profile_.images)
        return Evidence({sha: float(s) for sha, s in zip(hashes, scores, strict=True) if np.isfinite(s)})

    @property
    def cover_radius_(self) -> float:
        """Largest distance from any patch of the calibrated good images to its nearest kept patch."""
        return float(self.profile_.cover_radius[len(self._bank()) - 1])

    @property
    def threshold_(self) -> float | None:
        """The score above which an image is rejected; None if no operating point is in force."""
        return None if self.operating_point_ is None else self.operating_point_.reject

    @property
    def bank_id_(self) -> str:
        """Identifies the bank in use: its images, settings, weights and size."""
        parts = [
            [record.sha256 for record in self.image_records_],
            self.settings.to_dict(),
            self.backbone_.sha256,
            len(self._bank()),
            "" if self.roi_ is None else np.packbits(self.roi_).tobytes().hex(),
        ]
        if self.removed_:  # the rows left are not those that building on the remaining images would choose
            parts.append(sorted(self.removed_))
        if self.full_bank_.taught:
            parts.append(self._taught_rows())
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

    def fitting_run(
        self, progress: Progress | None = None, cancelled: Callable[[], bool] | None = None
    ) -> FittingRun:
        """Return what goes through images as building this fitted model did."""
        self._bank()
        return FittingRun(self.backbone_, self.settings, self.roi_, progress, cancelled)

    def renew_self_test(self) -> None:
        """Store what the self-test's image gives with the bank in use."""
        self.self_test_ = self.self_test_.renewed(self._patch_distances)

    def self_test_again(self) -> SelfTest:
        """Score the self-test's image now, and say how far its distances are from those stored."""
        self._bank()
        return self.self_test_.repeated(self._patch_distances)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the inspector as one `.patchcore` file, whole or not at all."""
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        container.write(target, *self.arrays_and_header())

    def arrays_and_header(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return the contents of the inspector's file."""
        self._bank()
        saved = Saved(
            self.settings,
            self.backbone_.sha256,
            self.full_bank_,
            len(self.bank_),
            self.profile_,
            self.image_records_,
            self.grid_,
            self.roi_,
            self.operating_point_,
            self.self_test_,
            self.removed_,
        )
        return to_saved(saved, self.bank_id_)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        weights: str | Path | None = None,
        device: str = "auto",
        engine: str | None = None,
    ) -> PatchCore:
        """Read an inspector, check all of it, and score its self-test image.

        Warns if the self-test's distances differ from those stored; :attr:`self_test_` holds by how much.

        Raises
        ------
        ArtifactError
            If the file is foreign, damaged, altered, or of a newer format.
        WeightsError
            If the weights that built it are not on this machine; no others are taken.
        """
        tensors, header = container.read(Path(path))
        try:
            saved = from_saved(tensors, header)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise ArtifactError(f"{Path(path).name} does not hold a whole inspector ({error!r}).") from error
        model = cls(device=device, engine=engine)
        model.settings, model.weights = saved.settings, weights
        model._backbone = load_backbone(
            saved.settings.backbone, weights, saved.settings.layers, device, saved.weights_sha256, engine
        )
        model.roi_, model.full_bank_, model.profile_ = saved.roi, saved.bank, saved.good_scores
        model.image_records_, model.grid_ = saved.records, saved.grid
        model.bank_ = saved.bank.rows(slice(saved.rows_in_use))
        model.operating_point_ = saved.operating_point
        model.removed_ = saved.removed
        model.self_test_ = saved.self_test.repeated(model._patch_distances)
        if not model.self_test_.passed:
            warnings.warn(f"{Path(path).name}: {model.self_test_.sentence}", stacklevel=2)
        return model

    def _first_operating_point(self) -> OperatingPoint | None:
        """Thresholds from the good images alone; a review band where they are enough for one."""
        evidence = self.evidence_
        if not evidence.good:
            return None
        review = (
            FIRST_REVIEW if len(evidence.good) >= images_needed(FIRST_REVIEW.parameters["budget"]) else None
        )
        return decide(FIRST_RULE, evidence, self.bank_id_, set_by="build", accept_rule=review)

    def _taught_rows(self) -> list[list[str | int]]:
        bank = self.full_bank_
        numbers, positions = bank.images[: bank.taught].tolist(), bank.positions[: bank.taught].tolist()
        return [
            [self.image_records_[number].sha256, position]
            for number, position in zip(numbers, positions, strict=True)
        ]

    def _bank(self) -> MemoryBank:
        if not hasattr(self, "bank_"):
            raise NotFittedError("This model has no memory bank yet. Fit it on good images, or load one.")
        return self.bank_

    def _bank_without(self, record: ImageRecord) -> tuple[MemoryBank, NDArray[np.int64]]:
        """The bank in use less the image's own rows, and which of its rows these are."""
        own = {i for i, other in enumerate(self.image_records_) if other.sha256 == record.sha256}
        if not own:
            return self.bank_, np.arange(len(self.bank_))
        rows = np.flatnonzero(~np.isin(self.bank_.images, list(own)))
        if not len(rows):
            raise DataError(
                f"{record.name}: every row of the bank comes from this image itself; it can only be scored "
                "without its own rows once other good images are in the bank."
            )
        return self.bank_.without_images(own), rows

    def _patch_distances(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Distances of every patch of a network input [S, S, 3] to the largest bank: [rows * cols]."""
        settings = self.settings
        prepared = prepare(pixels, replace(settings.geometry_of_input(), mode="stretch"))
        features = FittingRun(self.backbone_, settings).features(prepared)
        flat = features.reshape(-1, features.shape[2])
        return self.full_bank_.nearest(flat, device=self.backbone_.device).distances[:, 0]
