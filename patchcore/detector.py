"""`Detector`, the base of every method: fit's skeleton, score, thresholds, self-test, save and load."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from patchcore.backbones import Backbone, load_backbone
from patchcore.disk.work_notes import SCORE
from patchcore.errors import ArtifactError, DataError, NotFittedError
from patchcore.executors import Executor
from patchcore.features import feature_shape
from patchcore.files import container
from patchcore.files.method_rules import FileRules, Header, Tensors, hold
from patchcore.files.saved import Saved, SelfTest
from patchcore.fitting.calibration import LeftOut, calibration_sample, score_by_others
from patchcore.fitting.feature_store import FeatureStore
from patchcore.fitting.near_copies import named_near_copies
from patchcore.fitting.run import FittingRun, Progress
from patchcore.fitting.sources import Source
from patchcore.fitting.stages import prepare_store
from patchcore.fitting.whole_picture import learn_picture_check
from patchcore.images.copy_groups import CopyGroups
from patchcore.images.geometry import place, prepare
from patchcore.images.good_set import GoodSet
from patchcore.images.raw_image import memory_for
from patchcore.images.reading import ImageRecord, LoadedImage, in_work, is_exact_copy, read_image
from patchcore.labels.sessions import SessionGroups, in_sessions
from patchcore.methods import EXPLAIN, METHODS, SHARE, detector_class, require_capability
from patchcore.plausibility.doubt import Doubt
from patchcore.plausibility.measures import measure
from patchcore.plausibility.picture_check import PictureCheck
from patchcore.scoring import (
    Comparison,
    Explanation,
    ImagePatches,
    Result,
    anomaly_map,
    inspected_patches,
    patch_box,
)
from patchcore.settings import Settings, names_of
from patchcore.thresholds.decision import decide
from patchcore.thresholds.from_good import images_needed
from patchcore.thresholds.operating_point import Choice, Evidence, OperatingPoint

# Reject: the strictest promise that the good images allow. Review: scores like the worst 1 good image in 20.
FIRST_RULE, FIRST_REVIEW = Choice("provisional"), Choice("from_good", {"budget": 0.05})


@dataclass(frozen=True)
class Size:
    """How much a model learned.

    Attributes
    ----------
    patches
        Inspected patches of the good images.
    rows
        Patches that scoring compares with.
    nbytes
        Bytes in memory of the learned arrays.
    share, largest_share
        Rows as a share of the patches: in use, and at most; 1 for a method without a coreset.
    cover_radius
        Largest distance from a good patch to its nearest row; 0 for a method without a coreset.
    taught
        Rows that were taught after the build.
    """

    patches: int
    rows: int
    nbytes: int
    share: float = 1.0
    largest_share: float = 1.0
    cover_radius: float = 0.0
    taught: int = 0


class Detector:
    """Base of every method of anomaly detection by patch features.

    A method is a subclass in a file of its own and an entry in :data:`patchcore.methods.METHODS`. It names itself in
    `method`, describes its part of a file in `file_rules`, and fills in `learn`, `compare`, `size`, `learned` and
    `restore`. The other hooks have defaults. All methods are given the same locally aware features of section 3.1 of
    Roth et al. (arXiv 2106.08265).

    Parameters
    ----------
    weights
        A state dict (`.pth` or `.safetensors`); None for the backbone's own file on this machine.
    device
        'auto', 'cpu' or 'cuda'.
    engine
        'torch', or 'openvino' where it is installed; None for the environment variable `PATCHCORE_ENGINE`, else
        'torch'.
    **settings
        Settings of :data:`patchcore.settings.SETTINGS` that the method has.

    Attributes
    ----------
    good_scores_
        Leave-one-image-out score of each good image, by name.
    operating_point_
        The thresholds in force, calibrated on the good images in the same step as fitting.
    image_records_, skipped_
        The images that were learned from, and the images that could not be used, each with its reason.
    removed_, taught_
        SHA-256 of images taken out, and of images taught, after fitting; where the method can do that.
    grid_
        (rows, cols) of the feature map.
    picture_check_
        Bounds of a picture of such a part; None where no good image is left that they were learned from.
    """

    method: ClassVar[str]
    file_rules: ClassVar[FileRules]
    least_groups: ClassVar[int] = 2  # of near copies, for scores of good images by the others

    image_records_: list[ImageRecord]
    grid_: tuple[int, int]
    operating_point_: OperatingPoint | None
    picture_check_: PictureCheck | None
    self_test_: SelfTest

    def __init__(
        self,
        weights: str | Path | None = None,
        device: str = "auto",
        engine: str | None = None,
        **settings: Any,
    ) -> None:
        self.settings, self.weights = Settings(**settings, method=self.method), weights
        self.device, self.engine = device, engine
        self.roi_: NDArray[np.bool_] | None = None
        self.skipped_: list[Any] = []
        self.removed_: tuple[str, ...] = ()
        self._backbone: Backbone | None = None
        self._good_set: GoodSet | None = None

    @staticmethod
    def of(
        settings: Settings,
        weights: str | Path | None = None,
        device: str = "auto",
        engine: str | None = None,
    ) -> Detector:
        """Return a model of the method that the settings name, not fitted yet."""
        kind: type[Detector] = detector_class(settings.method)
        own = {name: getattr(settings, name) for name in names_of(settings.method) if name != "method"}
        return kind(weights=weights, device=device, engine=engine, **own)

    # What a method fills in.

    def before_build(self, run: FittingRun) -> None:
        """Check or begin something before the features are computed."""

    def learn(self, run: FittingRun, store: FeatureStore) -> None:
        """Learn from the features of the good images, whose numbers are their places in the store."""
        raise NotImplementedError

    def compare(
        self,
        features: NDArray[np.float32],
        inspected: NDArray[np.bool_],
        own: frozenset[int] = frozenset(),
    ) -> Comparison:
        """Compare an image's patches with the good images.

        Parameters
        ----------
        features
            [P, dims] float32.
        inspected
            [rows, cols] bool: their positions, P in all.
        own
            Numbers of the good images that are this very image: it is scored as one that was not learned from.

        Raises
        ------
        DataError
            Nothing is left to compare with; the sentence follows the image's name.
        """
        raise NotImplementedError

    @property
    def size(self) -> Size:
        """How much was learned."""
        raise NotImplementedError

    def learned(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return the method's part of the file: arrays, and fields of the header."""
        raise NotImplementedError

    def restore(self, tensors: Tensors, header: Header) -> None:
        """Take over what `learned` returned; records, grid and settings are there already.

        Raises
        ------
        ArtifactError, KeyError, IndexError, TypeError, ValueError
            The parts contradict each other, or one is missing.
        """
        raise NotImplementedError

    def calibrate(self, run: FittingRun, store: FeatureStore) -> None:
        """Score good images by the others, each through `compare`; a seeded sample where there are very many."""
        groups, sessions = self.copy_groups_, self.session_groups_
        chosen = calibration_sample(run, groups)
        found = score_by_others(run, store, self.grid_, chosen, groups, self.compare)
        floor = np.float32(self.least_score(found.scores))
        self._left_out = found.at_least(floor)
        self._session_left_out = (
            None if sessions is None else self.score_sessions(run, store, chosen, sessions).at_least(floor)
        )

    def score_sessions(
        self, run: FittingRun, store: FeatureStore, chosen: NDArray[np.int64], sessions: SessionGroups
    ) -> LeftOut:
        """Score chosen good images by the images of other sessions alone."""
        return score_by_others(run, store, self.grid_, chosen, sessions, self.compare)

    def left_out(self) -> LeftOut:
        """Return the good images' scores by the others alone."""
        return self._left_out

    def session_left_out(self) -> LeftOut | None:
        """Return the good images' scores by other sessions alone; None where they are of one session."""
        return self._session_left_out if self.session_groups_ is not None else None

    def scored_parts(self) -> dict[str, NDArray[Any]]:
        """Return the good images' scores as arrays of the file."""
        parts: dict[str, NDArray[Any]] = {
            "good_scores.values": self._left_out.scores,
            "good_scores.images": self._left_out.images,
        }
        if self._session_left_out is not None:
            parts["session_scores.values"] = self._session_left_out.scores
        return parts

    def origin(self, row: int) -> tuple[int, int]:
        """Return the number of the good image, and the position on its map, that a stored patch comes from."""
        raise NotImplementedError

    def identity(self) -> tuple[int, list[Any]]:
        """Return a size that is part of the model's name, and changes since the build."""
        return 0, []

    def self_test_distances(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Distances [rows * cols] of all patches of the self-test's image from everything that was learned."""
        return self.compare(features, np.ones(self.grid_, bool)).distances

    def announcement(self, images: int) -> str:
        """Say how large a build on so many images becomes, where that is worth a sentence beforehand."""
        return ""

    @property
    def remarks_(self) -> list[str]:
        """Sentences on the good images that the user should know."""
        return self.good_set_.remarks(self.copy_groups_)

    @property
    def good_set_(self) -> GoodSet:
        """The good images, as what is to be said on them and on others beside them."""
        if self._good_set is None or self._good_set.records is not self.image_records_:
            settings, step = self.settings, self.settings.image_size / self.grid_[0]
            geometry = settings.geometry_of_input()
            self._good_set = GoodSet(self.image_records_, geometry, step, settings.value_range)
        return self._good_set

    # What every method has.

    @property
    def capabilities(self) -> frozenset[str]:
        """The method's capabilities, of `methods.LACKING`."""
        return METHODS[self.method].capabilities

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
        sessions: Mapping[str, str] | None = None,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
        scratch: Path | None = None,
        executor: Executor | None = None,
    ) -> Self:
        """Learn from good images, streamed, and calibrate a threshold on them.

        A build that fails or is cancelled leaves the model as it was.

        Parameters
        ----------
        images
            Paths, file bytes, arrays, or (name, one of these) pairs. One that cannot be read is left out and
            listed in `skipped_`.
        roi
            [h, w] bool laid over every image whatever its size: True where to look.
        sessions
            The session of each image by its name, see :mod:`patchcore.labels.sessions`; None: found from folders,
            cameras' dates and dates in names.
        progress
            Called with (stage, done, total); stages are 'features', the method's own, 'calibration'.
        cancelled
            Asked often whether to stop.
        scratch
            Folder for features while building; an interrupted run given the same folder goes on from there.
        executor
            Where parts of the images are extracted, see :mod:`patchcore.fitting.parts`; None for this process.

        Raises
        ------
        NoImagesError
            If too few images could be used.
        SettingsError
            If the model would be too large.
        WeightsError
            If the backbone cannot be loaded.
        Cancelled
            If `cancelled` said so.
        """
        run = FittingRun(self.backbone_, self.settings, roi, progress, cancelled)
        model = copy.copy(self)
        model.before_build(run)
        with prepare_store(run, images, scratch, executor) as (store, extracted):
            model.roi_, model.grid_ = roi, extracted.grid
            model.image_records_ = in_sessions(named_near_copies(run, store, extracted), sessions)
            model.skipped_, model.removed_, model.picture_check_ = list(extracted.skipped), (), None
            model.learn(run, store)
            model.self_test_ = SelfTest.make(extracted.sample, model._patch_distances)
            model.calibrate(run, store)
            model.picture_check_ = learn_picture_check(run, store, extracted.grid, model.copy_groups_)
        model.operating_point_ = model._first_operating_point()
        self.__dict__ = model.__dict__
        return self

    def score(self, image: Source | LoadedImage, *, leave_out: bool = False) -> Result:
        """Score one image.

        Parameters
        ----------
        image
            A path, file bytes, an array [H, W] or [H, W, 1 | 3 | 4], or what `read_image` returned.
        leave_out
            Whether good images with the same pixels, and their near copies, take no part. An image that was learned
            from is then scored like any other image, and its score equals `good_scores_`, unless re-weighted.

        Raises
        ------
        NotFittedError
            If nothing was learned yet.
        ImageError
            If the image cannot be used.
        DataError
            If nothing is left to compare with.
        """
        self.require_fitted()
        loaded = self.read(image)
        record = loaded.record
        sha256 = None if record.format == "array" else record.sha256
        with in_work(sha256, record.name, SCORE), memory_for(record.name):
            return self._score(loaded, leave_out)

    def _score(self, loaded: LoadedImage, leave_out: bool) -> Result:
        own = self.numbers_of(loaded) if leave_out else frozenset[int]()
        patches = self.patches(loaded)
        try:
            found = self.compare(patches.features, patches.inspected, own)
        except DataError as error:
            raise DataError(f"{patches.record.name}: {error}") from error
        patch_scores = patches.patch_scores(found.distances)
        row, col = (int(i) for i in np.argwhere(patches.inspected)[int(found.distances.argmax())])
        return Result(
            score=found.score,
            map=anomaly_map(patch_scores, patches.placement),
            patch_scores=patch_scores,
            worst=(row, col),
            worst_box=patch_box((row, col), patches.inspected.shape, patches.placement),
            nearest_row=found.nearest_row,
            record=patches.record,
            placement=patches.placement,
            figures=found.figures,
            remarks=tuple(self.good_set_.remarks_on(patches.record, leave_out=leave_out)),
            doubts=self.doubts(patches, own),
        )

    def read(self, image: Source | LoadedImage) -> LoadedImage:
        """Read an image with the value range of the model, unless it has been read already."""
        if isinstance(image, LoadedImage):
            return image
        return read_image(image, value_range=self.settings.value_range)

    def patches(self, image: Source | LoadedImage) -> ImagePatches:
        """Compute the features of an image's patches: the one costly step of scoring; errors as for `score`."""
        loaded = self.read(image)
        prepared = prepare(loaded.pixels, self.settings.geometry_of_input(), self.roi_)
        features = FittingRun(self.backbone_, self.settings).features(prepared)
        inspected = inspected_patches(prepared.valid, (features.shape[0], features.shape[1]))
        measures = measure(prepared.input, prepared.valid)
        return ImagePatches(features[inspected], inspected, loaded.record, prepared.placement, measures)

    def doubts(self, image: ImagePatches, left_out: frozenset[int] = frozenset()) -> tuple[Doubt, ...]:
        """Return the reasons why a picture may not show such a part at all; good images `left_out` take no part."""
        check = self.picture_check_
        if check is not None and left_out:
            check = check.without_images(set(left_out), np.arange(len(self.image_records_)))
        found = (image.measures, image.features, image.inspected, image.placement)
        return () if check is None else check.doubts(*found)

    def explain(self, image: Source | LoadedImage | Result) -> Explanation:
        """Say why an image scored as it did: its worst patch and the nearest patch of any good image.

        Raises
        ------
        SettingsError
            If the method does not compare with single patches.
        """
        require_capability(self.method, EXPLAIN)
        result = image if isinstance(image, Result) else self.score(image)
        self.require_fitted()
        if result.nearest_row is None:
            raise DataError(
                "The result names no nearest patch: it was given by an inspector of another method."
            )
        number, at = self.origin(result.nearest_row)
        record = self.image_records_[number]
        placement = place((record.height, record.width), self.settings.geometry_of_input())
        return Explanation(
            test_box=result.worst_box,
            distance=float(result.patch_scores[result.worst]),
            neighbour_image=record.name,
            neighbour_sha256=record.sha256,
            neighbour_box=patch_box(divmod(at, self.grid_[1]), self.grid_, placement),
        )

    def with_coreset(self, share: float) -> Self:
        """Return the model at another share of the patches.

        Raises
        ------
        SettingsError
            If the method keeps no coreset, or the share is above the largest one built.
        """
        require_capability(self.method, SHARE)
        raise NotImplementedError

    def with_operating_point(self, point: OperatingPoint | None) -> Self:
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
        return ()

    @property
    def good_scores_(self) -> dict[str, float]:
        """Leave-one-image-out scores by image name; infinite where no other image is in the bank."""
        self.require_fitted()
        found = self.left_out()
        return {
            self.image_records_[i].name: float(s) for i, s in zip(found.images, found.scores, strict=True)
        }

    @property
    def evidence_(self) -> Evidence:
        """Leave-one-out scores by the image's SHA-256: thresholds are set from them.

        Empty with re-weighting (Eq. 7): the stored scores are distances, and a re-weighted score is not one.
        """
        if self.settings.reweight:
            return Evidence()
        self.require_fitted()
        unseen = self.session_left_out()
        if unseen is None:
            return Evidence(self._by_hash(self.left_out()))
        other_days = self._by_hash(unseen)
        sessions = {record.sha256: record.session for record in self.image_records_}
        return Evidence(
            self._by_hash(self.left_out()),
            unseen=other_days,
            sessions={sha256: sessions[sha256] for sha256 in other_days},
        )

    def _by_hash(self, found: LeftOut) -> dict[str, float]:
        hashes = (self.image_records_[i].sha256 for i in found.images)
        return {sha: float(s) for sha, s in zip(hashes, found.scores, strict=True) if np.isfinite(s)}

    @property
    def threshold_(self) -> float | None:
        """The score above which an image is rejected; None if no operating point is in force."""
        return None if self.operating_point_ is None else self.operating_point_.reject

    @property
    def bank_id_(self) -> str:
        """Identifies the fitted model: its images, settings, weights, region, size and later changes."""
        self.require_fitted()
        size, changes = self.identity()
        parts = [
            [record.sha256 for record in self.image_records_],
            self.settings.to_dict(),
            self.backbone_.sha256,
            size,
            "" if self.roi_ is None else np.packbits(self.roi_).tobytes().hex(),
            *changes,
        ]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

    def fitting_run(
        self, progress: Progress | None = None, cancelled: Callable[[], bool] | None = None
    ) -> FittingRun:
        """Return a run that computes features as the build of this model did."""
        self.require_fitted()
        return FittingRun(self.backbone_, self.settings, self.roi_, progress, cancelled)

    def feature_shape(self) -> tuple[int, int, int]:
        """Return (rows, cols, dims) of an image's features; no image is needed."""
        return feature_shape(self.backbone_, self.settings.image_size, self.settings.dims)

    def renew_self_test(self) -> None:
        """Store the distances of the self-test's image with the bank in use."""
        self.self_test_ = self.self_test_.renewed(self._patch_distances)

    def self_test_again(self) -> SelfTest:
        """Score the self-test's image now, and compare its distances with the stored ones."""
        self.require_fitted()
        return self.self_test_.repeated(self._patch_distances)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the inspector as one `.patchcore` file, whole or not at all."""
        container.write(Path(path), *self.arrays_and_header())

    def arrays_and_header(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return the contents of the inspector's file."""
        self.require_fitted()
        tensors, header = Saved(
            self.settings,
            self.backbone_.sha256,
            self.image_records_,
            self.grid_,
            self.roi_,
            self.operating_point_,
            self.self_test_,
            self.picture_check_,
            self.removed_,
        ).parts(self.bank_id_)
        own_tensors, own_header = self.learned()
        return {**own_tensors, **tensors}, {**header, **own_header}

    @staticmethod
    def load(
        path: str | os.PathLike[str],
        weights: str | Path | None = None,
        device: str = "auto",
        engine: str | None = None,
    ) -> Detector:
        """Read an inspector of any method, check all of it, and score its self-test image.

        Warns if the self-test's distances differ from the stored ones; :attr:`self_test_` holds the difference.

        Raises
        ------
        ArtifactError
            If the file is foreign, damaged, altered, or of a newer format.
        WeightsError
            If the weights that built it are not on this machine; no others are taken.
        """
        tensors, header = container.read(Path(path))
        try:
            saved = Saved.of(tensors, header)
            model = Detector.of(saved.settings, weights, device, engine)
            model.roi_, model.grid_, model.removed_ = saved.roi, saved.grid, saved.removed
            model.image_records_, model.operating_point_ = saved.records, saved.operating_point
            model.picture_check_ = saved.picture_check
            model.restore(tensors, header)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise ArtifactError(f"{Path(path).name} does not hold a whole inspector ({error!r}).") from error
        settings = saved.settings
        model._backbone = load_backbone(
            settings.backbone, weights, settings.layers, device, saved.weights_sha256, engine
        )
        model.self_test_ = saved.self_test.repeated(model._patch_distances)
        if not model.self_test_.passed:
            warnings.warn(f"{Path(path).name}: {model.self_test_.sentence}", stacklevel=2)
        return model

    def require_fitted(self) -> None:
        """Refuse to go on without anything learned.

        Raises
        ------
        NotFittedError
            If the model was neither fitted nor loaded.
        """
        if not hasattr(self, "image_records_"):
            raise NotFittedError(
                "This model has learned from no good images yet. Fit it on good images, or load an inspector."
            )

    def twin_of(self, image: LoadedImage) -> ImageRecord | None:
        """Return the good image with the same pixels, whatever the file; None where there is none."""
        return next((record for record in self.image_records_ if is_exact_copy(record, image)), None)

    def numbers_of(self, image: LoadedImage) -> frozenset[int]:
        """Return the numbers of the good images with the same pixels, and of their near copies."""
        same = (i for i, record in enumerate(self.image_records_) if is_exact_copy(record, image))
        return frozenset().union(*map(self.copy_groups_.left_out_with, same))

    @property
    def copy_groups_(self) -> CopyGroups:
        """Groups of near copies among the good images."""
        taught = set(self.taught_)
        numbers = [number for number, record in enumerate(self.image_records_) if record.sha256 in taught]
        return CopyGroups.of(
            [record.near_copy_of for record in self.image_records_], numbers, self.least_groups
        )

    @property
    def session_groups_(self) -> SessionGroups | None:
        """The sessions of the good images; None where all are of one."""
        return SessionGroups.of([record.session for record in self.image_records_], self.copy_groups_)

    def least_score(self, scores: NDArray[np.float32]) -> float:
        """Return the least of the good images' scores [n] that means anything; 0 where they show how parts vary."""
        finite = scores[np.isfinite(scores)]
        if not self.copy_groups_.too_few and (not finite.size or finite.max() > 0):
            return 0.0
        first = self.image_records_[0]
        valid = place((first.height, first.width), self.settings.geometry_of_input(), self.roi_).valid
        inspected = inspected_patches(valid, self.grid_).ravel()  # the bank knows no padding
        return self.self_test_.harmless_score(self._patch_distances, inspected)

    def _first_operating_point(self) -> OperatingPoint | None:
        """Thresholds from the good images alone; a review band where they are enough for one."""
        evidence = self.evidence_
        if not evidence.good:
            return None
        review = (
            FIRST_REVIEW if len(evidence.good) >= images_needed(FIRST_REVIEW.parameters["budget"]) else None
        )
        return decide(FIRST_RULE, evidence, self.bank_id_, set_by="build", accept_rule=review)

    def _patch_distances(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Distances of every patch of a network input [S, S, 3]: [rows * cols]."""
        settings = self.settings
        prepared = prepare(pixels, replace(settings.geometry_of_input(), mode="stretch"))
        features = FittingRun(self.backbone_, settings).features(prepared)
        if self.picture_check_ is not None:
            typical = self.picture_check_.patches.features
            hold({"typical patches are as long as the network's": typical.shape[1] == features.shape[2]})
        return self.self_test_distances(features.reshape(-1, features.shape[2]))
