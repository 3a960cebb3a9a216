"""Names of inspectors: outside the bin one name means one inspector, because people choose by name."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from patchcore.images.file_names import composed
from workbench.storage.database import WorkspaceError
from workbench.storage.tables import Inspector

LONGEST_NAME = 200  # characters of a name or a product


class NameTaken(WorkspaceError):
    """Another inspector outside the bin has this name."""


def require_name(session: Session, name: str, besides: str | None = None) -> None:
    """Refuse a name that is empty, too long, or another inspector's.

    Parameters
    ----------
    besides
        The id of the inspector that shall get the name; its own name is free for it.

    Raises
    ------
    NameTaken
        Another inspector has it; the sentence quotes the name as that inspector has it.
    WorkspaceError
        The name is empty or too long.
    """
    if not name.strip():
        raise WorkspaceError("The inspector needs a name, such as the part and the line.")
    if len(name) > LONGEST_NAME:
        raise WorkspaceError(f"A name has at most {LONGEST_NAME} characters.")
    if (other := _taken(session, besides).get(_compared(name))) is not None:
        raise NameTaken(
            f"There is an inspector {other} already. Choose another name, such as {free_name(session, name)}, so that "
            "nobody takes one for the other."
        )


def free_name(session: Session, name: str, besides: str | None = None) -> str:
    """Return the name itself where it is free, else with the first free number: M6 washer (2)."""
    return _free(name, _taken(session, besides))


def _taken(session: Session, besides: str | None) -> dict[str, str]:
    """Return the names of the inspectors outside the bin, by the form in which they are compared."""
    query = select(Inspector.id, Inspector.name).where(Inspector.deleted.is_(None))
    return {_compared(name): name for own, name in session.execute(query) if own != besides}


def _free(name: str, taken: dict[str, str]) -> str:
    if _compared(name) not in taken:
        return name
    number = 2
    while _compared(_numbered(name, number)) in taken:
        number += 1
    return _numbered(name, number)


def _numbered(name: str, number: int) -> str:
    ending = f" ({number})"
    return name.strip()[: LONGEST_NAME - len(ending)].rstrip() + ending


def _compared(name: str) -> str:
    """Return a name as it is compared: spaces, capitals and the composition of accents tell nobody two names apart."""
    return " ".join(composed(name).casefold().split())
