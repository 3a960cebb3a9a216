"""PatchCore (Roth et al., arXiv 2106.08265): a memory bank of patches at any share, teachable, and explained."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from threading import Thread
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from patchcore.bank import MemoryBank
from patchcore.coreset import compile_ahead
from patchcore.detector import Detector, Size
from patchcore.errors import DataError, SettingsError
from patchcore.files.bank_rules import BANK_RULES, loading_rules
from patchcore.files.method_rules import Header, Tensors, hold
from patchcore.files.saved import whole_number
from patchcore.fitting.calibration import LeftOut, calibrate
from patchcore.fitting.feature_store import FeatureStore
from patchcore.fitting.run import FittingRun
from patchcore.fitting.selection import choose
from patchcore.labels.sessions import SessionGroups
from patchcore.leave_one_out import GoodGroups, GoodScores
from patchcore.methods import METHODS, lacking
from patchcore.scoring import Comparison, reweighted
from patchcore.settings import Mode, Settings
from patchcore.thresholds.decision import recalibrate


class PatchCore(Detector):
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
        Seed of the projection, the first pick and the calibration sample.
    value_range
        (black, white) of 16-bit and float images; None scales by the container's range.
    device, engine
        As for :class:`patchcore.detector.Detector`.

    Attributes
    ----------
    bank_
        The memory bank at the share in use; `full_bank_` at the largest.
    profile_, session_profile_
        Leave-one-image-out scores and cover radius at every size of the bank; the same images' scores by other sessions
        alone, None where all are of one session.
    cover_radius_
        Largest distance from any patch of the good images to its nearest kept patch, at the share in use.

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

    method = "patchcore"
    file_rules = BANK_RULES

    bank_: MemoryBank
    full_bank_: MemoryBank
    profile_: GoodScores
    session_profile_: GoodScores | None

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
        super().__init__(
            weights,
            device,
            engine,
            backbone=backbone,
            layers=layers,
            image_size=image_size,
            geometry=geometry,
            coreset=coreset,
            dims=dims,
            reweight=reweight,
            neighbours=neighbours,
            seed=seed,
            value_range=value_range,
        )

    def before_build(self, run: FittingRun) -> None:
        """Compile the coreset's loops, so that they are ready when the features are."""
        Thread(target=compile_ahead, daemon=True).start()

    def learn(self, run: FittingRun, store: FeatureStore) -> None:
        """Choose the coreset at the largest share."""
        self.full_bank_ = self.bank_ = choose(run, store)

    def calibrate(self, run: FittingRun, store: FeatureStore) -> None:
        """Score good images at every size of the bank in one pass."""
        self.take_profiles(calibrate(run, store, self.full_bank_, self.copy_groups_, self.kinds_of_groups_))

    def take_profiles(self, scores: Sequence[GoodScores]) -> None:
        """Take over the good images' scores without themselves and, as a second part, without their session."""
        floor = self.least_score(scores[0].at(len(self.full_bank_)))
        profiles = [one.at_least(floor) for one in scores]
        self.profile_, self.session_profile_ = profiles[0], profiles[1] if len(profiles) > 1 else None

    @property
    def kinds_of_groups_(self) -> list[GoodGroups]:
        """The images that are left out with an image: its near copies, then its session where there are several."""
        return [*SessionGroups.kinds(self.image_records_, self.copy_groups_)]

    def left_out(self) -> LeftOut:
        """Return the good images' scores by the others alone, at the share in use."""
        return LeftOut(self.profile_.images, self.profile_.at(len(self.bank_)))

    def session_left_out(self) -> LeftOut | None:
        """Return the good images' scores by other sessions alone, at the share in use; None for one session."""
        found = self.session_profile_
        if found is None or self.session_groups_ is None:
            return None
        return LeftOut(found.images, found.at(len(self.bank_)))

    def compare(
        self,
        features: NDArray[np.float32],
        inspected: NDArray[np.bool_],
        own: frozenset[int] = frozenset(),
    ) -> Comparison:
        """Find the nearest row of each patch (section 3.3); see :meth:`patchcore.detector.Detector.compare`."""
        bank, rows = self._bank_without(own) if own else (self.bank_, None)
        found = bank.nearest(features, device=self.backbone_.device)
        distances = found.distances[:, 0]
        worst = int(distances.argmax())
        nearest = int(found.rows[worst, 0])
        score = self.image_score(bank, features[worst], nearest, float(distances[worst]))
        return Comparison(distances, score, nearest if rows is None else int(rows[nearest]))

    def image_score(
        self, bank: MemoryBank, worst: NDArray[np.float32], nearest_row: int, distance: float
    ) -> float:
        """Score an image from its worst patch [dims] and that patch's nearest row; re-weighted if so set."""
        if not self.settings.reweight:
            return distance
        return reweighted(bank, worst, nearest_row, distance, self.settings.neighbours)

    def origin(self, row: int) -> tuple[int, int]:
        """Return image number and position of a row of the bank in use."""
        return int(self.bank_.images[row]), int(self.bank_.positions[row])

    def with_coreset(self, share: float) -> Self:
        """Return the model at another share of the patches: a prefix of the order, nothing recomputed.

        The operating point is recalibrated by its own rule in the same step.

        Raises
        ------
        SettingsError
            If the share is above the largest one built.
        """
        self.require_fitted()
        model = copy.copy(self)
        model.bank_ = self.full_bank_.prefix(share)
        if self.operating_point_ is not None:
            model.operating_point_ = recalibrate(self.operating_point_, model.evidence_, model.bank_id_)
        return model

    @property
    def taught_(self) -> tuple[str, ...]:
        """SHA-256 of the images that were taught; no threshold is set from them."""
        numbers = sorted(self.full_bank_.taught_images)
        return tuple(self.image_records_[number].sha256 for number in numbers)

    @property
    def cover_radius_(self) -> float:
        """Largest distance from any patch of the calibrated good images to its nearest kept patch."""
        return float(self.profile_.cover_radius[len(self.bank_) - 1])

    @property
    def size(self) -> Size:
        """Rows in use, as a share of all patches of the good images."""
        bank, full = self.bank_, self.full_bank_
        return Size(
            bank.total_patches,
            len(bank),
            bank.nbytes,
            bank.share,
            full.share,
            self.cover_radius_,
            bank.taught,
        )

    def identity(self) -> tuple[int, list[Any]]:
        """Return the rows in use, and images removed and rows taught since the build."""
        changes: list[Any] = []
        if self.removed_:  # a build on the remaining images would choose other rows
            changes.append(sorted(self.removed_))
        if self.full_bank_.taught:
            changes.append(self._taught_rows())
        return len(self.bank_), changes

    def self_test_distances(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Distances of the patches to the largest bank; the share in use does not matter."""
        return self.full_bank_.nearest(features, device=self.backbone_.device).distances[:, 0]

    def learned(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return the largest bank with its good scores, and the rows in use."""
        bank, scores = self.full_bank_, self.profile_
        tensors: dict[str, NDArray[Any]] = {
            "bank.features": bank.features,
            "bank.images": bank.images,
            "bank.positions": bank.positions,
            **{f"good_scores.{part.name}": getattr(scores, part.name) for part in fields(GoodScores)},
        }
        if (sessions := self.session_profile_) is not None:
            tensors |= {
                f"session_scores.{part}": getattr(sessions, part) for part in GoodScores.SESSION_PARTS
            }
        header = {
            "total_patches": bank.total_patches,
            "taught_rows": bank.taught,
            "rows_in_use": len(self.bank_),
        }
        return tensors, header

    def restore(self, tensors: Tensors, header: Header) -> None:
        """Take over bank and good scores, each checked against the others."""
        total, taught, in_use = (
            whole_number(header[name]) for name in ("total_patches", "taught_rows", "rows_in_use")
        )
        hold(loading_rules(tensors, header))
        features, images, positions = (
            tensors[f"bank.{part}"] for part in ("features", "images", "positions")
        )
        self.full_bank_ = MemoryBank(features, images, positions, total, taught)
        self.profile_ = GoodScores(*(tensors[f"good_scores.{part.name}"] for part in fields(GoodScores)))
        self.session_profile_ = None
        if all(f"session_scores.{part}" in tensors for part in GoodScores.SESSION_PARTS):
            parts = {part: tensors[f"session_scores.{part}"] for part in GoodScores.SESSION_PARTS}
            self.session_profile_ = replace(self.profile_, **parts)
        self.bank_ = self.full_bank_.rows(slice(in_use))

    def _taught_rows(self) -> list[list[str | int]]:
        bank = self.full_bank_
        numbers, positions = bank.images[: bank.taught].tolist(), bank.positions[: bank.taught].tolist()
        return [
            [self.image_records_[number].sha256, position]
            for number, position in zip(numbers, positions, strict=True)
        ]

    def _bank_without(self, own: frozenset[int]) -> tuple[MemoryBank, NDArray[np.int64]]:
        """The bank in use without the rows of some images, and the numbers of the rows that are left."""
        rows = np.flatnonzero(~np.isin(self.bank_.images, list(own)))
        if not len(rows):
            raise DataError(
                "every row of the bank comes from this image itself; it can only be scored "
                "without its own rows once other good images are in the bank."
            )
        return self.bank_.without_images(set(own)), rows


def with_bank(model: Detector, capability: str) -> PatchCore:
    """Return the model as one with a memory bank.

    Raises
    ------
    SettingsError
        Its method lacks the capability; the sentence names the method.
    """
    sentence = lacking(model.method, capability)
    if sentence or not isinstance(model, PatchCore):
        raise SettingsError(sentence or f"{METHODS[model.method].label} has no memory bank.")
    return model
