"""Rules for the header of an inspector's file that somebody else wrote: what each of its fields may hold."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from patchcore.errors import ArtifactError
from patchcore.plain_text import require_text
from patchcore.rules import BY_HAND, RULES

MOST_IMAGES = 1_000_000
LONGEST_NAME, LONGEST_TEXT = 1024, 4000  # characters
LONGEST_SIDE = 1_000_000  # pixels
HASH = re.compile(r"[0-9a-f]{64}")
BANK = re.compile(r"[0-9a-f]{8,64}")
THRESHOLDS = ("accept", "reject", "pixel", "millimetres_per_pixel")
WORDS = ("backbone", "geometry")
WHOLE = {"image_size": 4096, "neighbours": 1_000_000, "seed": 1 << 63, "dims": 8192}


def check_header(header: Mapping[str, Any]) -> None:
    """Check every field that is used.

    Raises
    ------
    ArtifactError
        One holds what it cannot; the message names it.
    """
    _whole(header["version"], "the format's version", 1, 1 << 16)
    _settings(header["settings"])
    _match(header["weights_sha256"], HASH, "the hash of its weights")
    _match(header["bank_id"], BANK, "the number of its bank")
    side = header["settings"]["image_size"]
    for cells in _list(header["grid"], "the map's size", 2, exactly=True):
        _whole(cells, "the map's size", 1, side)
    images = _list(header["images"], "the list of its images", MOST_IMAGES)
    _whole(header["total_patches"], "the number of patches", 1, MOST_IMAGES * side * side)
    _whole(header["rows_in_use"], "the number of rows in use", 1, 1 << 40)
    _whole(header.get("taught_rows", 0), "the number of rows that were taught", 0, 1 << 40)
    for image in images:
        _image(image)
    for sha256 in _list(header.get("removed", []), "the list of removed images", MOST_IMAGES):
        _match(sha256, HASH, "the hash of a removed image")
    if header["operating_point"] is not None:
        _point(header["operating_point"])
    _moment(header.get("created", ""), "when it was made")
    for name, version in _mapping(header.get("libraries", {}), "the list of libraries", 50).items():
        require_text(name, "the name of a library", 100)
        require_text(version, "the version of a library", 100, empty=True)


def _settings(settings: Any) -> None:
    _mapping(settings, "the settings", 50)
    for name in WORDS:
        require_text(settings[name], f"the setting {name}", 100)
    for name, highest in WHOLE.items():
        if name != "dims" or settings[name] is not None:
            _whole(settings[name], f"the setting {name}", 0, highest)
    _number(settings["coreset"], "the share of patches kept")
    if not isinstance(settings["reweight"], bool):
        raise _unsound("the setting reweight is neither yes nor no")
    for layer in _list(settings["layers"] or [], "the list of layers", 50):
        require_text(layer, "the name of a layer", 100)
    if settings["value_range"] is not None:
        black, white = (
            _number(value, "black and white of its images")
            for value in _list(settings["value_range"], "black and white of its images", 2, exactly=True)
        )
        if black >= white:
            raise _unsound("black is not below white")


def _image(image: Any) -> None:
    _mapping(image, "an image of the list", 50)
    require_text(image["name"], "the name of an image", LONGEST_NAME)
    _match(image["sha256"], HASH, "the hash of an image")
    require_text(image["format"], "the format of an image", 32)
    for name in ("width", "height", "channels", "bit_depth"):
        _whole(image[name], f"the {name.replace('_', ' ')} of an image", 1, LONGEST_SIDE)
    for name in ("lowest", "highest"):
        _number(image.get(name, 0.0), f"the {name} sample of an image")
    for note in _list(image.get("notes", []), "the notes on an image", 100):
        require_text(note, "a note on an image", LONGEST_TEXT, path=False)


def _point(point: Any) -> None:
    _mapping(point, "the operating point", 50)
    for name in THRESHOLDS:
        if point[name] is not None or name in ("accept", "reject"):
            _number(point[name], f"the threshold {name.replace('_', ' ')}")
    _whole(point["min_area"], "the smallest region", 1, LONGEST_SIDE * LONGEST_SIDE)
    _match(point["bank_id"], BANK, "the bank of the operating point")
    for name in ("statement", "set_by", "note", "stale"):
        require_text(point[name], f"the operating point's {name}", LONGEST_TEXT, empty=True, path=False)
    _moment(point["set_at"], "when the operating point was set")
    _moment(point["recalibrated_at"], "when the operating point was set anew")
    for name in ("rule", "accept_rule", "pixel_rule"):
        if point[name] is not None or name == "rule":
            _rule(point[name])
    for name in ("good", "defect", "map_peaks"):
        scores = _mapping(point["evidence"][name], "the operating point's evidence", MOST_IMAGES)
        for sha256, score in scores.items():
            _match(sha256, HASH, "an image of the operating point's evidence")
            _number(score, "a score of the operating point's evidence")


def _rule(rule: Any) -> None:
    _mapping(rule, "a threshold's rule", 10)
    name = require_text(rule["name"], "the name of a threshold's rule", 100)
    if name not in RULES and name != BY_HAND:
        raise _unsound(
            f"its threshold was set by a rule that this program does not know, {name!r}; update it"
        )
    for parameter, value in _mapping(rule["parameters"], "a rule's parameters", 20).items():
        require_text(parameter, "a rule's parameter", 100)
        _number(value, "a rule's parameter")


def _mapping(value: Any, what: str, most: int) -> Mapping[str, Any]:
    if not isinstance(value, dict) or len(value) > most:
        raise _unsound(f"{what} is none")
    return value


def _list(value: Any, what: str, most: int, *, exactly: bool = False) -> list[Any]:
    if not isinstance(value, list) or len(value) > most or (exactly and len(value) != most):
        raise _unsound(f"{what} is none")
    return value


def _whole(value: Any, what: str, lowest: int, highest: int) -> int:
    if type(value) is not int or not lowest <= value <= highest:
        raise _unsound(f"{what} is no whole number from {lowest:,} to {highest:,}")
    return value


def _number(value: Any, what: str) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise _unsound(f"{what} is no number")
    return float(value)


def _match(value: Any, pattern: re.Pattern[str], what: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise _unsound(f"{what} is none")
    return value


def _moment(value: Any, what: str) -> None:
    text = require_text(value, what, 40, empty=True)
    try:
        if text:
            datetime.fromisoformat(text)
    except ValueError as error:
        raise _unsound(f"{what} is no time") from error


def _unsound(what: str) -> ArtifactError:
    return ArtifactError(f"The inspector is not sound: {what}.")
