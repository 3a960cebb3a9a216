"""The description in an inspector's file, for people: a name, the origin, a small picture of a good part.

The description takes no part in scoring, and a file without it is whole. The picture is plain pixels, so that no
decoder is needed to view it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patchcore.errors import ArtifactError
from patchcore.files.plain_text import require_text

HEADER_FIELD = "about"
PICTURE = "about.picture"
PICTURE_SIDE = 320  # pixels at most
LONGEST = {"name": 200, "product": 200, "version": 32, "note": 4000, "made_by": 200, "made_at": 40}


@dataclass(frozen=True, eq=False)
class About:
    """The description of an inspector; every text may be empty.

    Attributes
    ----------
    name, product
        Names of the inspector and of its product.
    version, note
        Number of the version, as "3.2", and its note.
    made_by, made_at
        The person who wrote the file, and the time (ISO 8601).
    picture
        A good part, uint8 [H, W, 3], sides of at most `PICTURE_SIDE`.
    """

    name: str = ""
    product: str = ""
    version: str = ""
    note: str = ""
    made_by: str = ""
    made_at: str = ""
    picture: NDArray[np.uint8] | None = None

    def parts(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return arrays and header fields to be written with the inspector's own."""
        texts = {name: value for name, value in asdict(self).items() if name != "picture"}
        tensors = {} if self.picture is None else {PICTURE: self.picture}
        return tensors, {HEADER_FIELD: texts}

    @classmethod
    def from_parts(cls, tensors: Mapping[str, NDArray[Any]], header: Mapping[str, Any]) -> About:
        """Read and check the fields of `parts`; a file without a description gives an empty one.

        Raises
        ------
        ArtifactError
            A text is too long or holds forbidden characters, or the picture is not an image.
        """
        stored = header.get(HEADER_FIELD, {})
        if not isinstance(stored, dict):
            raise ArtifactError("The inspector is not sound: its description is not a list of texts.")
        known = [part.name for part in fields(cls) if part.name != "picture"]
        texts = {
            name: require_text(
                stored.get(name, ""),
                f"its {name.replace('_', ' ')}",
                LONGEST[name],
                empty=True,
                path=name in ("name", "product"),
            )
            for name in known
        }
        return cls(**texts, picture=_checked_picture(tensors.get(PICTURE)))


def _checked_picture(picture: NDArray[Any] | None) -> NDArray[np.uint8] | None:
    if picture is None:
        return None
    sides_fit = picture.ndim == 3 and all(1 <= side <= PICTURE_SIDE for side in picture.shape[:2])
    if picture.dtype != np.uint8 or not sides_fit or picture.shape[2] != 3:
        raise ArtifactError(
            f"The inspector is not sound: its picture must be RGB of at most {PICTURE_SIDE} pixels a side."
        )
    return picture
