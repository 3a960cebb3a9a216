"""The methods by name: words for people, settings and abilities of each; its class is imported at first use."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from patchcore.errors import SettingsError

DEFAULT_METHOD = "patchcore"
SHARE, EXPLAIN, TEACH, REMOVE = "share", "explain", "teach", "remove"
LACKING: Mapping[str, str] = {
    SHARE: "keeps no coreset, so it has no size to choose",
    EXPLAIN: "does not compare a patch with single good patches, so it cannot show the nearest one",
    TEACH: "cannot be taught a single image; add the image to the good ones and build again",
    REMOVE: "cannot give up a single good image; build again without the image",
}
"""Capabilities, each with words for a method that lacks it; the method's label stands before them."""


@dataclass(frozen=True)
class Method:
    """One entry of the registry.

    Attributes
    ----------
    label
        The method's name in a sentence.
    home
        "module:class" of its `Detector`; a module that begins with a dot is one of this package.
    summary
        One line for the user: strengths and costs.
    settings
        Names in `settings.SETTINGS` that belong to this method.
    capabilities
        The capabilities of `LACKING` that it has.
    """

    label: str
    home: str
    summary: str
    settings: tuple[str, ...] = ()
    capabilities: frozenset[str] = frozenset()


METHODS: dict[str, Method] = {
    DEFAULT_METHOD: Method(
        "PatchCore",
        ".patchcore:PatchCore",
        "a memory bank of patches, of any size; parts may lie anywhere",
        ("coreset", "reweight", "neighbours"),
        frozenset(LACKING),
    ),
    "padim": Method(
        "PaDiM",
        ".padim:PaDiM",
        "a Gaussian at each position; quick, for parts that always lie alike",
        ("dims_used",),
    ),
    "spade": Method(
        "SPADE",
        ".spade:SPADE",
        "all patches of the most similar good images; large files",
        ("nearest_images",),
        frozenset({EXPLAIN}),
    ),
}


def method(name: str) -> Method:
    """Look up one entry.

    Raises
    ------
    SettingsError
        The registry has no method of that name.
    """
    if name not in METHODS:
        raise SettingsError(f"There is no method {name!r:.80}. Known: {', '.join(METHODS)}.")
    return METHODS[name]


def detector_class(name: str) -> type[Any]:
    """Import the class of a method; errors as for :func:`method`."""
    module, _, kind = method(name).home.partition(":")
    found: type[Any] = getattr(import_module(module, "patchcore"), kind)
    return found


def lacking(name: str, capability: str) -> str:
    """Say that a method lacks a capability; "" where it has it."""
    entry = method(name)
    return "" if capability in entry.capabilities else f"{entry.label} {LACKING[capability]}."


def require_capability(name: str, capability: str) -> None:
    """Refuse a capability that a method lacks.

    Raises
    ------
    SettingsError
        The method lacks the capability; the sentence names the method.
    """
    if sentence := lacking(name, capability):
        raise SettingsError(sentence)


def settings_of_others(name: str) -> set[str]:
    """Names of the settings that other methods have and this one lacks."""
    return {one for entry in METHODS.values() for one in entry.settings} - set(method(name).settings)
