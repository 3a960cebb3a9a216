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
from workbench.watching.folder import FileKey

if TYPE_CHECKING:
    from patchcore.detector import Detector
    from patchcore.images.reading import LoadedImage
    from patchcore.scoring import Result
    from patchcore.thresholds.operating_point import OperatingPoint


@dataclass(frozen=True)
class Given:
    """A verdict that was given on a file, as it is kept and told to others.

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
    score, verdict, accept, reject, pixel
        The score, what came of it, and the thresholds in force; None where there is none.
    regions
        Worst first: `{"box": [x0, y0, x1, y1], "area": pixels, "score": peak}`, in pixels of the image.
    worst_box
        The patch that decided the score.
    width, height, seconds
        Of the image; and how long reading and scoring took.
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
    score: float | None = None
    verdict: str | None = None
    accept: float | None = None
    reject: float | None = None
    pixel: float | None = None
    regions: list[dict[str, Any]] = field(default_factory=list)
    worst_box: list[int] | None = None
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
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
        """Read what `to_dict` wrote; keys of a newer program are ignored."""
        return cls(**{part.name: plain[part.name] for part in fields(cls)})


@dataclass(frozen=True, eq=False)
class Judged:
    """A file with its verdict and what that was made from, for whoever keeps more than the verdict.

    Attributes
    ----------
    given
        The verdict.
    data
        The file's bytes.
    image, scored
        What was read and found; None when it could not be scored.
    point
        The thresholds that judged it; None when none did.
    owner
        Columns of its row that say whose verdict it is; empty where that is no inspector of the workspace.
    """

    given: Given
    data: bytes
    image: LoadedImage | None = None
    scored: Result | None = None
    point: OperatingPoint | None = None
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
        self.model, self.name, self.owner = model, name, owner
        self.missing = (
            "it has none" if point is None else point.stale
        )  # why no image is judged; empty: each is
        self.point = None if self.missing else point

    def __call__(self, key: FileKey, data: bytes) -> Judged:
        """Score a file by its bytes.

        Raises
        ------
        ImageError
            When it is not an image that can be scored.
        """
        from patchcore.images.reading import read_image
        from patchcore.maps.regions import find_regions

        began = time.perf_counter()
        image = read_image(
            data, name=PurePosixPath(key.path).name, value_range=self.model.settings.value_range
        )
        scored = self.model.score(image)
        values: dict[str, Any] = {}
        point = self.point
        if point is not None:
            shown = find_regions(scored.map, point.heat_from, point.min_area)
            values = {
                "verdict": point.judge(scored.score, point.regions(scored.map)),
                "accept": point.accept,
                "reject": point.reject,
                "pixel": point.pixel,
                "regions": [
                    {"box": list(part.box), "area": part.area, "score": part.score} for part in shown
                ],
            }
        given = self._given(
            key,
            data,
            score=float(scored.score),
            worst_box=[int(edge) for edge in scored.worst_box],
            width=image.record.width,
            height=image.record.height,
            seconds=round(time.perf_counter() - began, 4),
            **values,
        )
        return Judged(given, data, image, scored, point, self.owner)

    def broken(self, key: FileKey, data: bytes, why: ImageError) -> Judged:
        """Say of a file that it cannot be scored."""
        return Judged(self._given(key, data, error=why.reason), data, owner=self.owner)

    def _given(self, key: FileKey, data: bytes, **values: Any) -> Given:
        return given(key, data, self.name, **values)


def given(key: FileKey, data: bytes, inspector: str, **values: Any) -> Given:
    """Return a verdict of this moment; `values` are those of `Given`."""
    sha256 = hashlib.sha256(data).hexdigest() if data or key.size == 0 else ""
    moment = datetime.now(UTC).isoformat(timespec="milliseconds")
    return Given(*key, sha256, moment, inspector, **values)
