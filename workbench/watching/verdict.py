"""Verdict records: the verdict on a file of a watched folder, as stored and delivered, and the judge by a model."""

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
from patchcore.labels.layout import label_remark
from workbench.watching.folder import FileKey

if TYPE_CHECKING:
    from patchcore.detector import Detector
    from patchcore.images.reading import LoadedImage
    from patchcore.inspection import Inspection
    from patchcore.thresholds.operating_point import OperatingPoint


@dataclass(frozen=True)
class VerdictRecord:
    """The verdict on a file, as the database stores it and outputs deliver it.

    The fields from `version` on are the fields of `patchcore.inspection.Inspection.to_dict`.

    Attributes
    ----------
    file, size, modified_ns
        The file's path and state (`FileKey`).
    sha256
        Hash of its bytes; empty when they could not be read.
    time
        Time of the verdict, ISO 8601 with its zone.
    inspector
        Name of the inspector.
    version
        Version of the JSON form.
    score, verdict, unjudged
        The score, its verdict, and the reason for a missing verdict; None where missing.
    accept, reject, pixel, min_area, judge_by, point_set_at
        The thresholds in force, and since when; None where there were none.
    bank_id
        The bank that the score was measured against.
    regions
        Worst first: `{"box": [x0, y0, x1, y1], "area": pixels, "score": peak}`, in pixels of the image.
    worst_box
        The patch that decided the score.
    width, height, seconds
        Size of the image in pixels, and the time that reading and scoring took.
    remarks
        Remarks on the image, a sentence each, and on the label that its folders' names give it.
    error
        Why the file could not be scored.
    moved_to
        Path that the file is moved to; None when it stays.
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
        """The file's path and state."""
        return FileKey(self.file, self.size, self.modified_ns)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> VerdictRecord:
        """Read the output of `to_dict`; keys of a newer program are ignored, keys missing from an older one are None.

        Raises
        ------
        TypeError
            A key that names the file or the inspector is missing.
        """
        return cls(**{part.name: plain[part.name] for part in fields(cls) if part.name in plain})


@dataclass(frozen=True, eq=False)
class JudgedFile:
    """A file with its verdict record, its bytes, its image and its inspection.

    Attributes
    ----------
    record
        The verdict.
    data
        The file's bytes.
    image, inspection
        The image and its inspection; None when the file could not be scored.
    owner
        Columns of its row that name inspector and version; empty where the workspace does not hold the inspector.
    """

    record: VerdictRecord
    data: bytes
    image: LoadedImage | None = None
    inspection: Inspection | None = None
    owner: Mapping[str, Any] = field(default_factory=dict)


class ModelJudge:
    """Judges files by an inspector in memory.

    Parameters
    ----------
    model
        The model that scores.
    name
        The inspector's name.
    point
        The thresholds; without thresholds, or with stale ones, files are only scored.
    owner
        See `JudgedFile`.
    """

    def __init__(
        self,
        model: Detector,
        name: str,
        point: OperatingPoint | None,
        owner: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self.name, self.owner = name, owner
        # Why images are only scored, not judged; empty when they are judged.
        self.missing = "it has none" if point is None else point.stale
        self.model, self.point = model, None if self.missing else point
        self.bank_id = model.bank_id_ if self.missing else None  # thresholds in force name it

    def __call__(self, key: FileKey, data: bytes) -> JudgedFile:
        """Score a file by its bytes.

        Raises
        ------
        ImageError
            The file is not an image that can be scored.
        """
        from patchcore.images.reading import read_image

        began = time.perf_counter()
        image = read_image(
            data, name=PurePosixPath(key.path).name, value_range=self.model.settings.value_range
        )
        inspection = judge(self.model.score(image), self.point, self.bank_id)
        seconds = time.perf_counter() - began
        return JudgedFile(
            inspection_record(key, data, self.name, inspection, seconds), data, image, inspection, self.owner
        )

    def broken(self, key: FileKey, data: bytes, why: ImageError) -> JudgedFile:
        """Return the record of a file that cannot be scored."""
        return JudgedFile(new_record(key, data, self.name, error=why.reason), data, owner=self.owner)


def inspection_record(
    key: FileKey, data: bytes, inspector: str, inspection: Inspection, seconds: float
) -> VerdictRecord:
    """Return the record of an inspection made now; `seconds` as in `VerdictRecord`."""
    form = inspection.to_dict()
    del form["sha256"]  # hash of the same bytes, which `new_record` computes too
    return new_record(key, data, inspector, seconds=round(seconds, 4), **form)


def new_record(key: FileKey, data: bytes, inspector: str, **values: Any) -> VerdictRecord:
    """Return a record with the present time; `values` are further fields of `VerdictRecord`."""
    sha256 = hashlib.sha256(data).hexdigest() if data or key.size == 0 else ""
    moment = datetime.now(UTC).isoformat(timespec="milliseconds")
    remarks = [*values.pop("remarks", ()), *label_remark(key.path)]
    return VerdictRecord(*key, sha256, moment, inspector, remarks=remarks, **values)
