"""Patch features on disk while a bank is built, so that memory does not grow with the number of images.

The folder doubles as the checkpoint: an image whose features are wholly on disk is never computed again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patchcore.disk.in_use import delete_file


@dataclass(frozen=True)
class StoredImage:
    """One image whose features are on disk.

    Attributes
    ----------
    sha256
        Hash of the image file.
    start
        Number of rows before this image's.
    count
        Number of rows.
    kept
        The stored patches of the feature map: a bit for each patch, hexadecimal.
    record
        The image's record, as a dictionary.
    measures
        As from :func:`patchcore.plausibility.measures.measure`.
    """

    sha256: str
    start: int
    count: int
    kept: str
    record: dict[str, Any]
    measures: list[float]

    @property
    def positions(self) -> NDArray[np.int64]:
        """[count] numbers of the stored patches, row * columns + column of the feature map."""
        return np.flatnonzero(np.unpackbits(np.frombuffer(bytes.fromhex(self.kept), np.uint8)))


class FeatureStore:
    """Rows of float32 appended to a file, with an index line for each finished image.

    Parameters
    ----------
    folder
        Folder of the files; made if absent.
    key
        Identifies the settings that made the features. A folder left by other settings is emptied.
    """

    def __init__(self, folder: Path, key: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.rows_path, self.index_path, self.key_path = (
            folder / n for n in ("rows.f32", "index.jsonl", "key")
        )
        if not self.key_path.exists() or self.key_path.read_text(encoding="utf-8") != key:
            self.clear()
            self.key_path.write_text(key, encoding="utf-8")
        self.dims = 0
        self.images: list[StoredImage] = []
        self._earlier = {image.sha256: image for image in self._read_index()}
        self._elsewhere: dict[str, Path] = {}  # rows of images in folders that were included
        self._end = max((image.start + image.count for image in self._earlier.values()), default=0)

    def __len__(self) -> int:
        """Return the number of rows of the images in use."""
        return sum(image.count for image in self.images)

    @property
    def resumes(self) -> bool:
        """Whether an earlier, interrupted run left finished images."""
        return bool(self._earlier)

    def clear(self) -> None:
        """Delete the files."""
        for path in (self.rows_path, self.index_path, self.key_path):
            delete_file(path)

    def knows(self, sha256: str) -> bool:
        """Whether an earlier, interrupted run left an image's rows."""
        return sha256 in self._earlier

    def pixels_of(self, sha256: str) -> str:
        """Return the hash of the pixels of an image that an earlier, interrupted run left."""
        return str(self._earlier[sha256].record.get("pixel_sha256", ""))

    def include(self, other: FeatureStore) -> None:
        """Add the finished images of another folder to the known ones; their rows stay in that folder."""
        for sha256 in other._earlier.keys() - self._earlier.keys():
            self._earlier[sha256] = other._earlier[sha256]
            self._elsewhere[sha256] = other.rows_path
        self.dims = self.dims or other.dims

    def reuse(self, sha256: str) -> bool:
        """Reuse an image's rows from an earlier, interrupted run; return whether there are any."""
        if sha256 not in self._earlier:
            return False
        self.images.append(self._earlier[sha256])
        return True

    def append(
        self,
        sha256: str,
        features: NDArray[np.float32],
        kept: NDArray[np.bool_],
        record: dict[str, Any],
        measures: NDArray[np.float64],
    ) -> None:
        """Write one image's kept patches; the index line follows only once they are on disk.

        Parameters
        ----------
        sha256
            Hash of the image file.
        features
            [rows, cols, dims] float32.
        kept
            [rows, cols] bool: the patches to store.
        record
            The image's record, as JSON types.
        measures
            [5] float64, see :func:`patchcore.plausibility.measures.measure`.
        """
        rows = features.reshape(-1, features.shape[2]) if kept.all() else features[kept]
        self.dims = rows.shape[1]
        with self.rows_path.open("r+b" if self.rows_path.exists() else "w+b") as file:
            file.seek(self._end * self.dims * 4)
            file.write(np.ascontiguousarray(rows).data)
            file.flush()
        image = StoredImage(
            sha256, self._end, len(rows), np.packbits(kept).tobytes().hex(), record, measures.tolist()
        )
        with self.index_path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"dims": self.dims, **asdict(image)}) + "\n")
        self._end += len(rows)
        self.images.append(image)

    def rows(self, image: StoredImage) -> NDArray[np.float32]:
        """Return the rows of one image: [P, dims]."""
        flat = np.fromfile(
            self._file_of(image), np.float32, image.count * self.dims, offset=image.start * self.dims * 4
        )
        return flat.reshape(image.count, self.dims)

    def take(self, indices: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return rows by their numbers over the images in use: [len(indices), dims], in the order of `indices`."""
        number, within = self.locate(indices)
        starts = np.array([image.start for image in self.images])
        wanted = starts[number] + within
        out = np.empty((len(wanted), self.dims), np.float32)
        paths = [self._file_of(image) for image in self.images]
        numbers = {path: i for i, path in enumerate(dict.fromkeys(paths))}
        of_row = np.array([numbers[path] for path in paths])[number]
        for path, i in numbers.items():
            targets = np.flatnonzero(of_row == i)
            with path.open("rb") as file:
                for target in targets[np.argsort(wanted[targets])]:  # in file order
                    file.seek(int(wanted[target]) * self.dims * 4)
                    out[target] = np.frombuffer(file.read(self.dims * 4), np.float32)
        return out

    def locate(self, indices: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return for each row number the image's number and the row within that image."""
        ends = np.cumsum([image.count for image in self.images])
        number = np.searchsorted(ends, indices, side="right")
        return number, indices - np.concatenate([[0], ends])[number]

    def _file_of(self, image: StoredImage) -> Path:
        return self._elsewhere.get(image.sha256, self.rows_path)

    def _read_index(self) -> Iterator[StoredImage]:
        """Read the finished images of an earlier run; a half-written last line is dropped."""
        if not self.index_path.exists():
            return
        size = self.rows_path.stat().st_size if self.rows_path.exists() else 0
        complete = []
        for line in self.index_path.read_text(encoding="utf-8").splitlines():
            try:
                entry = json.loads(line)
                dims, image = entry.pop("dims"), StoredImage(**entry)
            except (json.JSONDecodeError, TypeError):  # half a line, or a line of an earlier program
                break
            self.dims = dims
            if (image.start + image.count) * self.dims * 4 > size:
                break
            complete.append(line)
            yield image
        self.index_path.write_text("".join(line + "\n" for line in complete), encoding="utf-8")
