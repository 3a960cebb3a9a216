"""Windows' rules for files, on Linux: `-p file_rules`, see docs/windows.md.

An audit hook looks at each file that the product creates, renames or deletes, and refuses what Windows refuses: to
rename or delete a file that this process has open or mapped, or a folder with such a file in it; and to create a name
that Windows does not take. The tests' own code is free to do both.
"""

import errno
import os
import stat
import sys
from pathlib import Path
from typing import Any

from patchcore.images.file_names import is_reserved

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = tuple(str(ROOT / name) for name in ("patchcore/", "workbench/", "pages/", "app.py"))
PROCESS = Path("/proc/self")
REMOVALS = {"os.rename": (0, 2), "os.remove": (0, 1), "os.rmdir": (0, 1)}
"""Events of the audit hook: positions of the path and of the folder that the path counts from."""


def _is_ours() -> bool:
    """Whether the innermost frame of this project belongs to the product."""
    frame = sys._getframe(2)
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(str(ROOT)) and "/.venv/" not in file:
            return file.startswith(PRODUCT)
        frame = frame.f_back
    return False


def _whole(path: Any, folder: int) -> str:
    base = Path.cwd() if folder in (-1, None) else (PROCESS / "fd" / str(folder)).readlink()
    return str(base / os.fsdecode(path))


def _files_in_use() -> set[str]:
    found = set()
    for number in (PROCESS / "fd").iterdir():
        try:
            place = number.readlink()
            if stat.S_ISREG(place.stat().st_mode):
                found.add(str(place))
        except OSError:
            continue  # closed by now, or no file
    for line in (PROCESS / "maps").read_bytes().splitlines():
        if len(parts := line.split(None, 5)) == 6 and parts[5].startswith(b"/"):
            found.add(os.fsdecode(parts[5]))
    return found


def _is_refused(name: str) -> bool:
    signs = any(sign in '<>:"|?*' or sign < " " for sign in name)
    return signs or name.endswith((".", " ")) or is_reserved(name)


def _refusal(number: int, winerror: int, why: str, path: str) -> OSError:
    fault = OSError(number, why, path)  # PermissionError for EACCES
    fault.winerror = winerror  # type: ignore[attr-defined]
    return fault


def _check(event: str, arguments: tuple[Any, ...]) -> None:
    if event in REMOVALS and _is_ours():
        path, folder = (arguments[position] for position in REMOVALS[event])
        whole = os.path.realpath(_whole(path, folder))
        ends = (
            {whole, os.path.realpath(_whole(arguments[1], arguments[3]))} if event == "os.rename" else {whole}
        )
        name = Path(_whole(arguments[1], arguments[3])).name if event == "os.rename" else ""
        if _is_refused(name):
            raise _refusal(errno.EINVAL, 123, "The name is no name (simulated Windows)", name)
        for file in _files_in_use():
            if file in ends or any(file.startswith(f"{end}/") for end in ends):
                raise _refusal(errno.EACCES, 32, "The file is in use (simulated Windows)", file)
    elif event in ("open", "os.mkdir") and isinstance(arguments[0], str | bytes):
        creates = event == "os.mkdir" or (arguments[2] or 0) & os.O_CREAT
        name = Path(os.fsdecode(arguments[0])).name
        if creates and _is_refused(name) and _is_ours() and not os.path.lexists(arguments[0]):
            raise _refusal(errno.EINVAL, 123, "The name is no name (simulated Windows)", name)


sys.addaudithook(_check)
