"""What is said of a file of a watched folder: the verdict as it is kept and told, and who gives it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from patchcore.errors import ImageError
from patchcore.inspection import VERSION, judge
from workbench.watching.folder import FileKey

if TYPE_CHECKING:
    from patchcore.detector import Detector
    from patchcore.images.reading import LoadedImage
    from patchcore.inspection import Inspection
    from patchcore.thresholds.operating_point import OperatingPoint


@dataclass(frozen=True)
class Given:
    """A verdict that was given on a file, as it is kept and told to others.

    The fields from `version` on are those of `patchcore.inspection.Inspection.to_dict`.

    Attributes
    ----------
    file, size, modified_ns
        Which file, in which state (`FileKey`).
    sha256
        Of its bytes; empty when they could not be read.
    time
        When the verdict was given, ISO 8601 with its zone.
    inspector
        The name of what gave it.
    version
        Of the JSON form.
    score, verdict, unjudged
        The score, what came of it, and why nothing came of it; None where there is none.
    accept, reject, pixel, min_area, judge_by, point_set_at
        The thresholds that it rests on, and since when they are in force; None where there were none.
    bank_id
        The bank that the score was measured against.
    regions
        Worst first: `{"box": [x0, y0, x1, y1], "area": pixels, "score": peak}`, in pixels of the image.
    worst_box
        The patch that decided the score.
    width, height, seconds
        Of the image; and how long reading and scoring took.
    remarks
        What was done or noticed on reading the image.
    error
        Why it could not be scored.
    moved_to
        Where the file is moved to, as a path; None when it stays.
    """

    file: str
    size: int
    modified_ns: int
    sha256: str
    time: str
    inspector: str
    version: int = VERSION
    score: float | None = None
    verdict: str | None = None
    unjudged: str | None = None
    accept: float | None = None
    reject: float | None = None
    pixel: float | None = None
    min_area: int | None = None
    judge_by: str | None = None
    point_set_at: str | None = None
    bank_id: str | None = None
    regions: list[dict[str, Any]] = field(default_factory=list)
    worst_box: list[int] | None = None
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    remarks: list[str] = field(default_factory=list)
    error: str | None = None
    moved_to: str | None = None

    @property
    def key(self) -> FileKey:
        """Which file, in which state."""
        return FileKey(self.file, self.size, self.modified_ns)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Given:
        """Read what `to_dict` wrote; keys of a newer program are ignored, those an older one lacks are None.

        Raises
        ------
        TypeError
            What says which file it was, or who judged it, is missing.
        """
        return cls(**{part.name: plain[part.name] for part in fields(cls) if part.name in plain})


@dataclass(frozen=True, eq=False)
class Judged:
    """A file with its verdict and what that was made from, for whoever keeps more than the verdict.

    Attributes
    ----------
    given
        The verdict.
    data
        The file's bytes.
    image, inspection
        What was read and found; None when it could not be scored.
    owner
        Columns of its row that say whose verdict it is; empty where that is no inspector of the workspace.
    """

    given: Given
    data: bytes
    image: LoadedImage | None = None
    inspection: Inspection | None = None
    owner: Mapping[str, Any] = field(default_factory=dict)


class ModelJudge:
    """Gives verdicts by an inspector in memory.

    Parameters
    ----------
    model
        What scores.
    name
        What it is called.
    point
        The thresholds; none, and stale ones, judge nothing.
    owner
        As `Judged` has it.
    """

    def __init__(
        self,
        model: Detector,
        name: str,
        point: OperatingPoint | None,
        owner: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self.name, self.owner = name, owner
        self.missing = (
            "it has none" if point is None else point.stale
        )  # why no image is judged; empty: each is
        self.model, self.point = model, None if self.missing else point
        self.bank_id = model.bank_id_ if self.missing else None  # thresholds in force name it

    def __call__(self, key: FileKey, data: bytes) -> Judged:
        """Score a file by its bytes.

        Raises
        ------
        ImageError
            When it is not an image that can be scored.
        """
        from patchcore.images.reading import read_image

        began = time.perf_counter()
        image = read_image(
            data, name=PurePosixPath(key.path).name, value_range=self.model.settings.value_range
        )
        inspection = judge(self.model.score(image), self.point, self.bank_id)
        seconds = time.perf_counter() - began
        return Judged(
            verdict_of(key, data, self.name, inspection, seconds), data, image, inspection, self.owner
        )

    def broken(self, key: FileKey, data: bytes, why: ImageError) -> Judged:
        """Say of a file that it cannot be scored."""
        return Judged(given(key, data, self.name, error=why.reason), data, owner=self.owner)


def verdict_of(key: FileKey, data: bytes, inspector: str, inspection: Inspection, seconds: float) -> Given:
    """Return the verdict of this moment that an inspection gives; `seconds` are those of `Given`."""
    form = inspection.to_dict()
    del form["sha256"]  # of the same bytes
    return given(key, data, inspector, seconds=round(seconds, 4), **form)


def given(key: FileKey, data: bytes, inspector: str, **values: Any) -> Given:
    """Return a verdict of this moment; `values` are those of `Given`."""
    sha256 = hashlib.sha256(data).hexdigest() if data or key.size == 0 else ""
    moment = datetime.now(UTC).isoformat(timespec="milliseconds")
    return Given(*key, sha256, moment, inspector, **values)
