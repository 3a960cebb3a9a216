"""Parts shared by the commands: exit codes, remarks, progress, loading an inspector, rules, numbers."""

from __future__ import annotations

import errno
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from patchcore.disk import work_notes
from patchcore.disk.faults import disk_fault
from patchcore.disk.in_use import delete_folder
from patchcore.errors import PatchCoreError, SettingsError
from patchcore.files.targets import cannot_write, is_bad_name
from patchcore.images.file_names import display_name

if TYPE_CHECKING:
    from patchcore.detector import Detector
    from patchcore.thresholds.operating_point import Choice

remarks = Console(stderr=True, highlight=False, emoji=False)  # ":ok:" in a file's name stays as it is

InspectorFile = Annotated[
    Path, typer.Argument(metavar="NAME.patchcore", help="A saved inspector.", show_default=False)
]
LabelledSet = Annotated[
    Path,
    typer.Argument(
        metavar="SET",
        help="Labelled set: folders of good parts and defects as in MVTec's layout, or a CSV of file,label[,mask].",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Weights = Annotated[Path | None, typer.Option(help="State dict of the backbone (.pth or .safetensors).")]


def run(app: typer.Typer) -> None:
    """Run a command line; turn errors into exit codes: 1 for an error that the user can mend, 2 for a program fault."""
    write_any_name()
    before = signal.signal(signal.SIGTERM, _end_in_order)
    try:
        app()
    except SystemExit as finished:
        # typer exits with 2 for arguments that it cannot read; the user can mend these
        sys.exit(1 if finished.code == 2 else finished.code)
    except PatchCoreError as error:
        remarks.print(str(error), style="red", markup=False, soft_wrap=True)
        sys.exit(1)
    except OSError as error:
        if (words := disk_fault(error)) is not None:
            remarks.print(words, style="red", markup=False, soft_wrap=True)
            sys.exit(1)
        if not is_bad_name(error):
            _fault()
        sentence = "The name is longer than a disk takes, 255 bytes at most. Choose a shorter one."
        if error.errno != errno.ENAMETOOLONG:
            sentence = f"{error.strerror}. Choose a shorter name, of letters and digits."
        remarks.print(
            f"{display_name(str(error.filename))}: {sentence}", style="red", markup=False, soft_wrap=True
        )
        sys.exit(1)
    except Exception:
        _fault()
    finally:
        signal.signal(signal.SIGTERM, before)


def _end_in_order(number: int, _frame: object) -> None:
    """End as a program ends that handles no signal, except that the file in work is not to blame."""
    if (notes := work_notes.of_process()) is not None:
        notes.close()
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)


def _fault() -> NoReturn:
    """Print the fault of the program at hand, and end with exit code 2."""
    remarks.print("A fault of the program, not yours. Please report what follows.", style="red")
    remarks.print(traceback.format_exc(), markup=False)
    sys.exit(2)


def write_any_name() -> None:
    """Have both standard streams write every name: a character that the console lacks becomes an escape.

    A file's name may hold bytes that are no text, or characters that the console's code page lacks. Neither may stop
    the output.
    """
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")


def write_result(target: Path, write: Callable[[Path], object]) -> tuple[Path, str]:
    """Write a result; where its place has become unusable, into a new folder among the temporary files.

    Returns
    -------
    place, trouble
        Where the result is, and a sentence on the other place; the sentence is empty when all is well.

    Raises
    ------
    PatchCoreError
        The result can be written nowhere.
    """
    try:
        write(target)
    except (PatchCoreError, OSError) as fault:
        reason = cannot_write(target, fault) if isinstance(fault, OSError) else str(fault)
    else:
        return target, ""
    try:
        folder = Path(tempfile.mkdtemp(prefix="patchcore-"))
    except OSError:
        raise PatchCoreError(reason) from None
    place = folder / target.name
    try:
        write(place)
    except (PatchCoreError, OSError):
        delete_folder(folder)
        raise PatchCoreError(reason) from None
    return place, f"{reason} Meanwhile the result is in {display_name(str(place))}; move it from there."


def end_with(trouble: str) -> None:
    """Print a sentence on an output that failed, and end with exit code 1; do nothing for an empty one."""
    if trouble:
        remarks.print(trouble, style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1)


@contextmanager
def progress_bars() -> Iterator[Any]:
    """Show a bar per stage on standard error; yields a callback (stage, done, total)."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=remarks, transient=True) as bars:
        tasks: dict[str, Any] = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage)
            bars.update(tasks[stage], completed=done, total=total or None)

        yield report


def remark(sentences: list[str]) -> None:
    """Print sentences on standard error: images left out or not counted, and the like."""
    for sentence in sentences:
        remarks.print(sentence, style="yellow", markup=False, soft_wrap=True)


def load_inspector(path: Path, weights: Path | None) -> Detector:
    """Read an inspector; a failed self-test becomes a remark."""
    from patchcore.detector import Detector

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = Detector.load(path, weights)
    for warning in caught:
        if warning.category is UserWarning:
            remarks.print(str(warning.message), style="bold yellow", markup=False, soft_wrap=True)
    return model


def read_rule(text: str) -> Choice:
    """Read a rule as it is written on the command line: NAME or NAME:parameter=number,parameter=number.

    Raises
    ------
    SettingsError
        A parameter is not written so. Unknown names are refused where the rule is applied.
    """
    from patchcore.thresholds.operating_point import Choice

    name, _, rest = text.partition(":")
    return Choice(name.strip(), read_parameters(rest.split(",") if rest else []))


def read_parameters(written: list[str]) -> dict[str, float]:
    """Read "name=number" pairs; errors as for `read_rule`."""
    parameters = {}
    for pair in written:
        name, equals, value = pair.partition("=")
        try:
            parameters[name.strip()] = float(value)
        except ValueError:
            equals = ""
        if not (name.strip() and equals):
            raise SettingsError(
                f"A rule's parameter is written name=number, as in budget=0.005; not {pair!r}."
            )
    return parameters


def number(value: float | None) -> str:
    """Return a number with four digits, or a dash where undefined."""
    return "-" if value is None else f"{value:.4f}"
