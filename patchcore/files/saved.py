"""The contents of an inspector's file: parts of a model on one side, arrays and header on the other."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patchcore.errors import ArtifactError
from patchcore.files.method_rules import Header, Tensors, hold
from patchcore.files.picture_rules import hold_picture_rules, picture_check_of, picture_parts
from patchcore.images.harmless_copies import harmless_copies
from patchcore.images.reading import ImageRecord
from patchcore.methods import DEFAULT_METHOD
from patchcore.plausibility.picture_check import PictureCheck
from patchcore.settings import Settings
from patchcore.thresholds.operating_point import OperatingPoint

LIBRARIES = ("torch", "torchvision", "numpy", "numba")
SELF_TEST_TOLERANCE = 1e-3

Distances = Callable[[NDArray[np.float32]], NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class SelfTest:
    """An image with its stored distances: proof that this machine computes the same numbers as the builder's machine.

    Attributes
    ----------
    pixels
        [S, S, 3] uint8: a good image turned by 180 degrees and inverted, so that its distances are not zero.
    distances
        [rows * cols] float32 as stored.
    difference
        Largest difference at the last repetition, relative to the largest distance; 0 before the first.
    """

    pixels: NDArray[np.uint8]
    distances: NDArray[np.float32]
    difference: float = 0.0

    @classmethod
    def make(cls, sample: NDArray[np.float32], distances: Distances) -> SelfTest:
        """Make a test from an image and its distances on this machine."""
        pixels = np.rint(255 * (1 - sample[::-1, ::-1])).astype(np.uint8)
        return cls(pixels, distances(pixels.astype(np.float32) / np.float32(255)))

    def repeated(self, distances: Distances) -> SelfTest:
        """Repeat the test and note the difference."""
        again = distances(self.pixels.astype(np.float32) / np.float32(255))
        if again.shape != self.distances.shape:
            return replace(self, difference=np.inf)
        scale = max(float(self.distances.max()), 1e-12)
        return replace(self, difference=float(np.abs(again - self.distances).max()) / scale)

    def renewed(self, distances: Distances) -> SelfTest:
        """Return the test with the same image's distances from another bank."""
        return SelfTest(self.pixels, distances(self.pixels.astype(np.float32) / np.float32(255)))

    def harmless_score(self, distances: Distances, inspected: NDArray[np.bool_]) -> float:
        """Return the largest distance of harmless copies of the good image, at inspected positions [rows * cols]."""
        image = 1 - self.pixels[::-1, ::-1].astype(np.float32) / np.float32(255)
        gentle, rough = harmless_copies(image)
        return max(float(distances(copy)[inspected].max()) for copy in (*gentle, *rough))

    @property
    def passed(self) -> bool:
        """Whether the distances agree within rounding."""
        return self.difference <= SELF_TEST_TOLERANCE

    @property
    def sentence(self) -> str:
        """The outcome, and the advice on a failure."""
        if self.passed:
            return "The self-test gives the stored scores."
        return (
            f"The self-test's scores differ from the stored ones by {self.difference:.2%} of the largest: this machine "
            "computes other numbers than the builder's machine. Do not rely on its verdicts; rebuild it here."
        )


@dataclass(frozen=True, eq=False)
class Saved:
    """The part of a file that every method has."""

    settings: Settings
    weights_sha256: str
    records: list[ImageRecord]
    grid: tuple[int, int]
    roi: NDArray[np.bool_] | None
    operating_point: OperatingPoint | None
    self_test: SelfTest
    picture_check: PictureCheck | None
    removed: tuple[str, ...] = ()

    def parts(self, bank_id: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return arrays and header."""
        tensors: dict[str, NDArray[Any]] = {
            "self_test.pixels": self.self_test.pixels,
            "self_test.distances": self.self_test.distances,
            **picture_parts(self.picture_check),
        }
        if self.roi is not None:
            tensors["roi"] = self.roi.astype(np.uint8)
        header: dict[str, Any] = {
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "method": self.settings.method,
            "settings": self.settings.to_dict(),
            "weights_sha256": self.weights_sha256,
            "bank_id": bank_id,
            "grid": list(self.grid),
            "images": [record.to_dict() for record in self.records],
            "removed": list(self.removed),
            "operating_point": self.operating_point.to_dict() if self.operating_point else None,
            "libraries": library_versions(),
        }
        return tensors, header

    @classmethod
    def of(cls, tensors: Tensors, header: Header) -> Saved:
        """Rebuild from arrays and header.

        Raises
        ------
        ArtifactError
            The method is unknown, or the parts contradict each other.
        KeyError, IndexError, TypeError, ValueError
            A part is missing or of the wrong kind.
        """
        settings = Settings.from_dict(header["settings"])
        if header.get("method", DEFAULT_METHOD) != settings.method:
            raise ArtifactError(
                "The inspector is not sound: its method and its settings contradict each other."
            )
        hold_picture_rules(tensors, header)
        grid = (whole_number(header["grid"][0]), whole_number(header["grid"][1]))
        saved = cls(
            settings=settings,
            weights_sha256=str(header["weights_sha256"]),
            records=[ImageRecord.from_dict(record) for record in header["images"]],
            grid=grid,
            roi=tensors["roi"].astype(bool) if "roi" in tensors else None,
            operating_point=OperatingPoint.from_dict(header["operating_point"])
            if header["operating_point"]
            else None,
            self_test=SelfTest(tensors["self_test.pixels"], tensors["self_test.distances"]),
            picture_check=picture_check_of(tensors, grid),
            removed=tuple(str(sha256) for sha256 in header["removed"]),
        )
        side = settings.image_size
        hold({"the self-test image has the input's size": saved.self_test.pixels.shape == (side, side, 3)})
        return saved


def whole_number(value: object) -> int:
    """Return a whole number unchanged; True does not count as a number, unlike in Python."""
    if type(value) is not int:
        raise TypeError(f"{value!r:.40} is not a whole number")
    return value


def library_versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that compute the numbers."""
    return {name: _version(name) for name in LIBRARIES} | {"python": platform.python_version()}


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "absent"
