"""Sentences on good images that the check of the whole picture would itself send to review."""

from collections.abc import Sequence

from patchcore.images.file_names import display_name
from patchcore.statistics.intervals import count

NAMED = 6  # doubtful good images that are named


def good_image_remarks(doubtful: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
    """Return the sentences on good images that would themselves be sent to review.

    Parameters
    ----------
    doubtful
        Name of each image, and its doubts in words.
    """
    if not doubtful:
        return []
    lead = "These good images would themselves be sent to review: they differ from the other good images as a whole."
    lines = [f"{display_name(name)}: {' '.join(doubts)}" for name, doubts in doubtful[:NAMED]]
    more = len(doubtful) - NAMED
    rest = [f"So would {count(more, 'further good image')}."] if more > 0 else []
    return [lead, *lines, *rest, "Remove them where they do not show a good part as it will be inspected."]
