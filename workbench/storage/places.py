"""Places: every path of a workspace is made here, so that nothing is read or written outside it.

Names come from rows, from backups and from people. Code that reads, writes, moves or deletes by a name asks `below`
first.
"""

import os
import re
from pathlib import Path, PurePosixPath

from patchcore.images.file_names import display_name, is_reserved
from workbench.storage.database import WorkspaceError

INSPECTOR_ID = re.compile(r"[a-z0-9-]{1,64}")
SHA256 = re.compile(r"[0-9a-f]{64}")
SUFFIX = re.compile(r"\.[a-z0-9]{1,12}")
PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,160}")  # characters in the paths that this program makes
OWNER_ONLY = 0o700
SHOWN = 120  # characters of a path in a sentence


def below(folder: Path, path: str | Path) -> Path:
    """Return a path if it lies strictly below a folder; refuse every other path.

    Parameters
    ----------
    folder
        The enclosing folder; absolute, with its own links resolved.
    path
        A text is a path that this program has made: relative to the folder, with forward slashes. A `Path` was put
        together or listed here; it may hold any names, and be relative to the folder or absolute.

    Raises
    ------
    WorkspaceError
        The path is the folder itself, leads out of it, or crosses a link, whose target is not ours to touch.
    """
    wanted = folder / (portable_path(path) if isinstance(path, str) else path)
    try:
        found = Path(os.path.realpath(wanted))
    except (OSError, ValueError) as error:  # a name that no disk takes
        raise _refusal(path, folder) from error
    if found != wanted or folder not in found.parents:
        raise _refusal(path, folder)
    return found


def portable_path(text: str) -> PurePosixPath:
    """Return a path named by a row or a backup, if this program can have made it.

    Raises
    ------
    WorkspaceError
        The path is empty or absolute, or contains a name that this program never makes, such as ``..``.
    """
    return PurePosixPath(require_portable_path(text))


def require_portable_path(text: str) -> str:
    """Return a path as `portable_path` does, but as text: thousands of path objects cost a page a tenth of a second."""
    parts = text.split("/") if isinstance(text, str) else [""]
    if not all(is_portable_name(part) for part in parts):
        raise WorkspaceError(
            f"{_shown(text)} is not a path of a workspace, so nothing was done with it. Restore a backup that is whole."
        )
    return text


def is_portable_name(part: str) -> bool:
    """Whether this program makes such names of files and folders; these lead nowhere else on any disk."""
    return PART.fullmatch(part) is not None and not is_reserved(part) and not part.endswith((".", " "))


def is_id(inspector_id: object) -> bool:
    """Whether something can be the id of an inspector."""
    return isinstance(inspector_id, str) and INSPECTOR_ID.fullmatch(inspector_id) is not None


def require_id(inspector_id: object) -> str:
    """Return the id of an inspector, which is the name of its folder; another text raises `WorkspaceError`."""
    return _required(
        inspector_id,
        INSPECTOR_ID,
        "is not the id of an inspector: an id has 1 to 64 letters a to z, digits and hyphens. Choose the inspector in "
        "the library.",
    )


def require_sha256(sha256: object) -> str:
    """Return the SHA-256 of a file, which is its name; another text raises `WorkspaceError`."""
    return _required(sha256, SHA256, "is not the SHA-256 of an image. Bring the image in once more.")


def require_suffix(suffix: object) -> str:
    """Return the suffix of an image's file; a suffix that this program never makes raises `WorkspaceError`."""
    return _required(suffix, SUFFIX, "is not the suffix of an image's file. Restore a backup that is whole.")


def make_folder(folder: Path) -> None:
    """Make a folder of a workspace and its missing parents, each open to its owner alone."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(mode=OWNER_ONLY, exist_ok=True)


def make_root(folder: Path) -> None:
    """Make a workspace's folder, open to its owner alone; an existing empty folder is closed to others too."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=OWNER_ONLY, exist_ok=True)
    if not any(folder.iterdir()):
        close_to_others(folder)


def close_to_others(folder: Path) -> None:
    """Close a folder to all but its owner, where the system knows owners and the folder is ours."""
    if os.name != "nt" and folder.stat().st_uid == os.getuid():
        folder.chmod(OWNER_ONLY)


def _required(value: object, pattern: re.Pattern[str], refusal: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise WorkspaceError(f"{_shown(value)} {refusal}")
    return value


def _refusal(path: str | Path, folder: Path) -> WorkspaceError:
    return WorkspaceError(
        f"{_shown(path)} does not lie below {_shown(folder)}, or crosses a link, so nothing was done with it. "
        "Take the link away, or restore a backup that is whole."
    )


def _shown(value: object) -> str:
    return f"'{display_name(str(value))[:SHOWN]}'"
