"""The session of each good image: images that were taken together, such as on one day, in one light, by one camera.

Scores of good images by the others say nothing of a day that is not among them. So whole sessions are left out where
there are several (`patchcore.leave_one_out`), and a rule can hold on a day not seen (`thresholds.from_sessions`).
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import chain

import numpy as np

from patchcore.images.copy_groups import CopyGroups
from patchcore.images.file_names import display_name
from patchcore.images.reading import ImageRecord
from patchcore.labels.layout import few
from patchcore.statistics.intervals import count

UNDATED = "without a date"
LONGEST_SESSION = 80  # characters of a name
FIRST_YEAR = 1995  # no digital camera of a line is older; clocks that were never set say 1970 or 1980
MOST_ALONE = 0.5  # share of sessions with one image, from which folders and dates name parts, not sessions
LEAST_DATED = 0.5  # share of the images that must have a date, for days to be sessions
NAMED = 5  # sessions or images that a sentence names
# The forms of a moment in a file's name, the one with most digits first: 20260503142000, 260503142000, 20260503,
# 2026-05-03, 03.05.2026.
_FORMS = tuple(
    re.compile(rf"(?<!\d){form}(?!\d)")
    for form in (
        r"(?P<y>(?:19|20)\d\d)(?P<m>\d\d)(?P<d>\d\d)(?:[01]\d|2[0-3])[0-5]\d[0-5]\d(?:\d{3})?",
        r"(?P<y>\d\d)(?P<m>\d\d)(?P<d>\d\d)(?:[01]\d|2[0-3])[0-5]\d[0-5]\d",
        r"(?P<y>(?:19|20)\d\d)(?P<m>\d\d)(?P<d>\d\d)",
        r"(?P<y>(?:19|20)\d\d)[-_.](?P<m>\d\d)[-_.](?P<d>\d\d)",
        r"(?P<d>\d\d)[-_.](?P<m>\d\d)[-_.](?P<y>(?:19|20)\d\d)",
    )
)


@dataclass(frozen=True)
class SessionImage:
    """The facts of an image that tell its session.

    Attributes
    ----------
    name
        Relative, with forward slashes.
    taken
        `ImageRecord.taken`; "" where its file does not say.
    """

    name: str
    taken: str = ""


@dataclass(frozen=True)
class Sessions:
    """The sessions of good images.

    Attributes
    ----------
    names
        The session of each image, in the order of the images; all equal where nothing tells sessions apart.
    told_by
        Their origin: "folders", "cameras' dates", "dates in the names", or "" where nothing tells them apart.
    remarks
        Sentences on dates that cannot be right, and on sessions of one image.
    """

    names: list[str]
    told_by: str
    remarks: list[str]

    @property
    def several(self) -> bool:
        """Whether there are two or more."""
        return len(set(self.names)) > 1


@dataclass(frozen=True, eq=False)
class SessionGroups:
    """The good images that take no part in an image's score, so that it is scored as on a day not seen.

    Attributes
    ----------
    names
        The session of each good image.
    copies
        Their near copies: a copy in another session is left out too.
    """

    names: Sequence[str]
    copies: CopyGroups

    @classmethod
    def of(cls, names: Sequence[str], copies: CopyGroups) -> "SessionGroups | None":
        """Return the groups; None where all images that count are of one session."""
        counted = {names[number] for number in np.flatnonzero(copies.counted).tolist()}
        return cls(names, copies) if len(counted) > 1 else None

    @classmethod
    def kinds(cls, records: Sequence[ImageRecord], copies: CopyGroups) -> "list[CopyGroups | SessionGroups]":
        """Return what an image is left out with: its near copies, then its session where there are several."""
        sessions = cls.of([record.session for record in records], copies)
        return [copies] if sessions is None else [copies, sessions]

    def left_out_with(self, number: int) -> frozenset[int]:
        """Return the numbers of the image's session, of its near copies, and of itself."""
        same = (other for other, name in enumerate(self.names) if name == self.names[number])
        return frozenset(same) | self.copies.left_out_with(number)


def find_sessions(images: Sequence[SessionImage], today: date | None = None) -> Sessions:
    """Find the sessions of good images: by folder, else by the camera's date, else by the date in their names.

    Parameters
    ----------
    images
        The good images, in any order.
    today
        Later dates cannot be right; None for the date of the computer's clock.
    """
    latest = (today or date.today()) + timedelta(days=1)  # a camera in a time zone ahead of this computer's
    folders = [image.name.rpartition("/")[0] for image in images]
    if _are_sessions(folders):
        return Sessions(_without_common_start(folders), "folders", _alone(folders))
    taken = [_day(image.taken) for image in images]
    named = [_named_day(image.name, latest) for image in images]
    for days, told_by in ((taken, "cameras' dates"), (named, "dates in the names")):
        sound = [day if day is not None and _is_sound(day, latest) else None for day in days]
        texts = [UNDATED if day is None else day.isoformat() for day in sound]
        if sum(day is not None for day in sound) >= LEAST_DATED * len(images) and _are_sessions(texts):
            return Sessions(texts, told_by, [*_impossible(images, days, latest), *_alone(texts)])
    return Sessions([""] * len(images), "", _impossible(images, taken, latest))


def in_sessions(
    records: Sequence[ImageRecord], sessions: Mapping[str, str] | None = None
) -> list[ImageRecord]:
    """Return records with their session.

    Parameters
    ----------
    sessions
        The session of each image by its name; images without one form a session of their own. None: as
        `find_sessions` finds them.
    """
    if sessions is None:
        names = find_sessions([SessionImage(record.name, record.taken) for record in records]).names
    else:
        chosen = {
            display_name(name): display_name(" ".join(session.split())) for name, session in sessions.items()
        }
        names = [chosen.get(record.name, UNDATED)[:LONGEST_SESSION] for record in records]
    several = len(set(names)) > 1
    return [
        replace(record, session=name if several else "") for record, name in zip(records, names, strict=True)
    ]


def _are_sessions(names: Sequence[str]) -> bool:
    """Whether names tell sessions apart: two or more, most of them with more than one image."""
    sizes = Counter(names)
    return len(sizes) > 1 and sum(size == 1 for size in sizes.values()) <= MOST_ALONE * len(sizes)


def _without_common_start(folders: Sequence[str]) -> list[str]:
    """Leave out the folders that hold all images: "train/good/monday" becomes "monday"."""
    parts = [folder.split("/") if folder else [] for folder in folders]
    shared = 0
    while len({tuple(path[: shared + 1]) for path in parts}) == 1 and any(
        len(path) > shared for path in parts
    ):
        shared += 1
    return [display_name("/".join(path[shared:]))[:LONGEST_SESSION] or "the folder itself" for path in parts]


def _day(moment: str) -> date | None:
    try:
        return datetime.fromisoformat(moment).date() if moment else None
    except ValueError:
        return None


def _named_day(name: str, latest: date) -> date | None:
    """Return the first possible day in a file's name; None without any."""
    stem = name.rpartition("/")[2]
    for found in chain.from_iterable(form.finditer(stem) for form in _FORMS):
        year = int(found["y"]) + (2000 if len(found["y"]) == 2 else 0)
        try:
            day = date(year, int(found["m"]), int(found["d"]))
        except ValueError:
            continue  # another number
        if _is_sound(day, latest):
            return day
    return None


def _is_sound(day: date, latest: date) -> bool:
    return day.year >= FIRST_YEAR and day <= latest


def _impossible(images: Sequence[SessionImage], days: Sequence[date | None], latest: date) -> list[str]:
    """Return the sentence on dates that cannot be right, in a list; none without any."""
    wrong = [
        f"{display_name(image.name)} ({day.isoformat()})"
        for image, day in zip(images, days, strict=True)
        if day is not None and not _is_sound(day, latest)
    ]
    if not wrong:
        return []
    carries, its = ("carries", "its") if len(wrong) == 1 else ("carry", "their")
    return [
        f"{count(len(wrong), 'image')} {carries} a date that cannot be right: {few(wrong, NAMED)}. Set the camera's "
        f"clock, and choose {its} session by hand."
    ]


def _alone(names: Sequence[str]) -> list[str]:
    """Return the sentence on sessions of a single image, in a list; none without any."""
    alone = [display_name(name) for name, size in Counter(names).items() if size == 1]
    if not alone:
        return []
    are = "has" if len(alone) == 1 else "have"
    return [
        f"{count(len(alone), 'session')} {are} one image alone: {few(alone, NAMED)}. One picture does not show how "
        "parts of a day vary; add more of that day, or join it with another session."
    ]
