"""Folders in which libraries keep compiled code and lists of fonts: a place that can be written to, or none.

Such a store only saves time. Where the program's folder is read-only and the user has no home, as in a service of
systemd, the stores lie in a private folder among the temporary files. Where nothing can be written, nothing is stored.
"""

import atexit
import os
import shutil
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

NUMBA, MATPLOTLIB = "NUMBA_CACHE_DIR", "MPLCONFIGDIR"
KERNELS = Path(__file__).parent


def prepare_caches() -> None:
    """Name a private temporary folder to numba and matplotlib where their usual folders cannot be written to.

    This is called before either library is imported; processes started later inherit the names.
    """
    numba = [*_named(os.environ, NUMBA), KERNELS / "__pycache__", *_below_home("XDG_CACHE_HOME", "numba")]
    if not any(_is_writable(place) for place in numba):
        _set(NUMBA)
    fonts = _named(os.environ, MATPLOTLIB) or _below_home("XDG_CONFIG_HOME", "matplotlib")
    if not any(_is_writable(place) for place in fonts):
        _set(MATPLOTLIB)


def user_folder() -> Path | None:
    """Return the folder for what the command line keeps of this user between two calls; None where there is none."""
    named = _below_home("XDG_CACHE_HOME", "patchcore")
    return next((folder for folder in named if _is_writable(folder)), None) or private_folder()


def private_folder() -> Path | None:
    """Return a folder among the temporary files that only this user can change; None where none can be made.

    Both libraries trust the files that they find, so a folder of another user under the expected name is never used.
    """
    try:
        base = Path(tempfile.gettempdir())
        mine = base / f"patchcore-{os.getuid() if hasattr(os, 'getuid') else 'cache'}"
        mine.mkdir(mode=0o700, exist_ok=True)
        if _is_private(mine) and _is_writable(mine):
            return mine
        alone = Path(tempfile.mkdtemp(prefix="patchcore-", dir=base))
        atexit.register(shutil.rmtree, alone, ignore_errors=True)
        return alone
    except OSError:
        return None


def _set(variable: str) -> None:
    place = private_folder()
    if place is None:
        os.environ.pop(variable, None)
    else:
        os.environ[variable] = str(place / {NUMBA: "numba", MATPLOTLIB: "matplotlib"}[variable])


def _named(environ: Mapping[str, str], variable: str) -> list[Path]:
    return [Path(environ[variable])] if environ.get(variable) else []


def _below_home(variable: str, name: str) -> list[Path]:
    """Return the user's folder of a library; none without a home."""
    try:
        base = os.environ.get(variable) or Path.home() / {"XDG_CACHE_HOME": ".cache"}.get(variable, ".config")
    except RuntimeError:
        return []
    return [Path(base) / name]


def _is_writable(folder: Path) -> bool:
    """Whether a file can be made in a folder, or in the folder above that holds it once it is made."""
    try:
        existing = next(place for place in (folder, *folder.parents) if os.path.lexists(place))
        if not existing.is_dir():
            return False
        with tempfile.TemporaryFile(dir=existing):
            return True
    except (OSError, StopIteration, ValueError):
        return False


def _is_private(folder: Path) -> bool:
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode):
        return False
    return os.name == "nt" or (status.st_uid == os.getuid() and not status.st_mode & 0o077)
