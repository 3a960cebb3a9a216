"""Backbones: the registry, the files of their weights, and the engines that run them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from patchcore.backbones.default import DEFAULT

if TYPE_CHECKING:
    from patchcore.backbones.entry import BackboneSpec
    from patchcore.backbones.loading import Backbone, load_backbone
    from patchcore.backbones.registry import (
        download_weights,
        find_weights,
        missing_weights_sentence,
        names,
        preferred_backbone,
        spec,
    )
    from patchcore.backbones.weight_files import file_sha256

__all__ = [
    "DEFAULT",
    "Backbone",
    "BackboneSpec",
    "download_weights",
    "file_sha256",
    "find_weights",
    "load_backbone",
    "missing_weights_sentence",
    "names",
    "preferred_backbone",
    "spec",
]

# Looked up at first use, so that the default's name can be read without waiting for torch.
_HOMES = {
    "Backbone": "loading",
    "BackboneSpec": "entry",
    "download_weights": "registry",
    "file_sha256": "weight_files",
    "find_weights": "registry",
    "load_backbone": "loading",
    "missing_weights_sentence": "registry",
    "names": "registry",
    "preferred_backbone": "registry",
    "spec": "registry",
}


def __getattr__(name: str) -> Any:  # PEP 562
    if name not in _HOMES:
        raise AttributeError(f"module 'patchcore.backbones' has no attribute {name!r}")
    return getattr(import_module(f"patchcore.backbones.{_HOMES[name]}"), name)
