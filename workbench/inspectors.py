"""Inspectors and their versions: listing, loading, the share of the bank in use, and the operating point."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from patchcore.errors import NoImagesError
from patchcore.operating_point import Choice, Evidence, OperatingPoint
from patchcore.thresholds import decide
from workbench.database import Inspector, InspectorImage, InspectorVersion, Result, WorkspaceError
from workbench.point_history import put_in_force, store_point
from workbench.workspace import Workspace

if TYPE_CHECKING:
    from patchcore.detector import PatchCore

MODELS_IN_MEMORY = 2
TOO_FEW = (
    "An inspector takes two different good images or more, better thirty: its threshold comes from how each of them "
    "scores against the others. Add good images."
)


@dataclass(frozen=True)
class ShareNumbers:
    """What a version is like with a bank of a certain size."""

    share: float  # of all patches
    patches: int
    megabytes: float
    cover_radius: float
    good_scores: Mapping[str, float]  # image sha256 -> leave-one-image-out score
    point: OperatingPoint  # calibrated on those scores

    @classmethod
    def of(cls, model: PatchCore) -> ShareNumbers:
        """Read the numbers of a fitted model, at the share it is at.

        A threshold that could not follow the bank (one set by hand means nothing on another) is replaced by the
        one that the good images alone allow, so that there is never a verdict on an outdated one.

        Raises
        ------
        NoImagesError
            When the good images do not suffice for a threshold.
        """
        by_name = model.good_scores_
        scores = {record.sha256: by_name.get(record.name, math.inf) for record in model.image_records_}
        good = {sha256: score for sha256, score in scores.items() if math.isfinite(score)}
        if not good:
            raise NoImagesError(TOO_FEW)
        point = model.operating_point_
        if point is None or point.stale:
            point = decide(Choice("provisional"), Evidence(good), model.bank_id_, set_by="the program")
        return cls(
            share=model.bank_.share,
            patches=len(model.bank_),
            megabytes=model.bank_.nbytes / 1e6,
            cover_radius=model.cover_radius_,
            good_scores=good,
            point=point,
        )

    def columns(self) -> dict[str, Any]:
        """Return the columns of `InspectorVersion` that say the same."""
        return {
            "share": self.share,
            "patches": self.patches,
            "megabytes": self.megabytes,
            "cover_radius": self.cover_radius,
            "good_scores": dict(self.good_scores),
            "operating_point": self.point.to_dict(),
        }


def list_inspectors(workspace: Workspace) -> list[Inspector]:
    """Return the inspectors that are ready, newest first, each with its `.current` version."""
    query = select(Inspector).where(Inspector.current_id.is_not(None)).order_by(Inspector.created.desc())
    with workspace.database.read() as session:
        return list(session.scalars(query))


def find_inspector(workspace: Workspace, inspector_id: str) -> Inspector | None:
    """Return an inspector with its `.current` version, or None."""
    with workspace.database.read() as session:
        return session.get(Inspector, inspector_id)


def list_versions(workspace: Workspace, inspector_id: str) -> list[InspectorVersion]:
    """Return the versions of an inspector, newest first."""
    query = select(InspectorVersion).where(InspectorVersion.inspector_id == inspector_id)
    with workspace.database.read() as session:
        return list(session.scalars(query.order_by(InspectorVersion.number.desc())))


def get_version(workspace: Workspace, version_id: int) -> InspectorVersion:
    """Return one version.

    Raises
    ------
    WorkspaceError
        When there is none.
    """
    with workspace.database.read() as session:
        return _require(session, version_id)


def good_images(workspace: Workspace, version: InspectorVersion) -> list[InspectorImage]:
    """Return the good images a version was built from, in order."""
    query = select(InspectorImage).where(InspectorImage.version_id == version.bank_id)
    with workspace.database.read() as session:
        return list(session.scalars(query.order_by(InspectorImage.position)))


def next_number(session: Session, inspector_id: str) -> int:
    """Return the number that the next version of an inspector gets."""
    numbers = select(func.max(InspectorVersion.number)).where(InspectorVersion.inspector_id == inspector_id)
    return (session.scalar(numbers) or 0) + 1


def load_model(workspace: Workspace, version: InspectorVersion) -> PatchCore:
    """Return the fitted model of a version, at its share; the last two banks stay in memory."""
    return _LOADED.at_share(workspace.root / version.path, version.settings.get("weights"), version.share)


def share_numbers(workspace: Workspace, version: InspectorVersion, share: float) -> ShareNumbers:
    """Return what the bank would be at another share, its threshold recalibrated; nothing is stored.

    Raises
    ------
    SettingsError
        When the share is above the largest that was built.
    """
    point = OperatingPoint.from_dict(version.operating_point)
    return ShareNumbers.of(load_model(workspace, version).with_operating_point(point).with_coreset(share))


def reslice(
    workspace: Workspace, version: InspectorVersion, share: float, note: str = ""
) -> InspectorVersion:
    """Put another share of the bank into use, with its threshold recalibrated in the same step.

    A version that has scored nothing yet is changed in place; otherwise a new version is made, on the same bank
    on disk, so that earlier results keep pointing at what produced them. The returned version is the current one.
    """
    numbers = share_numbers(workspace, version, share)
    with workspace.database.write() as session:
        row = _require(session, version.id)
        if row.patches == numbers.patches:
            return row
        if session.scalar(select(exists().where(Result.version_id == row.id))):
            row = _successor(session, row, note)
        for name, value in numbers.columns().items():
            setattr(row, name, value)
        session.add(row)
        session.flush()
        put_in_force(
            session, row, numbers.point, f"Set anew for a bank of {numbers.share:.3g} of all patches."
        )
        session.get_one(Inspector, row.inspector_id).current_id = row.id
    return row


def set_operating_point(
    workspace: Workspace, version: InspectorVersion, point: OperatingPoint
) -> InspectorVersion:
    """Put thresholds in force for a version; see `workbench.point_history.store_point`."""
    return store_point(workspace, version, point, point.note, point.set_by)


def rename(workspace: Workspace, inspector_id: str, name: str) -> None:
    """Give an inspector another name."""
    with workspace.database.write() as session:
        session.get_one(Inspector, inspector_id).name = name


def _require(session: Session, version_id: int) -> InspectorVersion:
    version = session.get(InspectorVersion, version_id)
    if version is None:
        raise WorkspaceError(f"There is no version {version_id} of any inspector.")
    return version


def _successor(session: Session, version: InspectorVersion, note: str) -> InspectorVersion:
    """Return a new version on the bank and the good images of another, not yet added."""
    return InspectorVersion(
        inspector_id=version.inspector_id,
        number=next_number(session, version.inspector_id),
        base_id=version.bank_id,
        path=version.path,
        settings=version.settings,
        largest_share=version.largest_share,
        numbers=version.numbers,
        thumbnail_sha256=version.thumbnail_sha256,
        note=note,
    )


class _LoadedModels:
    """The models used last: loading checks every byte and loads a network, which a slider must not wait for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._whole: OrderedDict[Path, PatchCore] = OrderedDict()
        self._sliced: OrderedDict[tuple[Path, float], PatchCore] = OrderedDict()

    def at_share(self, path: Path, weights: str | None, share: float) -> PatchCore:
        """Return a model at a share of all patches."""
        from patchcore.detector import PatchCore  # late: PyTorch comes with it, and most pages need none

        key = (path, share)
        with self._lock:
            if path not in self._whole:
                self._whole[path] = PatchCore.load(path, weights=weights)
            whole = _latest(self._whole, path)
            if key not in self._sliced:
                self._sliced[key] = whole.with_coreset(share)
            return _latest(self._sliced, key)


def _latest(models: OrderedDict[Any, PatchCore], key: object) -> PatchCore:
    """Return one, now the last used, and let go of those used least recently."""
    models.move_to_end(key)
    while len(models) > MODELS_IN_MEMORY:
        models.popitem(last=False)
    return models[key]


_LOADED = _LoadedModels()
