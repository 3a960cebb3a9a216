"""`python -m workbench watch`: score the images of a folder as they arrive, each once, until a signal stops it."""

from __future__ import annotations

import inspect
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from patchcore.cli.terminal import Weights, load_inspector, remark
from patchcore.errors import SettingsError
from patchcore.images.file_names import display_name
from workbench.watching.outputs.registry import make_outputs, options

if TYPE_CHECKING:
    from workbench.storage.workspace import Workspace
    from workbench.watching.outputs.declaration import Option
    from workbench.watching.outputs.delivery import Outputs
    from workbench.watching.run import Judge
    from workbench.watching.verdict import ModelJudge

SUFFIX = ".patchcore"
TYPES = {"folder": Path, "file": Path, "text": str, "whole": int, "number": float, "switch": bool}
"""Python type of each kind of option, for the command line."""
STOPPING = tuple(number for number in signal.Signals if number.name in ("SIGINT", "SIGTERM", "SIGBREAK"))
"""Ctrl-C, a service manager's request and, on Windows, Ctrl-Break and the end of the console or of the session."""


def with_output_options(command: Callable[..., None]) -> Callable[..., None]:
    """Replace a command's `**chosen` by the options that the outputs declare, placed after its arguments."""
    signature = inspect.signature(command, eval_str=True)
    *own, _ = signature.parameters.values()
    arguments = [parameter for parameter in own if parameter.default is parameter.empty]
    declared = [_parameter(option) for option in options(terminal=True)]
    command.__signature__ = signature.replace(  # type: ignore[attr-defined]  # read by inspect.signature
        parameters=[*arguments, *declared, *own[len(arguments) :]]
    )
    return command


def _parameter(option: Option) -> inspect.Parameter:
    """Return the parameter of an output's option; `Option.check` checks its value."""
    annotation: Any = TYPES[option.kind]
    default = option.default
    if option.is_place:
        annotation, default = annotation | None, Path(default) if default else None
    return inspect.Parameter(
        option.name,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        default=default,
        annotation=Annotated[annotation, typer.Option(option.flag, help=option.help)],
    )


def _values(typed: Mapping[str, Any]) -> dict[str, Any]:
    """Return option values as outputs take them: a folder or file as text, "" where none is named."""
    return {
        option.name: str(typed[option.name] or "") if option.is_place else typed[option.name]
        for option in options(terminal=True)
    }


@with_output_options
def watch(
    inspector: Annotated[
        str,
        typer.Argument(
            metavar=f"NAME|FILE{SUFFIX}",
            help="An inspector of the workspace, by its name or id, or a saved one.",
            show_default=False,
        ),
    ],
    folder: Annotated[Path, typer.Argument(help="Folder in which images arrive.", show_default=False)],
    subfolders: Annotated[bool, typer.Option("--subfolders", help="Look into folders below too.")] = False,
    once: Annotated[bool, typer.Option("--once", help="Score the files that are there, then end.")] = False,
    settle: Annotated[
        float, typer.Option(help="Seconds for which a file must not have changed.", min=0)
    ] = 1.0,
    interval: Annotated[float, typer.Option(help="Seconds between two looks at the folder.", min=0.05)] = 0.5,
    broken_after: Annotated[
        float, typer.Option(help="Seconds after which a file that cannot be read is called broken.", min=0)
    ] = 30.0,
    threads: Annotated[
        int | None, typer.Option(help="Threads to compute with; all cores by default.")
    ] = None,
    weights: Weights = None,
    **chosen: Any,
) -> None:
    """Score images as they arrive in a folder: written completely, each once, also across restarts.

    Verdicts are kept in the history of the workspace. Ctrl-C or SIGTERM ends it after the image in hand.
    docs/watching.md tells how to run it as a service of a line's PC.
    """
    from patchcore.disk import work_notes
    from patchcore.kernels.threads import use_threads
    from workbench.storage.workspace import Workspace
    from workbench.watching.folder import Watcher, require_folder
    from workbench.watching.history import HistoryJournal, PictureKeeper
    from workbench.watching.run import WatchRun

    require_folder(folder)
    outputs = make_outputs(_values(chosen), folder, terminal=True)
    outputs.require_targets()
    if threads is not None:
        use_threads(threads)
    with closing(Workspace()) as workspace:
        work_notes.use(workspace.notes)
        judge, at_start = _judge(workspace, inspector, weights)
        _check_threshold(at_start.missing, outputs)
        with (
            _stop_on_signals() as stop,
            closing(HistoryJournal(workspace, folder, PictureKeeper(workspace))) as journal,
        ):
            _say(f"Verdicts are kept in the history of {workspace.root}.")
            watcher = Watcher(
                folder,
                journal.has_verdict,
                settle=settle,
                interval=interval,
                broken_after=broken_after,
                subfolders=subfolders,
                exclude=[workspace.root, *outputs.folders_left_out()],
            )
            if not once:
                _say(f"Watching {folder} for images to be judged by {at_start.name}. Ctrl-C ends it.")
            tally = WatchRun(watcher, judge, journal, outputs, say=_say, stop=stop).run(once=once)
    for sentence in tally.remarks.repeated():
        _say(sentence)
    broken = f", {tally.broken} could not be scored" if tally.broken else ""
    _say(f"Scored {tally.scored} of {folder}{broken}.")


def _judge(workspace: Workspace, inspector: str, weights: Path | None) -> tuple[Judge, ModelJudge]:
    """Return the judge, and the model and thresholds that it uses at the start."""
    from workbench.inspectors.versions import find_id
    from workbench.watching.in_use import InspectorJudge, columns_of_file
    from workbench.watching.verdict import ModelJudge

    if inspector.lower().endswith(SUFFIX):
        file = Path(inspector)
        model = load_inspector(file, weights)
        alone = ModelJudge(model, file.stem, model.operating_point_, columns_of_file(workspace, file))
        return alone, alone
    if weights is not None:
        raise SettingsError(
            f"--weights goes with a file that ends in {SUFFIX}; the workspace knows the weights of its inspectors."
        )
    judge = InspectorJudge(workspace, find_id(workspace, inspector))
    return judge, judge.in_use()


def _check_threshold(missing: str, outputs: Outputs) -> None:
    if missing and (refusal := outputs.needs_verdict()):
        raise SettingsError(
            f"{refusal}: the threshold cannot be used ({missing}). Set it first: on the "
            "page Tune, or in a file by python -m patchcore threshold."
        )
    if missing:
        remark([f"No image is judged, only scored: the threshold cannot be used ({missing})."])


@contextmanager
def _stop_on_signals() -> Iterator[threading.Event]:
    """Yield an event that the first of the stopping signals sets; a second one ends the program at once."""
    stop = threading.Event()
    before = {number: signal.getsignal(number) for number in STOPPING}

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


def _say(sentence: str) -> None:
    remark([display_name(sentence)])
