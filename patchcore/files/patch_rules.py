"""SPADE's part of an inspector's file: the patches of all good images, image by image."""

import numpy as np

from patchcore.files.method_rules import (
    LONGEST_FEATURE,
    SCORED,
    SCORED_BY_SESSIONS,
    FileRules,
    Header,
    Tensors,
    feature_rules,
    hold,
    scored_rules,
)
from patchcore.files.value_rules import whole

DEEPEST = "the beginning of the deepest layer"


def _check_header(header: Header) -> None:
    whole(header["deepest"], DEEPEST, 0, LONGEST_FEATURE)


def _rules(tensors: Tensors, header: Header) -> dict[str, bool]:
    """Rules for the arrays, checked at every load."""
    features, images, positions = (tensors[f"spade.{part}"] for part in ("features", "images", "positions"))
    count, cells = len(header["images"]), header["grid"][0] * header["grid"][1]
    shapes = {
        "the patches are a matrix of 32-bit numbers": features.ndim == 2
        and features.dtype == np.float32
        and images.dtype == positions.dtype == np.int32,
        "every patch has its image and position": images.shape == positions.shape == (len(features),),
        "the deepest layer is a part of the feature": 0
        <= whole(header["deepest"], DEEPEST, 0, features.shape[1])
        < features.shape[1],
    }
    hold(shapes)  # the further rules rely on them
    order = images.astype(np.int64) * cells + positions
    return {
        **feature_rules(features, cells),
        "every feature is a finite number": bool(np.isfinite(features).all()),
        "every listed image has patches": np.array_equal(np.unique(images), np.arange(count)),
        "every patch's position is on the map": bool(((positions >= 0) & (positions < cells)).all()),
        "the patches stand image by image, each position once": bool((np.diff(order) > 0).all()),
        **scored_rules(tensors, count),
        "a good score is infinite only where its image is alone": bool(
            count == 1 or np.isfinite(tensors["good_scores.values"]).all()
        ),
    }


PATCH_RULES = FileRules(
    {
        "spade.features": ("F32", 4, 2),
        "spade.images": ("I32", 4, 1),
        "spade.positions": ("I32", 4, 1),
        **SCORED,
    },
    _check_header,
    _rules,
    optional=SCORED_BY_SESSIONS,
)
