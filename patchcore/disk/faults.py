"""Faults of a disk that no program can mend: which errors are such, and a sentence that says what to do."""

import errno
from pathlib import Path

SILENT = {
    getattr(errno, name)
    for name in (
        "EIO", "ENXIO", "ENODEV", "ESTALE", "ENOTCONN", "EHOSTDOWN", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT",
        "EREMOTEIO", "ENOMEDIUM", "ESHUTDOWN",
    )
    if hasattr(errno, name)
}  # fmt: skip
WINDOWS = {  # its own numbers, several of which Python gives one errno
    19: errno.EROFS, 21: errno.ENXIO, 23: errno.EIO, 39: errno.ENOSPC, 53: errno.ENXIO, 55: errno.ENXIO,
    59: errno.EIO, 64: errno.ENXIO, 112: errno.ENOSPC, 121: errno.ETIMEDOUT, 1117: errno.EIO, 1167: errno.ENXIO,
}  # fmt: skip
UNHARMED = "Nothing that was saved is lost."
AGAIN = "Then try again."
KINDS = (  # numbers, and the sentences on them
    ({errno.ENOSPC, errno.EDQUOT}, f"The disk of {{}} is full ({{}}). {UNHARMED} Make room on it. {AGAIN}"),
    (
        {errno.EROFS},
        f"The disk of {{}} can only be read at present ({{}}). {UNHARMED} Make it writable. {AGAIN}",
    ),
    (
        {errno.EACCES, errno.EPERM},
        f"This user may not work in {{}} ({{}}). {UNHARMED} Change the permissions of the folder and of what lies in "
        f"it. {AGAIN}",
    ),
    (
        {errno.EFBIG},
        f"The disk of {{}} takes no larger file ({{}}). {UNHARMED} Use another disk, or a higher limit.",
    ),
    (
        SILENT,
        f"The disk of {{}} does not answer ({{}}). {UNHARMED} Check that it is connected and sound. {AGAIN}",
    ),
    (
        {errno.EMFILE, errno.ENFILE},
        f"Too many files are open for {{}} to be used ({{}}). {UNHARMED} Close other programs. {AGAIN}",
    ),
)


def disk_fault(fault: OSError, home: Path | None = None) -> str | None:
    """Return in sentences what is wrong with a disk, and what to do; None for an error of another kind.

    Parameters
    ----------
    home
        The folder that holds everything a user makes; None on a command line that has none.
    """
    number = WINDOWS.get(getattr(fault, "winerror", None) or 0, fault.errno or 0)
    for numbers, sentences in KINDS:
        if number in numbers:
            return sentences.format(_place(fault, home), fault.strerror or fault)
    if home is not None and number in (errno.ENOENT, errno.ENOTDIR):
        return _lost(fault, home) if home.is_dir() else gone(home)
    return None


def may_pass(fault: OSError, home: Path | None = None) -> bool:
    """Whether a fault is one of a whole disk, and not of one file that is lost; arguments as for `disk_fault`."""
    lost = fault.errno in (errno.ENOENT, errno.ENOTDIR) and (home is None or home.is_dir())
    return not lost and disk_fault(fault, home) is not None


def gone(home: Path) -> str:
    """Return the sentences on a folder that holds everything a user makes and is not there any more."""
    return (
        f"The workspace {home} is not there: it was moved or deleted, or its disk is not connected. No other one was "
        f"begun in its stead. Bring it back to this place. {AGAIN}"
    )


def _lost(fault: OSError, home: Path) -> str | None:
    path = Path(str(fault.filename or ""))
    if not path.is_relative_to(home):
        return None
    return (
        f"The file {path.relative_to(home)} of the workspace {home} is not there. To learn what else is missing, and "
        "what can be mended, run: python -m workbench check"
    )


def _place(fault: OSError, home: Path | None) -> str:
    named = fault.filename2 or fault.filename
    if isinstance(named, int) or named is None:
        return "the files that are being written" if home is None else f"the workspace {home}"
    path = Path(str(named))
    if home is not None and (path == home or path.is_relative_to(home)):
        return f"the workspace {home}"
    return str(path).encode("utf-8", "backslashreplace").decode()
