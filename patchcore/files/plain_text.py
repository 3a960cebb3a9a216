"""Texts from a file that somebody else wrote: of bounded length, on one line, and never a path out of a folder."""

import re
from typing import Any

from patchcore.errors import ArtifactError

ABSOLUTE = re.compile(r"/|~/|\\\\|[A-Za-z]:[/\\]")
MAY_BREAK = ("\n", "\t")  # in notes


def require_text(value: Any, what: str, longest: int, *, empty: bool = False, path: bool = True) -> str:
    """Return a text that may be shown, stored and used as the name of a file.

    Parameters
    ----------
    what
        The text's meaning, for the message.
    longest
        Largest number of characters.
    empty
        Whether the text may be empty.
    path
        Whether a path out of its folder is refused too.

    Raises
    ------
    ArtifactError
        The value is not such a text.
    """
    if not isinstance(value, str):
        raise ArtifactError(f"The inspector is not sound: {what} is not a text.")
    if len(value) > longest:
        raise ArtifactError(
            f"The inspector is not sound: {what} has {len(value):,} characters; {longest:,} are the most."
        )
    if not value.strip() and not empty:
        raise ArtifactError(f"The inspector is not sound: {what} is empty.")
    if not all(sign.isprintable() or sign in MAY_BREAK for sign in value):
        raise ArtifactError(f"The inspector is not sound: {what} holds characters that cannot be shown.")
    if path and leads_elsewhere(value):
        raise ArtifactError(
            f"The inspector is not sound: {what} is {value[:60]!r}, a path that leads out of its folder."
        )
    return value


def leads_elsewhere(name: str) -> bool:
    """Whether a name, read as a path, leads out of its folder."""
    return bool(ABSOLUTE.match(name)) or ".." in re.split(r"[/\\]", name)
