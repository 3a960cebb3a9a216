"""Settings of a model, each with its bounds, stated once.

The command line, the page, a job's arguments and an inspector's file are made of `SETTINGS`, and refuse by `check`.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal, get_args

from patchcore.backbones import DEFAULT
from patchcore.errors import SettingsError
from patchcore.methods import DEFAULT_METHOD, METHODS, method, settings_of_others

if TYPE_CHECKING:
    from patchcore.images.geometry import Geometry

Mode = Literal["fit", "stretch", "crop"]


@dataclass(frozen=True)
class Setting:
    """A setting's words, and the values that it may have.

    Parameters
    ----------
    title
        Its name at the beginning of a sentence.
    about
        Its effect.
    must
        Its allowed values, as the end of a sentence with "must be".
    fits
        Whether a value is allowed.
    lowest, highest
        Bounds of a whole number.
    """

    title: str
    about: str
    must: str
    fits: Callable[[Any], bool]
    lowest: int = 0
    highest: int = 0


def _whole(title: str, about: str, lowest: int, highest: int, unit: str = "") -> Setting:
    def fits(value: Any) -> bool:
        return isinstance(value, Integral) and not isinstance(value, bool) and lowest <= int(value) <= highest

    must = f"a whole number from {lowest:,} to {highest:,}{unit}"
    return Setting(title, about, must, fits, lowest, highest)


def _optional(setting: Setting) -> Setting:
    fits = setting.fits
    return Setting(setting.title, setting.about, setting.must, lambda value: value is None or fits(value))


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 100 and value.isprintable()


def _are_names(value: Any) -> bool:
    return isinstance(value, list | tuple) and 0 < len(value) <= 50 and all(map(_is_name, value))


def _is_range(value: Any) -> bool:
    two = isinstance(value, list | tuple) and len(value) == 2 and all(map(_is_number, value))
    return two and bool(value[0] < value[1])


SETTINGS: Mapping[str, Setting] = {
    "method": Setting(
        "The method",
        f"How normality is learned: {', '.join(METHODS)}.",
        f"one of {', '.join(METHODS)}",
        lambda value: isinstance(value, str) and value in METHODS,
    ),
    "backbone": Setting(
        "The network", "Network; `python -m patchcore weights` lists them.", "a name", _is_name
    ),
    "layers": _optional(
        Setting(
            "The list of layers", "Depths whose maps make a patch feature.", "a list of names", _are_names
        )
    ),
    "image_size": _whole("The image size", "Side of the network's input, pixels.", 32, 2048, " pixels"),
    "geometry": Setting(
        "The geometry",
        "How images are fitted into it: fit, stretch or crop.",
        "fit, stretch or crop",
        lambda value: value in get_args(Mode),
    ),
    "coreset": Setting(
        "The coreset share",
        "Largest share of all patches to keep, 0 to 1.",
        "above 0 and at most 1 (100 %)",
        lambda value: _is_number(value) and 0 < value <= 1,
    ),
    "dims": _optional(
        _whole("dims, the length of a patch feature,", "Length of a patch feature.", 1, 8192),
    ),
    "reweight": Setting(
        "Re-weighting",
        "Re-weight image scores by Eq. 7.",
        "true or false",
        lambda value: isinstance(value, bool),
    ),
    "neighbours": _whole("neighbours, b of Eq. 7,", "b of Eq. 7.", 2, 1_000_000),
    "dims_used": _optional(
        _whole("dims_used, the number of dimensions,", "Feature dimensions that PaDiM draws.", 1, 8192),
    ),
    "nearest_images": _whole(
        "The number of nearest images", "Good images that SPADE compares an image with.", 1, 100_000
    ),
    "seed": _whole("The seed", "Seed of every random choice.", 0, 2**31 - 1),
    "value_range": _optional(
        Setting(
            "The value range",
            "Black and white of 16-bit and float images.",
            "two numbers, black below white",
            _is_range,
        )
    ),
}


def check(name: str, value: Any) -> None:
    """Refuse a value that a setting cannot have.

    Raises
    ------
    SettingsError
        The value does not fit; the sentence is the same for command line, page and file.
    """
    setting = SETTINGS[name]
    if not setting.fits(value):
        plain = tuple(value) if isinstance(value, list) else value  # the same words for a list from JSON
        raise SettingsError(f"{setting.title} must be {setting.must}; it is {plain!a:.80}.")


def names_of(method_name: str) -> list[str]:
    """Names of the settings that identify an inspector of a method and are stored with it.

    PatchCore's names leave out settings added with other methods: the identities of existing inspectors depend on them.
    """
    left_out = settings_of_others(method_name)
    if method_name == DEFAULT_METHOD:
        left_out = left_out | {"method"}
    return [field.name for field in fields(Settings) if field.name not in left_out]


def refusal(method_name: str, name: str) -> str:
    """Say that a method lacks a setting which another has."""
    owners = " and ".join(entry.label for entry in METHODS.values() if name in entry.settings)
    return f"{SETTINGS[name].title} is a setting of {owners}; {method(method_name).label} has none. Leave it out."


@dataclass(frozen=True)
class Settings:
    """Settings of a model; see the class of each method for their meaning.

    Raises
    ------
    SettingsError
        `SETTINGS` does not allow a value, a setting belongs to another method, or the backbone is unknown.
    """

    backbone: str = DEFAULT
    layers: tuple[str, ...] | None = None
    image_size: int = 224
    geometry: Mode = "fit"
    coreset: float = 0.10
    dims: int | None = None
    reweight: bool = False
    neighbours: int = 9
    seed: int = 0
    value_range: tuple[float, float] | None = None
    method: str = DEFAULT_METHOD
    dims_used: int | None = 100
    nearest_images: int = 50

    def __post_init__(self) -> None:
        """Check every value."""
        from patchcore.backbones import spec  # late: PyTorch comes with it

        for name in SETTINGS:
            check(name, getattr(self, name))
        for name in sorted(settings_of_others(self.method)):
            if getattr(self, name) != getattr(type(self), name):
                raise SettingsError(refusal(self.method, name))
        spec(self.backbone)

    def geometry_of_input(self) -> Geometry:
        """Return how images are fitted into the network's input."""
        from patchcore.images.geometry import Geometry  # late: PyTorch comes with it

        return Geometry(self.geometry, self.image_size)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings that `names_of` the method lists, as JSON types."""
        values = {name: getattr(self, name) for name in names_of(self.method)}
        return json.loads(json.dumps(values))  # type: ignore[no-any-return]  # tuples become lists

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Settings:
        """Rebuild settings from :meth:`to_dict`."""
        pairs: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        try:
            return cls(**pairs)
        except TypeError as error:
            raise SettingsError(f"These settings cannot be read: {error}.") from error

    def features_key(self, weights_sha256: str, roi: bytes) -> str:
        """Return a hash of the settings, weights and region that decide an image's features: the key of stored ones."""
        learning = {"method", "seed"}.union(*(entry.settings for entry in METHODS.values()))
        relevant = {k: v for k, v in self.to_dict().items() if k not in learning}
        text = json.dumps([relevant, weights_sha256], sort_keys=True)
        return hashlib.sha256(text.encode() + roi).hexdigest()
