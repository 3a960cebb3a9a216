"""The first scene: the product, and what its inspector learned from."""

from dataclasses import dataclass

import streamlit as st

from patchcore.errors import PatchCoreError
from workbench.inspectors.capabilities import method_label
from workbench.inspectors.versions import good_images, has_good_images
from workbench.storage.tables import InspectorVersion
from workbench.storage.workspace import Workspace
from workbench.widgets.shared import session, wording

PICTURES = 40  # of good parts; a window shows as many of them as fit


@dataclass(frozen=True)
class Learned:
    """What an inspector learned from.

    Attributes
    ----------
    images
        Number of good photographs.
    pictures
        Some of them, spread over all, as JPEG.
    """

    images: int
    pictures: tuple[bytes, ...]


def learned(version: InspectorVersion) -> Learned:
    """Return what a version learned from; without pictures where it was imported."""
    found = good_images(session.workspace(), version)
    if not has_good_images(version):
        return Learned(len(found), ())
    step = max(1, len(found) // PICTURES)
    wanted = tuple(image.sha256 for image in found[::step])[:PICTURES]
    return Learned(
        len(found), _pictures(str(session.workspace().root), wanted, _workspace=session.workspace())
    )


def facts(version: InspectorVersion, images: int) -> list[tuple[str, str]]:
    """Return the lines of the first scene, each a number that stands out and the words after it.

    An imported version lacks the seconds: its build was recorded elsewhere.
    """
    photographs = "photograph of a good part" if images == 1 else "photographs of good parts"
    lines = [(wording.count(images), photographs), ("no", "defect")]
    seconds = version.numbers.get("seconds")
    if isinstance(seconds, int | float) and seconds > 0:
        lines.append(duration(float(seconds)))
    return lines


def duration(seconds: float) -> tuple[str, str]:
    """Return a number and its unit in whole words: ("27", "seconds"), ("4", "minutes")."""
    if seconds < 100:
        return _unit(max(1, round(seconds)), "second")
    if seconds < 5400:
        return _unit(round(seconds / 60), "minute")
    return _unit(round(seconds / 3600), "hour")


def note(version: InspectorVersion) -> str:
    """Return the quiet line of the first scene."""
    size = version.settings.get("image_size")
    made = wording.moment(version.created)
    return f"{method_label(version)}, {wording.learned(version)}, images at {size} px, {made}"


def _unit(number: int, noun: str) -> tuple[str, str]:
    return wording.count(number), noun if number == 1 else f"{noun}s"


@st.cache_data(show_spinner=False, max_entries=20)
def _pictures(root: str, sha256s: tuple[str, ...], _workspace: Workspace) -> tuple[bytes, ...]:
    found = []
    for sha256 in sha256s:
        try:
            found.append(_workspace.thumbnail(sha256).read_bytes())
        except (PatchCoreError, OSError):
            continue  # its file was taken away; the others still serve
    return tuple(found)
