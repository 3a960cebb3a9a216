"""Files of secrets: existence (also under a misspelt name), readability, and permissions."""

import os
import stat
import tomllib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
READ_OR_WRITE_BY_OTHERS, WRITE_BY_ANYBODY = 0o066, 0o002


def is_there(path: Path) -> bool:
    """Whether something exists at a path; also True where the system does not tell."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # in a folder that may not be looked into
        return True
    return True


def there_or_alike(path: Path) -> list[Path]:
    """Return a file, and its neighbours whose names differ only in capitals or a trailing .txt."""
    wanted = path.name.casefold()
    try:
        names = sorted(os.listdir(path.parent))  # noqa: PTH208 - every run of a page asks, and needs no paths
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError:
        return [path] if is_there(path) else []
    return [path.parent / name for name in names if name.casefold() in (wanted, f"{wanted}.txt")]


def why_unreadable(path: Path) -> str | None:
    """Return the fault that keeps Streamlit from reading a file or folder, continuing its name; else None."""
    if not path.name.endswith(".toml"):
        return (
            _no_text(path) if _is_folder(path) else "is neither a folder nor a file whose name ends in .toml"
        )
    if fault := ends_streamlit(path):
        return fault
    content = path.read_bytes()
    if content.startswith(BYTE_ORDER_MARK):
        return "begins with a byte-order mark; save it as UTF-8 without one"
    try:
        tomllib.loads(content.decode())
    except tomllib.TOMLDecodeError as error:
        return f"is not TOML: {str(error)[:1].lower()}{str(error)[1:]}"
    return None


def ends_streamlit(path: Path) -> str | None:
    """Return a fault at which Streamlit's server ends; other faults only leave the server without secrets."""
    if path.name.endswith(".toml") and _is_folder(path):
        return "is a folder; a file of that name belongs there"
    return _no_text(path)


def sections(path: Path) -> list[str]:
    """Return the top level of a TOML file; empty where it cannot be read."""
    try:
        return _sections(path.read_bytes())
    except OSError:
        return []


def open_to_others(files: Iterable[Path]) -> list[Path]:
    """Return the files of secrets that other users of this computer may read or change, where the system tells."""
    if os.name == "nt":
        return []
    return [path for file in files for path in _all_of(file) if _mode(path) & READ_OR_WRITE_BY_OTHERS]


def writable_by_anybody(path: Path) -> bool:
    """Whether every user of this computer may change a file, where the system tells."""
    return os.name != "nt" and bool(_mode(path) & WRITE_BY_ANYBODY)


def _no_text(path: Path) -> str | None:
    for file in _all_of(path):
        try:
            file.read_bytes().decode()
        except OSError as error:
            return f"cannot be read ({error.strerror})"
        except UnicodeDecodeError:
            return "is not UTF-8 text; save it as UTF-8"
    return None


def _all_of(path: Path) -> list[Path]:
    """Return a file, or the files of a folder: secrets lie two levels down, each in a folder of its own."""
    if not _is_folder(path):
        return [path]
    return [file for file in sorted(path.glob("*/*")) if not _is_folder(file)]


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _mode(path: Path) -> int:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return 0


@lru_cache(maxsize=8)
def _sections(content: bytes) -> list[str]:
    try:
        return list(tomllib.loads(content.decode()))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        return []
