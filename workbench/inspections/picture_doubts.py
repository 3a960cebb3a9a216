"""Doubts about whole pictures as they are stored with a result or an inspection."""

from patchcore.plausibility.doubt import Doubt
from workbench.storage.tables import Inspection, Result


def doubts_of(row: Result | Inspection) -> tuple[Doubt, ...]:
    """Return the doubts on a scored image; none where nobody looked for any, as before the check existed."""
    return tuple(Doubt.from_dict(plain) for plain in row.doubts or ())


def doubt_sentences(row: Result | Inspection) -> list[str]:
    """Return the doubts on a scored image in words."""
    return [doubt.sentence for doubt in doubts_of(row)]


def switch_word(picture_check: bool | None) -> str | None:
    """Return the state of the check's switch in a word; None where it is unknown."""
    return None if picture_check is None else "on" if picture_check else "off"
