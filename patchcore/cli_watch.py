"""`python -m patchcore watch`: score the images of a folder as they arrive, each once, until told to stop."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from patchcore.errors import SettingsError
from patchcore.file_names import display_name
from patchcore.terminal import InspectorFile, Weights, load_inspector, remark

if TYPE_CHECKING:
    from patchcore.detector import PatchCore
    from patchcore.watch_journal import Journal
    from patchcore.watch_verdict import Given

DASHBOARD = "workbench.watch_history:open_history"

Opener = Callable[[Path, Path, Callable[[str], None]], "Journal"]


def watch(
    inspector: InspectorFile,
    folder: Annotated[Path, typer.Argument(help="Folder in which images arrive.", show_default=False)],
    move: Annotated[
        Path | None, typer.Option(help="Move each image into accept, review or reject in this folder.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a line of JSON for each image, for a line controller.")
    ] = False,
    json_to: Annotated[Path | None, typer.Option(help="Append those lines to this file.")] = None,
    subfolders: Annotated[bool, typer.Option("--subfolders", help="Look into folders below too.")] = False,
    once: Annotated[bool, typer.Option("--once", help="Score what is there, then end.")] = False,
    settle: Annotated[
        float, typer.Option(help="Seconds for which a file must not have changed.", min=0)
    ] = 1.0,
    interval: Annotated[float, typer.Option(help="Seconds between two looks at the folder.", min=0.05)] = 0.5,
    broken_after: Annotated[
        float, typer.Option(help="Seconds after which a file that cannot be read is called broken.", min=0)
    ] = 30.0,
    journal: Annotated[
        Path | None, typer.Option(help="Keep verdicts in this file alone, not in the dashboard's history.")
    ] = None,
    history: Annotated[
        str | None,
        typer.Option(
            metavar="MODULE:FUNCTION",
            help="What opens a place for verdicts; the dashboard's history where it is installed.",
        ),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(help="Threads to compute with; all cores by default.")
    ] = None,
    weights: Weights = None,
) -> None:
    """Score images as they arrive in a folder: written completely, each once, also across restarts.

    Verdicts go to the dashboard's history, or to a journal beside the inspector. Ctrl-C or SIGTERM ends it after the
    image in hand. docs/watching.md tells how to run it as a service of a line's PC.
    """
    from patchcore.threads import use_threads
    from patchcore.watch_outputs import LineFile, Mover, Outputs, as_line, to_stdout
    from patchcore.watch_run import WatchRun
    from patchcore.watch_verdict import ModelJudge
    from patchcore.watching import Watcher, require_folder

    if journal is not None and history is not None:
        raise SettingsError("Choose one place for the verdicts: --journal or --history.")
    require_folder(folder)
    model = load_inspector(inspector, weights)
    _check_threshold(model, move)
    if threads is not None:
        use_threads(threads)
    mover = None if move is None else Mover(folder, move)
    show = to_stdout(as_line if as_json else _for_people)
    with _stop_on_signals() as stop, closing(_open_journal(inspector, folder, journal, history)) as kept:
        watcher = Watcher(
            folder,
            kept.seen,
            settle=settle,
            interval=interval,
            broken_after=broken_after,
            subfolders=subfolders,
            exclude=() if mover is None else mover.places,
        )
        if not once:
            _say(f"Watching {folder} for images to be judged by {inspector.stem}. Ctrl-C ends it.")
        outputs = Outputs(mover, None if json_to is None else LineFile(json_to), show)
        judge = ModelJudge(model, inspector.stem)
        tally = WatchRun(watcher, judge, kept, outputs, say=_say, stop=stop).run(once=once)
    broken = f", {tally.broken} could not be scored" if tally.broken else ""
    _say(f"Scored {tally.scored} of {folder}{broken}.")


def journal_beside(inspector: Path, folder: Path) -> Path:
    """Return where verdicts of an inspector on the images of a folder are kept when nobody says otherwise."""
    mark = hashlib.sha256(str(folder.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return inspector.with_name(f"{inspector.stem}.watched-{mark}.jsonl")


def _open_journal(inspector: Path, folder: Path, journal: Path | None, history: str | None) -> Journal:
    from patchcore.watch_journal import FileJournal

    if journal is None:
        named = history or DASHBOARD
        if history is not None or _can_be_found(named):
            return _opener(named)(inspector, folder, _say)
        journal = journal_beside(inspector, folder)
        _say(f"The dashboard is not installed here; verdicts are kept in {journal} alone.")
    return FileJournal(journal, folder, _say)


def _opener(named: str) -> Opener:
    module, _, function = named.partition(":")
    try:
        opener: Opener = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as fault:
        raise SettingsError(
            f"--history names no function that can be imported ({fault}). It is written MODULE:FUNCTION, as in "
            f"{DASHBOARD}."
        ) from fault
    return opener


def _can_be_found(named: str) -> bool:
    """Whether a module is installed, without importing it; the packages above it are."""
    try:
        return importlib.util.find_spec(named.partition(":")[0]) is not None
    except ImportError:
        return False


def _check_threshold(model: PatchCore, move: Path | None) -> None:
    point = model.operating_point_
    missing = "it has none" if point is None else point.stale
    if missing and move is not None:
        raise SettingsError(
            f"No file can be moved by its verdict: the threshold cannot be used ({missing}). Set it first: "
            "python -m patchcore threshold."
        )
    if missing:
        remark([f"No image is judged, only scored: the threshold cannot be used ({missing})."])


@contextmanager
def _stop_on_signals() -> Iterator[threading.Event]:
    """Yield what the first Ctrl-C or SIGTERM sets; a second one ends the program at once."""
    stop = threading.Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def ask(number: int, _frame: object) -> None:
        stop.set()
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, ask)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _for_people(given: Given) -> str:
    box = ",".join(str(edge) for edge in given.worst_box or ())
    score = "-" if given.score is None else f"{given.score:.4f}"
    return f"{score}\t{given.verdict or '-'}\t{box}\t{display_name(given.moved_to or given.file)}"


def _say(sentence: str) -> None:
    remark([display_name(sentence)])
