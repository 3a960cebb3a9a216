"""Warnings about a set of good images before building: each oddity as a sentence with its remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from patchcore.images.good_forms import counted, set_remarks
from patchcore.images.unread_files import why_no_images
from workbench.uploads.image_set import kinds

if TYPE_CHECKING:
    from workbench.uploads.preflight import Preflight

USUAL_COUNT = 20  # fewer good images hardly show how parts vary


def warnings_of(preflight: Preflight) -> list[str]:
    """Give the warnings for a set, most important first."""
    of_set = set_remarks([image.record for image in preflight.usable], preflight.value_range)
    found = [
        _count(preflight),
        _broken(preflight),
        _plain(preflight),
        *of_set,
        _range_wanted(preflight),
        _copies(preflight),
        _in_two_formats(preflight),
    ]
    return [sentence for sentence in found if sentence]


def _count(preflight: Preflight) -> str | None:
    count = len(preflight.distinct)
    if count == 0:
        if preflight.broken:
            return "None of these files can be used; see the reason beside each. Nothing can be built."
        if preflight.left_out:
            sentence = why_no_images("This upload", kinds(preflight.left_out))
            return f"{sentence} The reason stands beside each. Nothing can be built."
        return "No images yet. Drop image files, a folder or a zip with images of good parts."
    if count == 1:
        return "Only 1 image: a bank from one image knows one part; 20 or more is usual."
    if count < USUAL_COUNT:
        return f"Only {count} images: a bank from so few knows little of how good parts vary; 20 or more is usual."
    return None


def _broken(preflight: Preflight) -> str | None:
    if not preflight.broken or not preflight.usable:
        return None
    first = preflight.broken[0]
    more = f"; {len(preflight.broken) - 1:,} more are listed" if len(preflight.broken) > 1 else ""
    reason = first.reason.rstrip(".")
    return f"{counted(len(preflight.broken))} cannot be used ({first.name}: {reason}{more}). The rest can be built on."


def _range_wanted(preflight: Preflight) -> str | None:
    waiting = [fault for fault in preflight.broken if "value range" in fault.reason]
    if not waiting:
        return None
    return (
        f"{counted(len(waiting), 'waits', 'wait')} for a value range, the values that mean black and "
        f"white (such as {waiting[0].name}). Set it, and they can be used."
    )


def _plain(preflight: Preflight) -> str | None:
    if not preflight.plain:
        return None
    first = preflight.plain[0].name
    it = "it" if len(preflight.plain) == 1 else "them"
    return (
        f"{counted(len(preflight.plain), 'shows', 'show')} nothing, like a black frame (such as {first}). Leave {it} "
        "out: a bank takes what it is shown for good."
    )


def _in_two_formats(preflight: Preflight) -> str | None:
    pairs = preflight.in_two_formats
    if not pairs:
        return None
    return (
        f"{counted(len(pairs), 'shows', 'show')} the same picture as another in another format (such as {pairs[0][1]} "
        f"and {pairs[0][0]}). Leave one of each out; a picture that comes twice teaches nothing new."
    )


def _copies(preflight: Preflight) -> str | None:
    if not preflight.duplicates:
        return None
    extra = sum(len(names) - 1 for names in preflight.duplicates)
    first = preflight.duplicates[0]
    return (
        f"{counted(extra, 'is an exact copy', 'are exact copies')} of others (such as {first[1]} of {first[0]}). "
        "Copies count once; they teach nothing new."
    )
