"""Numbers as people read them: sensible digits, with units, the same everywhere."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeVar

from patchcore.methods import SHARE
from patchcore.thresholds.operating_point import OperatingPoint
from patchcore.thresholds.rules import briefly
from workbench.inspectors.capabilities import method_label, method_of, refusal
from workbench.storage.tables import InspectorVersion

K = TypeVar("K")
DASH = "–"
NOUNS = {"padim": "position"}  # of what is compared with, where these are not patches


def score(value: float | None) -> str:
    """Return a score to three significant digits, a dash where there is none."""
    if value is None:
        return DASH
    if value != 0 and not 1e-3 <= abs(value) < 1e5:
        return f"{value:.2e}"
    digits = max(0, 3 - len(str(int(abs(value))))) if abs(value) >= 1 else 3
    return f"{value:.{digits}f}"


def count(number: int | None) -> str:
    """Return a whole number with thousands set apart, a dash where there is none."""
    return DASH if number is None else f"{number:,}"


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: 1 image, 2 images."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def distinct(labels: Mapping[K, str], hints: Mapping[K, str] | None = None) -> dict[K, str]:
    """Return the labels of a choice, none twice: Streamlit knows an option of a select box by its label alone.

    Parameters
    ----------
    labels
        One label for each option.
    hints
        Words that follow a label that others have too, such as the time an inspector was made; where they do not tell
        the options apart either, a number follows.
    """
    found: dict[K, str] = {}
    times = Counter(labels.values())
    taken = {label for label in labels.values() if times[label] == 1}
    for option, label in labels.items():
        name = label
        if times[label] > 1:
            base = f"{label}, {hints[option]}" if hints and hints.get(option) else label
            name, number = base, 1
            while name in taken:
                number += 1
                name = f"{base} ({number})"
            taken.add(name)
        found[option] = name
    return found


def share(fraction: float) -> str:
    """Return a share as a percentage: 10 %, 2.5 %, 0.25 %."""
    return f"{100 * fraction:.2g} %" if fraction < 0.0995 else f"{100 * fraction:.0f} %"


def megabytes(number: float) -> str:
    """Return megabytes, as gigabytes when there are many."""
    if number >= 1000:
        return f"{number / 1000:.1f} GB"
    return f"{number:.1f} MB" if number < 10 else f"{number:.0f} MB"


def learned(version: InspectorVersion) -> str:
    """Return how much a version compares with: 1,204 patches, 10 %; without a coreset 784 positions."""
    noun = NOUNS.get(method_of(version), "patch")
    parts = counted(version.patches, noun, "patches" if noun == "patch" else None)
    return parts if refusal(version, SHARE) else f"{parts}, {share(version.share)}"


def size(version: InspectorVersion) -> str:
    """Return how much a version compares with, and its memory: 1,204 patches, 10 %, 4.7 MB."""
    return f"{learned(version)}, {megabytes(version.megabytes)}"


def method_and_share(version: InspectorVersion) -> str:
    """Return what tells versions apart in few words: bank 10 %; without a coreset PaDiM."""
    return method_label(version) if refusal(version, SHARE) else f"bank {share(version.share)}"


def seconds(number: float) -> str:
    """Return a duration: 34 ms, 1.4 s, 2 min 10 s, 1 h 05 min."""
    if number < 0.95:
        return f"{1000 * number:.0f} ms"
    if number < 9.95:
        return f"{number:.1f} s"
    whole = round(number)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def moment(when: datetime) -> str:
    """Return a time of this computer: today 09:12, or 2026-03-04 09:12."""
    here = when.astimezone()
    today = datetime.now(UTC).astimezone().date()
    return f"today {here:%H:%M}" if here.date() == today else f"{here:%Y-%m-%d %H:%M}"


def review(point: OperatingPoint) -> str:
    """Return the score above which a person decides; "none" without a review band."""
    return score(point.accept) if point.accept < point.reject else "none"


def rule(point: OperatingPoint) -> str:
    """Return the rule of the reject threshold in a few words."""
    return briefly(point.rule, share, len(point.evidence.good))
