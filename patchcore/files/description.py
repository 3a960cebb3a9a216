"""What an inspector's file may tell people besides: a name, where it comes from, a small picture of a good part.

None of it takes part in scoring, and a file without it is whole. The picture is plain pixels, so that looking at it
takes no decoder.
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
    """What a file says about its inspector; every text may be empty.

    Attributes
    ----------
    name, product
        What the inspector is called, and for which product it is.
    version, note
        Which of its versions this is, as "3.2", and what was noted with it.
    made_by, made_at
        Who wrote the file, and when (ISO 8601).
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
        """Read what `parts` gave, checked; an empty one where the file says nothing.

        Raises
        ------
        ArtifactError
            A text is too long, or holds what a name may not; or the picture is none.
        """
        told = header.get(HEADER_FIELD, {})
        if not isinstance(told, dict):
            raise ArtifactError("The inspector is not sound: what it says of itself is no list of texts.")
        known = [part.name for part in fields(cls) if part.name != "picture"]
        texts = {
            name: require_text(
                told.get(name, ""),
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
