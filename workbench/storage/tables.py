"""The tables of the database, and how their rows point to each other."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Final

from sqlalchemy import JSON, Double, ForeignKey, Index, MetaData, String, Text, UniqueConstraint, false
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from workbench.storage.timestamps import UtcTime, now

CONSTRAINT_NAMES = {  # a later migration can change only constraints that have names
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
GOOD = "good"  # the truth of an image without a defect; any other truth is a type of defect
PRODUCTION: Final = "production"  # the purpose of a batch and of its verdicts: parts that were made
EVALUATION: Final = "evaluation"  # or images brought in to measure an inspector


class Base(DeclarativeBase):
    """Root of the tables."""

    metadata = MetaData(naming_convention=CONSTRAINT_NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcTime,
        dict[str, Any]: JSON(none_as_null=True),
        list[Any]: JSON(none_as_null=True),
        float: Double,
    }


class Image(Base):
    """An image file in the workspace, stored once by the hash of its bytes."""

    __tablename__ = "images"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    suffix: Mapped[str] = mapped_column(String(16))
    original_name: Mapped[str] = mapped_column(Text)  # the name it first came with
    size_bytes: Mapped[int]
    record: Mapped[dict[str, Any] | None]  # patchcore.images.reading.ImageRecord.to_dict()
    created: Mapped[datetime] = mapped_column(default=now)

    def describe(self, record: dict[str, Any]) -> None:
        """Take over what reading the image found.

        The name stays the one it first came with, since it is read by its path; near copies and sessions are facts of
        one build.
        """
        self.record = {**record, "name": self.original_name, "near_copy_of": "", "session": ""}


class Inspector(Base):
    """A fitted model for one product, as the user knows it; its current version does the computing."""

    __tablename__ = "inspectors"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)  # safe in a path and an address
    name: Mapped[str] = mapped_column(Text)
    product: Mapped[str] = mapped_column(Text, default="")
    created: Mapped[datetime] = mapped_column(default=now)
    current_id: Mapped[int | None] = mapped_column(
        ForeignKey("inspector_versions.id", use_alter=True, name="fk_inspectors_current")
    )
    revision: Mapped[int] = mapped_column(default=0, server_default="0")
    """Counts the changes of anything that decides verdicts, so that a change on top of an outdated view is refused."""
    deleted: Mapped[datetime | None]  # in the bin since then
    last_number: Mapped[int] = mapped_column(default=0, server_default="0")
    """The highest number of a version that was deleted for good, so that no number is ever reused."""

    current: Mapped[InspectorVersion | None] = relationship(
        foreign_keys=[current_id], lazy="joined", post_update=True
    )


class InspectorVersion(Base):
    """One state of an inspector: a bank on disk, the share of it in use, and the thresholds in force."""

    __tablename__ = "inspector_versions"
    __table_args__ = (UniqueConstraint("inspector_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    inspector_id: Mapped[str] = mapped_column(ForeignKey("inspectors.id"), index=True)
    number: Mapped[int]
    base_id: Mapped[int | None] = mapped_column(ForeignKey("inspector_versions.id"))
    """The version whose bank and good images this version uses with another share or threshold; None: its own."""
    path: Mapped[str] = mapped_column(Text)  # relative to the workspace
    settings: Mapped[dict[str, Any]]  # building.BuildSettings.to_dict()
    share: Mapped[float]  # share of all patches, in use
    largest_share: Mapped[float]  # share of all patches, on disk
    patches: Mapped[int]  # rows of the bank in use
    cover_radius: Mapped[float]
    megabytes: Mapped[float]  # cover radius of the bank in use
    operating_point: Mapped[dict[str, Any]]  # inspectors.OperatingPoint.to_dict()
    good_scores: Mapped[dict[str, Any]]  # image sha256 -> leave-one-image-out score at this share
    numbers: Mapped[dict[str, Any]]  # figures of the build: seconds, skipped images, versions of libraries
    thumbnail_sha256: Mapped[str | None] = mapped_column(ForeignKey("images.sha256"))
    note: Mapped[str] = mapped_column(Text, default="")
    change: Mapped[str] = mapped_column(String(16), default="build", server_default="build")
    """The action that made the version: build, share, remove, teach or import."""
    made_by: Mapped[str] = mapped_column(Text, default="", server_default="")  # a person's name
    created: Mapped[datetime] = mapped_column(default=now)
    deleted: Mapped[datetime | None]  # in the bin since then

    @property
    def bank_id(self) -> int:
        """The version that owns the bank on disk and the list of good images."""
        return self.base_id or self.id


class InspectorImage(Base):
    """A good image that a version was built from, in the order it was given."""

    __tablename__ = "inspector_images"

    version_id: Mapped[int] = mapped_column(ForeignKey("inspector_versions.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("images.sha256"), index=True)
    name: Mapped[str] = mapped_column(Text)
    taught: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether "this is fine" added the image after the build; thresholds are not set from such images."""


class Batch(Base):
    """Images inspected together, or the good images of a bank, each scored without its own patches."""

    __tablename__ = "batches"
    __table_args__ = (
        Index("ix_batches_bank_id", "bank_id", unique=True),
        Index("ix_batches_watch_id", "watch_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    inspector_id: Mapped[str] = mapped_column(ForeignKey("inspectors.id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(16), default="test")  # or "good": inspecting.good_batch
    bank_id: Mapped[int | None] = mapped_column(ForeignKey("inspector_versions.id"))
    """For the kind "good": the version that owns the bank with these images."""
    watch_id: Mapped[int | None] = mapped_column(
        ForeignKey("watches.id")
    )  # the watched folder that brought these images, one batch a day
    created: Mapped[datetime] = mapped_column(default=now, index=True)
    reading: Mapped[dict[str, Any] | None]
    """What was found in reading a labelled set's files: labelled_sets.Reading.to_dict(); None for other batches."""
    purpose: Mapped[str] = mapped_column(String(16), default=PRODUCTION, server_default=PRODUCTION)
    """Production or evaluation: `inspections.purpose`."""
    sampling: Mapped[dict[str, Any] | None]
    """The random draw of images to label: label_sampling.Sampling.to_dict(); None where nothing was drawn."""


class BatchImage(Base):
    """One image of a batch; the same picture may occur twice under two names."""

    __tablename__ = "batch_images"
    __table_args__ = (UniqueConstraint("batch_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("batches.id"))
    position: Mapped[int]
    sha256: Mapped[str] = mapped_column(ForeignKey("images.sha256"), index=True)
    name: Mapped[str] = mapped_column(Text)
    truth: Mapped[str | None] = mapped_column(String(64))  # "good", a defect type, or unknown
    mask_sha256: Mapped[str | None] = mapped_column(ForeignKey("images.sha256"))  # mask of the defect
    stratum: Mapped[str | None] = mapped_column(String(8))
    """The verdict when images to label were drawn from the batch; it stays when thresholds move."""
    draw_place: Mapped[int | None]
    """The place in the random order of its stratum, from 0; None for an image that had a label already."""


class LabelChange(Base):
    """One change of an image's label; all changes are kept, also those taken back later."""

    __tablename__ = "label_changes"

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_image_id: Mapped[int] = mapped_column(ForeignKey("batch_images.id"), index=True)
    before: Mapped[str | None] = mapped_column(String(64))
    after: Mapped[str | None] = mapped_column(String(64))
    made_by: Mapped[str] = mapped_column(Text, default="", server_default="")
    created: Mapped[datetime] = mapped_column(default=now)
    undone: Mapped[datetime | None]

    image: Mapped[BatchImage] = relationship(lazy="joined")


class PointRecord(Base):
    """An operating point that was put in force for a version, and why; the last one is in force."""

    __tablename__ = "operating_points"

    id: Mapped[int] = mapped_column(primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("inspector_versions.id"), index=True)
    data: Mapped[dict[str, Any]]  # OperatingPoint.to_dict()
    note: Mapped[str] = mapped_column(Text, default="")
    change: Mapped[str] = mapped_column(String(16), default="threshold", server_default="threshold")
    """The action that put it in force: threshold or restore; a version's first point came with the version."""
    made_by: Mapped[str] = mapped_column(Text, default="", server_default="")
    created: Mapped[datetime] = mapped_column(default=now)

    version: Mapped[InspectorVersion] = relationship(lazy="joined")


class Result(Base):
    """The result of one inspector version on one image of a batch; verdicts are derived from it when read."""

    __tablename__ = "results"
    __table_args__ = (
        UniqueConstraint("batch_image_id", "version_id"),
        Index("ix_results_version_created", "version_id", "created"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_image_id: Mapped[int] = mapped_column(ForeignKey("batch_images.id"))
    version_id: Mapped[int] = mapped_column(ForeignKey("inspector_versions.id"))
    score: Mapped[float | None]  # None: the image could not be scored, and `error` says why
    worst_box: Mapped[list[Any] | None]  # x0, y0, x1, y1 in pixels of the original
    width: Mapped[int | None]
    height: Mapped[int | None]
    map_path: Mapped[str | None] = mapped_column(Text)  # relative to the workspace
    seconds: Mapped[float | None]
    error: Mapped[str | None] = mapped_column(Text)
    explanation: Mapped[dict[str, Any] | None]  # inspecting.Explained.to_dict(), once asked for
    remarks: Mapped[list[Any] | None]
    """Sentences on the image: its reading, and differences from the good ones."""
    doubts: Mapped[list[Any] | None]
    """Reasons why the picture may not show such a part, `Doubt.to_dict` each; None: nobody looked for any."""
    created: Mapped[datetime] = mapped_column(default=now, index=True)

    image: Mapped[BatchImage] = relationship(lazy="joined")


class Scoring(Base):
    """A batch that waits to be scored by a version, or whose scoring a person has stopped; gone once all is scored."""

    __tablename__ = "scorings"
    __table_args__ = (UniqueConstraint("batch_id", "version_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("batches.id"))
    version_id: Mapped[int] = mapped_column(ForeignKey("inspector_versions.id"))
    made_by: Mapped[str] = mapped_column(Text, default="")
    created: Mapped[datetime] = mapped_column(default=now)
    stopped: Mapped[datetime | None]
    host: Mapped[str | None] = mapped_column(
        Text
    )  # of the server that has taken it, as a job's; None while none has
    pid: Mapped[int | None]
    process_started: Mapped[float | None]
    process_boot: Mapped[str | None] = mapped_column(String(64))
    heartbeat: Mapped[datetime | None]


class Job(Base):
    """Work of more than about a second, done by its own process."""

    __tablename__ = "jobs"
    __table_args__ = (Index("ix_jobs_state_created", "state", "created"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    title: Mapped[str] = mapped_column(Text)
    arguments: Mapped[dict[str, Any]]
    made_by: Mapped[str] = mapped_column(Text, default="", server_default="")
    state: Mapped[str] = mapped_column(String(16))  # jobs.JobState
    cancel_requested: Mapped[datetime | None]
    stage: Mapped[str] = mapped_column(Text, default="")
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    stages: Mapped[list[Any]] = mapped_column(default=list)  # finished stages: name, total, seconds
    eta_seconds: Mapped[float | None]  # seconds to the end of this stage, as of the heartbeat
    message: Mapped[str] = mapped_column(Text, default="")
    result: Mapped[dict[str, Any] | None]
    attempts: Mapped[int] = mapped_column(default=0)
    host: Mapped[str | None] = mapped_column(Text)
    pid: Mapped[int | None]
    process_started: Mapped[float | None]  # `processes.Start`: a pid alone may be another process by now
    process_boot: Mapped[str | None] = mapped_column(String(64))
    heartbeat: Mapped[datetime | None]
    created: Mapped[datetime] = mapped_column(default=now)
    started: Mapped[datetime | None]
    finished: Mapped[datetime | None]


class Inspection(Base):
    """One verdict with everything that explains it months later; only the person's decision may change.

    The row holds values instead of pointing to rows, so that it outlives the image, the result and the inspector.
    """

    __tablename__ = "inspections"
    __table_args__ = (
        UniqueConstraint("batch_image_id", "version_id"),
        Index("ix_inspections_created", "created"),
        Index(
            "ix_inspections_inspector_created", "inspector_id", "created", "verdict", "purpose"
        ),  # verdict and purpose: for counts
        Index("ix_inspections_verdict_created", "verdict", "created", "purpose"),
        Index("ix_inspections_operator_created", "operator", "created"),
        Index(
            "ix_inspections_accepted", "version_id", "point_id", "verdict", "created", "score", "purpose"
        ),  # for drift
        Index("ix_inspections_sha256", "sha256"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    created: Mapped[datetime] = mapped_column(default=now)
    source: Mapped[str] = mapped_column(String(16))  # page, watch or command
    operator: Mapped[str] = mapped_column(Text, default="")
    sha256: Mapped[str] = mapped_column(String(64))  # SHA-256 of the image, which retention may have deleted
    name: Mapped[str] = mapped_column(Text)
    inspector_id: Mapped[str | None] = mapped_column(ForeignKey("inspectors.id"))
    inspector_name: Mapped[str] = mapped_column(Text)  # the inspector's name at that time
    version_id: Mapped[int | None] = mapped_column(ForeignKey("inspector_versions.id"))
    version_number: Mapped[int | None]
    point_id: Mapped[int | None] = mapped_column(ForeignKey("operating_points.id"))
    point_number: Mapped[int | None]  # among the version's points: 2 in "3.2"
    batch_image_id: Mapped[int | None] = mapped_column(ForeignKey("batch_images.id"))
    score: Mapped[float | None]  # None: the image could not be scored, and `error` says why
    accept: Mapped[float | None]  # the thresholds in force at that time
    reject: Mapped[float | None]
    pixel: Mapped[float | None]
    min_area: Mapped[int | None]  # pixels that a region needed to count
    judge_by: Mapped[str | None] = mapped_column(String(8))  # score, area or both
    verdict: Mapped[str | None] = mapped_column(String(8))  # accept, review or reject
    region_count: Mapped[int | None]
    regions: Mapped[list[Any] | None]
    """The worst of them first: {"box": [x0, y0, x1, y1], "area": pixels, "score": peak}; see `history.REGIONS_KEPT`."""
    worst_box: Mapped[list[Any] | None]  # as that of its result
    width: Mapped[int | None]
    height: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(Text)
    remarks: Mapped[list[Any] | None]  # as those of its result then
    doubts: Mapped[list[Any] | None]  # likewise
    picture_check: Mapped[bool | None]  # whether doubts counted then; None: unknown
    overlay_path: Mapped[str | None] = mapped_column(Text)  # relative to the workspace
    decision: Mapped[str | None] = mapped_column(String(8))  # fine or defect, by a person
    decided_by: Mapped[str] = mapped_column(Text, default="")
    decided: Mapped[datetime | None]
    purpose: Mapped[str] = mapped_column(String(16), default=PRODUCTION, server_default=PRODUCTION)
    """Production or evaluation: `inspections.purpose`."""


class Watch(Base):
    """A folder whose images are scored as they arrive."""

    __tablename__ = "watches"

    id: Mapped[int] = mapped_column(primary_key=True)
    inspector_id: Mapped[str] = mapped_column(ForeignKey("inspectors.id"), index=True)
    folder: Mapped[str] = mapped_column(Text)
    options: Mapped[dict[str, Any]]  # what to do with a file after its verdict
    made_by: Mapped[str] = mapped_column(Text, default="")
    created: Mapped[datetime] = mapped_column(default=now)
    stopped: Mapped[datetime | None]
    job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id"))


class WatchedFile(Base):
    """A file of a watched folder that has been scored, so that it is not scored again."""

    __tablename__ = "watched_files"
    __table_args__ = (
        UniqueConstraint("folder", "path", "size_bytes", "modified"),
        Index("ix_watched_files_folder_created", "folder", "created"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    folder: Mapped[str] = mapped_column(Text)  # absolute
    path: Mapped[str] = mapped_column(Text)  # from the folder, with forward slashes
    size_bytes: Mapped[int]
    modified: Mapped[str] = mapped_column(
        String(32)
    )  # nanoseconds: too many digits for some databases' numbers
    inspection_id: Mapped[int | None] = mapped_column(ForeignKey("inspections.id"))
    created: Mapped[datetime] = mapped_column(default=now)
    told: Mapped[dict[str, Any]]  # workbench.watching.verdict.VerdictRecord.to_dict()
    finished: Mapped[datetime | None]  # set once every output has the verdict


class Event(Base):
    """A recorded action: the person, the time, and the object."""

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(primary_key=True)
    created: Mapped[datetime] = mapped_column(default=now, index=True)
    person: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(String(32))
    inspector_id: Mapped[str | None] = mapped_column(ForeignKey("inspectors.id"), index=True)
    revision: Mapped[int | None]  # the inspector's revision, if the action changes verdicts
    details: Mapped[dict[str, Any]]


class Preference(Base):
    """A setting of the whole workspace, such as how long history is kept."""

    __tablename__ = "preferences"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[dict[str, Any]]
    made_by: Mapped[str] = mapped_column(Text, default="")
    changed: Mapped[datetime] = mapped_column(default=now)


class AddressOwner(Base):
    """The owner of an e-mail address of the list of people: the first account that signed in with it."""

    __tablename__ = "address_owners"

    address: Mapped[str] = mapped_column(Text, primary_key=True)  # in small letters
    issuer: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    created: Mapped[datetime] = mapped_column(default=now)
