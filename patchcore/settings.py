"""What a PatchCore model is told before it sees an image, checked in one place."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from patchcore.backbones import DEFAULT, spec
from patchcore.coreset import coreset_size
from patchcore.errors import SettingsError
from patchcore.geometry import Geometry


@dataclass(frozen=True)
class Settings:
    """Settings of a model; see :class:`patchcore.PatchCore` for what each means.

    Raises
    ------
    SettingsError
        When one is out of its range.
    """

    backbone: str = DEFAULT
    layers: tuple[str, ...] | None = None
    image_size: int = 224
    geometry: str = "fit"
    coreset: float = 0.10
    dims: int | None = None
    reweight: bool = False
    neighbours: int = 9
    seed: int = 0
    value_range: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        """Check every value, each with a sentence of its own."""
        spec(self.backbone)
        coreset_size(1, self.coreset)
        if not 32 <= self.image_size <= 2048:
            raise SettingsError(
                f"The image size must lie between 32 and 2048 pixels; it is {self.image_size}."
            )
        self.geometry_of_input()
        if self.dims is not None and not 1 <= self.dims <= 8192:
            raise SettingsError(
                f"dims, the length of a patch feature, must lie between 1 and 8192; it is {self.dims}."
            )
        if self.neighbours < 2:
            raise SettingsError(f"neighbours (b of Eq. 7) must be at least 2; it is {self.neighbours}.")
        if self.seed < 0:
            raise SettingsError(f"The seed must not be negative; it is {self.seed}.")

    def geometry_of_input(self) -> Geometry:
        """Return how images are fitted into the network's input."""
        return Geometry(self.geometry, self.image_size)  # type: ignore[arg-type]  # Geometry checks the word itself

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as JSON types."""
        return json.loads(json.dumps(asdict(self)))  # type: ignore[no-any-return]  # tuples become lists

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Settings:
        """Rebuild settings from :meth:`to_dict`."""
        pairs: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        try:
            return cls(**pairs)
        except TypeError as error:
            raise SettingsError(f"These settings cannot be read: {error}.") from error

    def features_key(self, weights_sha256: str, roi: bytes) -> str:
        """Identify what decides the features of an image, to reuse stored ones only where they fit."""
        relevant = {
            k: v for k, v in self.to_dict().items() if k not in ("coreset", "reweight", "neighbours", "seed")
        }
        text = json.dumps([relevant, weights_sha256], sort_keys=True)
        return hashlib.sha256(text.encode() + roi).hexdigest()
