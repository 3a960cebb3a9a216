"""Rules for the header of an inspector's file that somebody else wrote: the values that each field may hold."""

from collections.abc import Callable, Mapping
from typing import Any

from patchcore.errors import ArtifactError
from patchcore.files.plain_text import require_text
from patchcore.files.point_rules import BANK, check_point
from patchcore.files.value_rules import (
    MOST_IMAGES,
    SHA256,
    Unsound,
    items,
    mapping,
    match,
    moment,
    number,
    whole,
)

LONGEST_NAME, LONGEST_TEXT = 1024, 4000  # characters
LONGEST_SIDE = 1_000_000  # pixels


def check_header(header: Mapping[str, Any], of_method: Callable[[Mapping[str, Any]], None]) -> None:
    """Check every used field except the settings, which `Settings` must have checked before.

    Parameters
    ----------
    header
        As it was read.
    of_method
        Checks the fields that belong to the file's method; raises `Unsound`.

    Raises
    ------
    ArtifactError
        A field holds an impossible value; the message names the field.
    """
    try:
        _check(header, of_method)
    except Unsound as fault:
        raise ArtifactError(f"The inspector is not sound: {fault}.") from fault


def _check(header: Mapping[str, Any], of_method: Callable[[Mapping[str, Any]], None]) -> None:
    whole(header["version"], "the format's version", 1, 1 << 16)
    match(header["weights_sha256"], SHA256, "the hash of its weights")
    match(header["bank_id"], BANK, "the number of its bank")
    side = header["settings"]["image_size"]
    for cells in items(header["grid"], "the map's size", 2, exactly=True):
        whole(cells, "the map's size", 1, side)
    images = items(header["images"], "the list of its images", MOST_IMAGES)
    of_method(header)
    for image in images:
        _image(image)
    for sha256 in items(header["removed"], "the list of removed images", MOST_IMAGES):
        match(sha256, SHA256, "the hash of a removed image")
    if header["operating_point"] is not None:
        _point(header["operating_point"])
    moment(header["created"], "when it was made")
    for name, version in mapping(header["libraries"], "the list of libraries", 50).items():
        require_text(name, "the name of a library", 100)
        require_text(version, "the version of a library", 100, empty=True)


def _image(image: Any) -> None:
    mapping(image, "an image of the list", 50)
    require_text(image["name"], "the name of an image", LONGEST_NAME)
    match(image["sha256"], SHA256, "the hash of an image")
    for name in ("pixel_sha256", "near_copy_of"):
        if image.get(name, "") != "":
            match(image[name], SHA256, "the hash of an image's pixels")
    for name in ("taken", "session"):
        require_text(image.get(name, ""), f"the {name} of an image", LONGEST_NAME, empty=True)
    require_text(image["format"], "the format of an image", 32)
    for name in ("width", "height", "channels", "bit_depth"):
        whole(image[name], f"the {name.replace('_', ' ')} of an image", 1, LONGEST_SIDE)
    for name in ("lowest", "highest"):
        number(image[name], f"the {name} sample of an image")
    if not isinstance(image.get("colourful", True), bool):
        raise Unsound("whether an image has colour is neither true nor false")
    for note in items(image["notes"], "the notes on an image", 100):
        require_text(note, "a note on an image", LONGEST_TEXT, path=False)


def _point(point: Any) -> None:
    check_point(point)
    for name in ("statement", "set_by", "note", "stale"):
        require_text(point[name], f"the operating point's {name}", LONGEST_TEXT, empty=True, path=False)
