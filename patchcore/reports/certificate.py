"""The certificate: one self-contained HTML file on an inspector's origins, so that a verdict can be traced to them.

`render_certificate` fills the template `certificate.html.jinja`, in the style of the report and under its rules: every
text is escaped, nothing is fetched, and there are no scripts.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from patchcore.evaluation.measures import Evaluation
from patchcore.files.saved import SelfTest
from patchcore.reports import words
from patchcore.reports.document import now, template_environment
from patchcore.reports.inspector_facts import Fact
from patchcore.reports.pictures import data_uri
from patchcore.reports.rows import metric_tiles, threshold_rules
from patchcore.thresholds.operating_point import OperatingPoint


class GoodImage(NamedTuple):
    """An image that built the bank: its name, the SHA-256 of its file, and whether it was taught later."""

    name: str
    sha256: str
    taught: bool = False


class Change(NamedTuple):
    """One line of the history of an inspector."""

    number: str
    what: str
    note: str
    made_by: str
    made_at: str
    threshold: float
    certified: bool = False


@dataclass(frozen=True)
class Certificate:
    """The contents of a certificate.

    Parameters
    ----------
    inspector, product, version
        The certified inspector; the version as "3.2".
    facts
        Facts on the inspector, from `inspector_facts.inspector_facts`.
    good_images
        The images that built the bank, in its order.
    file_sha256
        SHA-256 of the inspector's file.
    point
        The thresholds of this version, or None.
    self_test
        The outcome of the self-test, repeated now.
    measured
        Name of each labelled set and its evaluation.
    built_with, repeated_with
        Versions of the libraries when it was built, and now.
    history
        All changes of the inspector, the latest first.
    author, date, note
        The certificate's author, the time (ISO 8601), and the version's note.
    picture
        A good part, uint8 [H, W, 3].
    """

    inspector: str
    product: str
    version: str
    facts: Sequence[Fact]
    good_images: Sequence[GoodImage]
    file_sha256: str
    point: OperatingPoint | None
    self_test: SelfTest
    measured: Sequence[tuple[str, Evaluation]] = ()
    built_with: Mapping[str, str] = field(default_factory=dict)
    repeated_with: Mapping[str, str] = field(default_factory=dict)
    history: Sequence[Change] = ()
    author: str = ""
    date: str = field(default_factory=now)
    note: str = ""
    picture: NDArray[np.uint8] | None = None

    @property
    def data_sha256(self) -> str:
        """One hash for all good images, whatever their order."""
        return data_hash(image.sha256 for image in self.good_images)


def data_hash(sha256s: Iterable[str]) -> str:
    """Return the SHA-256 of the sorted hashes, one a line, as `sort | sha256sum` computes it."""
    lines = "".join(f"{sha256}\n" for sha256 in sorted(sha256s))
    return hashlib.sha256(lines.encode()).hexdigest()


def render_certificate(certificate: Certificate) -> str:
    """Give the certificate as one HTML document."""
    point = certificate.point
    like = point.reject if point is not None else 1.0
    libraries = sorted({*certificate.built_with, *certificate.repeated_with})
    return (
        template_environment()
        .get_template("certificate.html.jinja")
        .render(
            certificate=certificate,
            picture=None if certificate.picture is None else data_uri(certificate.picture),
            point=point,
            rules=threshold_rules(point, like),
            judged=words.judge_words(point) if point is not None and not point.stale else "",
            evidence=_evidence_words(point),
            measured=[
                (name, evaluation, metric_tiles(evaluation)) for name, evaluation in certificate.measured
            ],
            libraries=[
                (name, certificate.built_with.get(name, "–"), certificate.repeated_with.get(name, "–"))
                for name in libraries
            ],
            score=lambda value: words.score_words(value, like),
        )
    )


def _evidence_words(point: OperatingPoint | None) -> str:
    if point is None:
        return ""
    good, defect = len(point.evidence.good), len(point.evidence.defect)
    return f"{good:,} good images and {defect:,} defects" if defect else f"{good:,} good images"
