"""Warnings about a set of good images before building: each oddity as a sentence with its remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from patchcore.images.unread_files import why_no_images
from workbench.uploads.image_set import kinds

if TYPE_CHECKING:
    from workbench.uploads.preflight import CheckedImage, Preflight

USUAL_COUNT = 20  # fewer good images hardly show how parts vary
SMALLEST_SIDE = 32  # px; below, the network sees hardly more than one patch
WILD_AREA, WILD_ASPECT = 4.0, 1.5  # largest over smallest


def warnings_of(preflight: Preflight) -> list[str]:
    """Give the warnings for a set, most important first."""
    checks = (_count, _broken, _sizes, _tiny, _colours, _depths, _unused_bits, _range_wanted, _copies)
    return [sentence for check in checks if (sentence := check(preflight))]


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
    return f"{_images(len(preflight.broken))} cannot be used ({first.name}: {reason}{more}). The rest can be built on."


def _sizes(preflight: Preflight) -> str | None:
    if len(preflight.sizes) < 2:
        return None
    shapes = sorted((size for size, _ in preflight.sizes), key=lambda size: size[0] * size[1])
    (small_w, small_h), (large_w, large_h) = shapes[0], shapes[-1]
    aspects = [width / height for width, height in shapes]
    text = f"Sizes vary: {len(shapes):,} shapes, {small_w} × {small_h} to {large_w} × {large_h} px."
    wild = large_w * large_h > WILD_AREA * small_w * small_h or max(aspects) > WILD_ASPECT * min(aspects)
    if wild:
        return (
            f"{text} That is wildly different: one part would appear at many scales. Check that all are of one "
            "product and one camera set-up."
        )
    return f"{text} Each is fitted into the network's square by itself; parts should appear at one scale."


def _tiny(preflight: Preflight) -> str | None:
    tiny = [i for i in preflight.usable if min(i.record.width, i.record.height) < SMALLEST_SIDE]
    if not tiny:
        return None
    first = tiny[0]
    return (
        f"{_images(len(tiny), 'has', 'have')} a side below {SMALLEST_SIDE} px (first: {first.name}, "
        f"{first.record.width} × {first.record.height} px): hardly more than one patch. Remove them unless meant."
    )


def _colours(preflight: Preflight) -> str | None:
    grey = [image for image in preflight.usable if image.record.channels <= 2]
    colour = [image for image in preflight.usable if image.colourful]
    if not grey or not colour:
        return None
    fewer = min(grey, colour, key=len)
    return (
        f"Grey and colour are mixed: {len(grey):,} grey, {len(colour):,} in colour (such as {fewer[0].name}). "
        "Test images of the rarer kind would look like defects; use one kind."
    )


def _depths(preflight: Preflight) -> str | None:
    if len([bits for bits in preflight.bit_depths if bits > 1]) < 2:
        return None
    parts = ", ".join(f"{count:,} of {bits} bits" for bits, count in preflight.bit_depths.items())
    return f"Bit depths are mixed: {parts}. Brightness may differ between them; export all alike."


def _unused_bits(preflight: Preflight) -> str | None:
    deep = [image for image in preflight.usable if image.record.bit_depth == 16 and _is_integer(image)]
    if not deep or preflight.value_range is not None:
        return None
    highest = max(image.record.highest for image in deep)
    bits = next((bits for bits in (8, 10, 12) if highest < 2**bits), None)
    if bits is None:
        return None
    return (
        f"{_images(len(deep))} in 16-bit containers: no value lies above {highest:,.0f}, as in {bits}-bit data, which "
        f"will look dark. Set the value range to 0 to {2**bits - 1} to use the full contrast."
    )


def _range_wanted(preflight: Preflight) -> str | None:
    waiting = [fault for fault in preflight.broken if "value range" in fault.reason]
    if not waiting:
        return None
    return (
        f"{_images(len(waiting), 'waits', 'wait')} for a value range, the values that mean black and "
        f"white (such as {waiting[0].name}). Set it, and they can be used."
    )


def _copies(preflight: Preflight) -> str | None:
    if not preflight.duplicates:
        return None
    extra = sum(len(names) - 1 for names in preflight.duplicates)
    first = preflight.duplicates[0]
    return (
        f"{_images(extra, 'is an exact copy', 'are exact copies')} of others (such as {first[1]} of {first[0]}). "
        "Copies count once; they teach nothing new."
    )


def _is_integer(image: CheckedImage) -> bool:
    return image.record.highest > 1  # without a value range, float images end at 1


def _images(count: int, one: str = "", many: str = "") -> str:
    """Count images, with the verb that goes with it."""
    counted, verb = ("1 image", one) if count == 1 else (f"{count:,} images", many)
    return f"{counted} {verb}".rstrip()
