"""Names of files: suffixes of images, one form of each name, display on one line, and finding a named file."""

import os
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

IMAGE_SUFFIXES = frozenset(
    {
        *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".tif", ".tiff", ".webp"),
        *(".pgm", ".ppm", ".pbm", ".pnm"),
    }
)


SETTINGS_FOLDERS = frozenset(
    {"appdata", "application data", "library"}
)  # settings' folders of Windows and macOS

LONGEST_PART, LONGEST_NAME = 120, 240  # characters; more is cut in the middle
MOST_BYTES = 255  # of a name, on most disks
LONGEST_BYTES = 240  # in UTF-8, so that a number may follow

_UNSAFE = re.compile(r'[<>:"|?*/\\\ud800-\udfff]')
_PLAIN = re.compile(
    r"[A-Za-z0-9_-](?:[A-Za-z0-9_ -]{0,80}[A-Za-z0-9_-])?(?:\.[A-Za-z0-9]{1,12})?"
)  # most names
_DEVICES = frozenset({"con", "prn", "aux", "nul", "com", "lpt"})  # with which `is_reserved` names begin
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\..*)?", re.IGNORECASE)


def display_name(name: str) -> str:
    """Put a name on one line: control characters and undecodable bytes become escapes."""
    if name.isprintable():
        return name
    shown = (c if c.isprintable() else c.encode("unicode_escape", "replace").decode("ascii") for c in name)
    return "".join(shown)


def quoted(text: str, most: int = LONGEST_PART) -> str:
    """Put text that a file or a user brought into a sentence: on one line, cut in the middle beyond `most` characters.

    Examples
    --------
    >>> quoted("a" * 1000, 9)
    'aaaa…aaaa'
    """
    shown = display_name(text if len(text) <= 4 * most else f"{text[: 2 * most]}{text[-2 * most :]}")
    return shown if len(shown) <= most else f"{shown[: most // 2]}…{shown[len(shown) - (most - 1) // 2 :]}"


def composed(text: str) -> str:
    """Return a text in Unicode's composed form (NFC), the same whichever system wrote a letter and its accent."""
    return unicodedata.normalize("NFC", text)


def safe_name(name: str) -> str:
    r"""Turn any name into a relative one that every system takes: no drive, no ``..``, each part as in `safe_part`.

    Uploads, exports and the comparison of names all use this form, on every system. A folder's name may end in a dot,
    because folders are named i.O. and n.i.O.; `written_name` takes that dot away too.

    Examples
    --------
    >>> safe_name("C:\\parts\\..\\lot 7\n.png")
    'parts/lot 7_.png'
    """
    name = re.sub(r"^[A-Za-z]:", "", composed(name).replace("\\", "/"))
    parts = [(safe, part) for part in name.split("/") if (safe := safe_part(part))] or [("unnamed", "")]
    folders = (f"{safe}." if part.rstrip().endswith(".") else safe for safe, part in parts[:-1])
    whole = "/".join([*folders, parts[-1][0]])
    return whole if len(whole) <= LONGEST_NAME else safe_part(whole.replace("/", "_"))


def written_name(name: str) -> str:
    """Return the name under which a file is written into a folder or an archive: `safe_name` without dots at ends."""
    return "/".join(map(safe_part, safe_name(name).split("/")))


def safe_part(part: str) -> str:
    """Turn the name of one file or folder into one that the disks of Windows, macOS and Linux take.

    The name is on one line, in Unicode's composed form, without the characters that Windows refuses, without blanks and
    dots at the end, at most 240 bytes long, and no device of Windows. Nothing is left of a name made of dots alone.

    Examples
    --------
    >>> safe_part("10:15 aux?. ."), safe_part("AUX.png"), safe_part("..")
    ('10_15 aux_', 'AUX_.png', '')
    """
    shown = _UNSAFE.sub("_", composed(part))
    if not shown.isprintable():
        shown = "".join(c if c.isprintable() else "_" for c in shown)
    shown = shown.strip().rstrip(". ")
    if is_reserved(shown):
        head, dot, rest = shown.partition(".")
        shown = f"{head.rstrip()}_{dot}{rest}"
    fits = len(shown) <= LONGEST_PART and _bytes(shown) <= LONGEST_BYTES
    return shown if fits else shortened(shown)


def is_reserved(part: str) -> bool:
    """Tell whether Windows takes a name for a device, whatever its ending: NUL, con.png, COM1.tar.gz."""
    return _RESERVED.fullmatch(part) is not None


def shortened(text: str, most: int = LONGEST_BYTES) -> str:
    """Cut a name in the middle so that a disk takes it; its beginning and its ending stay.

    Parameters
    ----------
    most
        Largest number of bytes in UTF-8; at least 8.
    """
    if len(text) > LONGEST_PART:
        text = f"{text[:70]}…{text[-(LONGEST_PART - 71) :]}"
    head, tail = len(text) // 2, len(text) - len(text) // 2
    whole = text
    while _bytes(whole) > most:
        head, tail = (head - 1, tail) if head > tail else (head, tail - 1)
        whole = f"{text[:head]}…{text[len(text) - tail :]}"
    return whole


def joined(stem: str, ending: str) -> str:
    """Put a name together; a stem that is too long for a disk is cut in the middle.

    Examples
    --------
    >>> joined("plate", "_2.png")
    'plate_2.png'
    """
    room = MOST_BYTES - _bytes(ending)
    return (stem if _bytes(stem) <= room else shortened(stem, room)) + ending


class FreeNames:
    """Gives each file a name that no other one has, also on disks that do not tell cases apart.

    Parameters
    ----------
    folders
        Names that files may not have, because folders have them.
    """

    def __init__(self, folders: Iterable[str] = ()) -> None:
        self._taken = {name.casefold() for name in folders}
        self._counts: dict[str, int] = {}

    def take(self, name: str) -> str:
        """Return a relative name, with a number before its ending where it is taken."""
        path, key = PurePosixPath(name), name.casefold()
        while name.casefold() in self._taken:
            self._counts[key] = self._counts.get(key, 1) + 1
            name = str(path.with_name(f"{path.stem} ({self._counts[key]}){path.suffix}"))
        self._taken.add(name.casefold())
        return name


def names_on_disk(names: Iterable[str]) -> list[str]:
    """Return relative names that can lie in one folder: none twice, and no file where another one needs a folder.

    Examples
    --------
    >>> names_on_disk(["a", "a/b.png", "A/B.png"])
    ['a (2)', 'a/b.png', 'A/B (2).png']
    """
    wanted = list(names)
    places = {place for name in wanted for place in PurePosixPath(name).parents}
    free = FreeNames(map(str, places))
    return [free.take(name) for name in wanted]


class NamedFiles:
    """Finds the files that a person or a table names below a folder.

    A name is found as it is written, else in the form of `safe_name`: umlauts that one system writes as one character
    and another system as two are the same name. Each folder is listed once at most.

    Parameters
    ----------
    root
        The folder that names count from.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._listings: dict[Path, dict[str, str]] = {}
        self._keys: dict[str, dict[str, str] | None] = {}

    def find(self, name: str) -> Path:
        """Return the path of a named file; the path as written where no file has such a name."""
        written, path = self.root / name, PurePosixPath(name)
        if os.path.lexists(written) or path.is_absolute() or ".." in path.parts:
            return written
        whole = self.root / safe_name(name)
        return whole if os.path.lexists(whole) else self._by_parts(name) or written

    def surely_lack(self, name: str) -> bool:
        """Tell from listings alone, without a look at the disk for each name, that no file has a name.

        False says nothing: of names with a drive, a root, ".." or more characters than `LONGEST_NAME`, for example.
        """
        plain = name.replace("\\", "/")
        parts = plain.split("/")
        if len(plain) > LONGEST_NAME or plain.startswith("/") or plain[1:2] == ":" or ".." in parts:
            return False
        place = str(self.root)
        for part in parts:
            if part not in ("", "."):
                listed = self._keys_of(place)
                if listed is None:
                    return False
                if (found := listed.get(_key(part))) is None:
                    return plain == name or _key(name) not in (self._keys_of(str(self.root)) or {})
                place = f"{place}/{found}"
        return False

    def _keys_of(self, folder: str) -> dict[str, str] | None:
        """Return the entries of a folder by their keys; None where it cannot be listed."""
        if folder not in self._keys:
            try:
                self._keys[folder] = {_key(path.name): path.name for path in Path(folder).iterdir()}
            except (FileNotFoundError, NotADirectoryError):
                self._keys[folder] = {}
            except (OSError, ValueError):
                self._keys[folder] = None
        return self._keys[folder]

    def _by_parts(self, name: str) -> Path | None:
        place = self.root
        for part in PurePosixPath(name).parts:
            found = part if os.path.lexists(place / part) else self._listed(place).get(safe_name(part))
            if found is None:
                return None
            place /= found
        return place

    def _listed(self, folder: Path) -> dict[str, str]:
        if folder not in self._listings:
            try:
                names = [path.name for path in folder.iterdir()]
            except OSError:
                names = []
            self._listings[folder] = {safe_name(name): name for name in sorted(names)}
        return self._listings[folder]


def _key(part: str) -> str:
    """Return what the spellings of a name have in common that a disk may take for one."""
    plain = part.casefold()
    return plain if _PLAIN.fullmatch(part) and plain[:3] not in _DEVICES else safe_part(part).casefold()


def is_folder(path: str | Path) -> bool:
    """Tell whether a path is a folder; false, not an error, for a name that no disk takes."""
    try:
        return Path(path).is_dir()
    except OSError:
        return False


def is_file(path: str | Path) -> bool:
    """Tell whether a path is an ordinary file; false, not an error, for a name that no disk takes."""
    try:
        return Path(path).is_file()
    except OSError:
        return False


def expanded(path: str | Path) -> Path:
    """Put the home in place of "~"; the path stays as it is for a service's user without a home."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def is_hidden(parts: tuple[str, ...]) -> bool:
    """Tell whether a relative path belongs to an operating system, not to the user."""
    return any(part.startswith(".") or part in ("__MACOSX", "Thumbs.db", "desktop.ini") for part in parts)


def is_private(parts: tuple[str, ...]) -> bool:
    """Tell whether a path below a home or another root leads to a folder of programs' settings."""
    return is_hidden(parts) or (bool(parts) and parts[0].casefold() in SETTINGS_FOLDERS)


def _bytes(name: str) -> int:
    return len(name.encode("utf-8", "surrogatepass"))
