"""PatchCore's part of an inspector's file that somebody else wrote: the bank and its good scores."""

import numpy as np

from patchcore.files.method_rules import FileRules, Header, Tensors, feature_rules
from patchcore.files.value_rules import MOST_IMAGES, whole
from patchcore.images.copy_groups import CopyGroups
from patchcore.thresholds.operating_point import LARGEST_SCORE


def _check_header(header: Header) -> None:
    side = header["settings"]["image_size"]
    whole(header["total_patches"], "the number of patches", 1, MOST_IMAGES * side * side)
    whole(header["rows_in_use"], "the number of rows in use", 1, 1 << 40)
    whole(header["taught_rows"], "the number of rows that were taught", 0, 1 << 40)


def loading_rules(tensors: Tensors, header: Header) -> dict[str, bool]:
    """Rules checked at every load; the header's numbers are whole ones."""
    features, images, positions = (tensors[f"bank.{part}"] for part in ("features", "images", "positions"))
    taught, in_use, total = (header[name] for name in ("taught_rows", "rows_in_use", "total_patches"))
    cover, scored = tensors["good_scores.cover_radius"], tensors["good_scores.images"]
    rows, cells, listed = len(features), header["grid"][0] * header["grid"][1], len(header["images"])
    return {
        "the bank is a matrix of 32-bit numbers": features.ndim == 2 and features.dtype == np.float32,
        "every feature is a finite number": bool(np.isfinite(features).all()),
        "every row has its image and position": images.shape == positions.shape == (rows,),
        "every row's image is listed": rows > 0 and images.min() >= 0 and images.max() < listed,
        "every row's position is on the map": positions.min() >= 0 and positions.max() < cells,
        "the bank is not larger than the images": rows - taught <= total,
        "the rows in use are in the bank": 0 < in_use <= rows,
        "taught rows stand before built rows": 0 <= taught < in_use
        and not set(images[:taught].tolist()) & set(images[taught:].tolist()),
        "the good scores fit the bank": cover.shape == (rows,)
        and _steps_fit(tensors, "good_scores", len(scored)),
        "the scores by other sessions fit the good scores": "session_scores.offsets" not in tensors
        or _steps_fit(tensors, "session_scores", len(scored)),
    }


def _steps_fit(tensors: Tensors, kind: str, scored: int) -> bool:
    """Whether scores as step functions have as many offsets, sizes and values as the images need."""
    offsets, sizes, values = (tensors[f"{kind}.{part}"] for part in ("offsets", "sizes", "values"))
    return offsets.shape == (scored + 1,) and sizes.shape == values.shape == (offsets[-1],)


def _rules(tensors: Tensors, header: Header) -> dict[str, bool]:
    """Rules checked for a stranger's file alone: a file of this program cannot break them."""
    features = tensors["bank.features"]
    taught = header["taught_rows"]
    rows, images, cells = len(features), len(header["images"]), header["grid"][0] * header["grid"][1]
    offsets, sizes = tensors["good_scores.offsets"], tensors["good_scores.sizes"]
    values, cover = tensors["good_scores.values"], tensors["good_scores.cover_radius"]
    scored = tensors["good_scores.images"]
    return {
        **feature_rules(features, cells),
        "no image has more patches than its map": rows - taught <= header["total_patches"] <= images * cells,
        "the good scores follow each other": len(offsets) == len(scored) + 1
        and offsets[0] == 0
        and offsets[-1] == len(sizes)
        and bool((np.diff(offsets) > 0).all()),
        "a good score changes at a size that the bank can have": len(sizes) == len(values)
        and bool(((sizes >= 1) & (sizes <= rows)).all()),
        "every good score belongs to a listed image, once": len(scored) <= MOST_IMAGES
        and len(np.unique(scored)) == len(scored)
        and bool(((scored >= 0) & (scored < images)).all()),
        "no good score is negative or no number": bool((values >= 0).all()),
        "good scores and cover radii are no larger than a score can be": bool(
            (values[np.isfinite(values)] <= LARGEST_SCORE).all() and (cover <= LARGEST_SCORE).all()
        ),
        "scores by other sessions follow each other": _session_scores_follow(tensors, rows),
        "cover radii are numbers that only fall": bool(np.isfinite(cover).all() and (cover >= 0).all())
        and bool((np.diff(cover) <= 0).all()),
    }


def _session_scores_follow(tensors: Tensors, rows: int) -> bool:
    if "session_scores.offsets" not in tensors:
        return True
    offsets, sizes, values = (tensors[f"session_scores.{part}"] for part in ("offsets", "sizes", "values"))
    return (
        _steps_fit(tensors, "session_scores", len(tensors["good_scores.images"]))
        and offsets[0] == 0
        and bool((np.diff(offsets) > 0).all())
        and bool(((sizes >= 1) & (sizes <= rows)).all())
        and bool(((values >= 0) & ((values <= LARGEST_SCORE) | np.isinf(values))).all())
    )


def _last_rules(tensors: Tensors, header: Header) -> dict[str, bool]:
    return {
        "a good score is infinite only while its image is alone in the bank": _infinite_alone(tensors, header)
    }


def _infinite_alone(tensors: Tensors, header: Header) -> bool:
    """Whether each infinite score belongs to an image that, with its near copies, has all rows at the front."""
    offsets, sizes = tensors["good_scores.offsets"], tensors["good_scores.sizes"]
    images, scored = tensors["bank.images"], tensors["good_scores.images"]
    taught = images[: header["taught_rows"]].tolist()
    groups = CopyGroups.of([image.get("near_copy_of", "") for image in header["images"]], taught)
    for step in np.flatnonzero(np.isinf(tensors["good_scores.values"])):
        place = int(np.searchsorted(offsets, step, side="right")) - 1
        others = np.flatnonzero(~np.isin(images, list(groups.left_out_with(int(scored[place])))))
        alone = int(others[0]) if len(others) else len(images)  # its rows at the front
        followed = step + 1 < offsets[place + 1] and sizes[step + 1] == alone + 1
        if sizes[step] > alone or not (followed or alone == len(images)):
            return False
    return True


BANK_RULES = FileRules(
    {
        "bank.features": ("F32", 4, 2),
        "bank.images": ("I32", 4, 1),
        "bank.positions": ("I32", 4, 1),
        "good_scores.offsets": ("I64", 8, 1),
        "good_scores.sizes": ("I64", 8, 1),
        "good_scores.values": ("F32", 4, 1),
        "good_scores.cover_radius": ("F32", 4, 1),
        "good_scores.images": ("I32", 4, 1),
    },
    _check_header,
    _rules,
    _last_rules,
    {
        "session_scores.offsets": ("I64", 8, 1),
        "session_scores.sizes": ("I64", 8, 1),
        "session_scores.values": ("F32", 4, 1),
    },
)
