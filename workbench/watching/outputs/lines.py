"""Lines of JSON: each verdict becomes one line at the end of a file, exactly once, also across a crash."""

from __future__ import annotations

import json
import os
from pathlib import Path

from patchcore.errors import NotKept, SettingsError
from patchcore.files.targets import cannot_write, require_file
from patchcore.images.file_names import display_name, expanded, is_private
from workbench.watching.outputs.declaration import Option, Output, OutputSpec, Values
from workbench.watching.verdict import VerdictRecord

TAIL = 1 << 18  # bytes at the end of the file that are searched for an unfinished line
LINE_SUFFIXES = (".jsonl", ".ndjson", ".json")
FIRST_WORDS = b'{"file": "'  # of a line
PROGRAM = Path(__file__).resolve().parents[3]


class LineFile(Output):
    """Appends verdicts to a file, a line of JSON each, on the disk before `deliver` returns.

    Parameters
    ----------
    path
        A file that holds only such lines. Its name ends in .jsonl, .ndjson or .json, no part of its path is hidden, it
        lies outside the program's own folder, and it is new, empty, or ends in a line that this program wrote.

    Raises
    ------
    SettingsError
        The file is of another kind. A line holds names that other people choose, and must never come into a file that
        a shell or a program reads at its start.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            reason = _why_no_line_file(path)
        except OSError as fault:  # a name that no disk takes
            raise SettingsError(cannot_write(path, fault)) from fault
        if reason:
            raise SettingsError(f"{path} {reason}")

    def require_targets(self) -> None:
        """Try whether a line can be appended. Errors as in `Output.require_targets`."""
        if not self.path.exists():
            require_file(self.path)
            return
        try:
            with open(self.path, "ab", opener=_open_itself):
                pass
        except OSError as fault:
            raise SettingsError(cannot_write(self.path, fault)) from fault

    def deliver(self, verdict: VerdictRecord, *, again: bool) -> VerdictRecord:
        """Append a line; with `again`, only the missing part of it. Errors as in `Output.deliver`."""
        line = as_line(verdict).encode() + b"\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(self.path, "ab+", buffering=0, opener=_open_itself) as file:
                end = file.seek(0, os.SEEK_END)
                file.seek(max(0, end - TAIL))
                *lines, cut_off = file.read().split(b"\n")
                if again and any(_is_line_of(one, verdict) for one in lines):
                    return verdict
                rest = line[len(cut_off) :] if line.startswith(cut_off) else b"\n" + line
                while rest:
                    rest = rest[file.write(rest) :]
                os.fsync(file.fileno())
        except OSError as fault:
            raise NotKept(
                f"{self.path} cannot be written ({fault.strerror or fault}). No further image is scored until it "
                "can be."
            ) from fault
        return verdict


def as_line(record: VerdictRecord) -> str:
    """Return a record as one line of JSON."""
    return json.dumps(record.to_dict())


def _why_no_line_file(path: Path) -> str | None:
    """Return why lines must not be appended to a file; None where they may."""
    place = path.absolute().parent.resolve() / path.name
    home = expanded("~")  # stays "~" for a service's user without a home
    below = place.relative_to(home if place.is_relative_to(home) else place.anchor)
    reasons = {
        f"is a folder; name the file to write, such as {path / 'lines.jsonl'}.": path.is_dir(),
        f"has none of the endings {', '.join(LINE_SUFFIXES)}; give the file such a name.": (
            path.suffix.casefold() not in LINE_SUFFIXES
        ),
        "is a link to another file. Name the file itself.": path.is_symlink(),
        "is hidden or lies where programs keep their settings. Choose another place.": is_private(
            below.parts
        ),
        f"lies in the program's own folder {PROGRAM}. Choose another place.": place.is_relative_to(PROGRAM),
        "exists, and its last line was not written by this program. Name a new file.": (
            path.exists() and not (path.is_file() and _ends_in_our_line(path))
        ),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _ends_in_our_line(path: Path) -> bool:
    """Whether a file is empty, or this program wrote its last whole line; a cut-off line may follow that line."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - TAIL))
            *lines, cut_off = file.read().split(b"\n")
    except OSError:
        return False
    if lines:
        return _parsed(lines[-1]) is not None
    return not cut_off or cut_off.startswith(FIRST_WORDS) or FIRST_WORDS.startswith(cut_off)


def _open_itself(path: str, flags: int) -> int:
    """Open a file, but follow no link that may have taken its name by now."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


def _parsed(line: bytes) -> VerdictRecord | None:
    """Return the record of a line; None where another program wrote the line."""
    try:
        return VerdictRecord.from_dict(json.loads(line))
    except (ValueError, TypeError, KeyError):
        return None


def _is_line_of(line: bytes, record: VerdictRecord) -> bool:
    parsed = _parsed(line)
    return parsed is not None and (parsed.key, parsed.time) == (record.key, record.time)


def _make(values: Values, _folder: Path) -> LineFile | None:
    return LineFile(Path(values["lines_to"])) if values["lines_to"] else None


def _summary(values: Values) -> str:
    return f"lines go to {display_name(values['lines_to'])}" if values["lines_to"] else ""


LINES = OutputSpec(
    "lines",
    (
        Option(
            "lines_to",
            "--json-to",
            "file",
            label="Append a line of JSON for each image to this file",
            help="Append a line of JSON for each image to this file.",
            default="",
            detail="For a line controller: file, score, verdict, thresholds, regions and time. A line is on the disk "
            "before the next image is scored.",
            empty="none",
        ),
    ),
    _make,
    _summary,
)
