"""The workbench's command line: `python -m workbench prepare-sample | backup | restore`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from patchcore.errors import PatchCoreError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
remarks = Console(stderr=True, highlight=False)


@app.callback()
def workbench() -> None:
    """Look after the workspace of the dashboard."""


@app.command()
def prepare_sample() -> None:
    """Build the inspectors of the sample products and inspect their test images, unless that is done."""
    from workbench import samples  # late, so that --help does not wait for PyTorch
    from workbench.workspace import Workspace

    workspace = Workspace()
    for sample in reversed(samples.list_samples()):  # the newest is in use at first: the one listed first
        if samples.find_sample_inspector(workspace, sample) is None:
            remarks.print(
                f"Building the sample inspector {sample.title} in {workspace.root} ...", markup=False
            )
        samples.score_sample(workspace, sample)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The zip file to write.")],
    replace: Annotated[bool, typer.Option(help="Overwrite the file when it is there already.")] = False,
) -> None:
    """Write everything that was made to one file; the dashboard may go on working meanwhile."""
    from workbench.backup import back_up
    from workbench.workspace import Workspace

    workspace = Workspace()
    done = back_up(workspace, file, replace=replace)
    remarks.print(
        f"{done.path}: {done.rows} rows and {done.files} files of {workspace.root}, "
        f"{done.size_bytes / 1e6:.1f} MB.",
        markup=False,
        soft_wrap=True,
    )
    _tell_losses(done.lost, "The backup does not have everything. Run: python -m workbench check")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `backup` wrote.")],
    into: Annotated[Path, typer.Option(help="A new or empty folder.")],
) -> None:
    """Put a backup into a new folder, after checking every part of it."""
    from workbench.backup_restore import restore as put_back

    done = put_back(file, into)
    remarks.print(
        f"{done.rows} rows and {done.files} files are in {done.workspace}. "
        f"To work with them: PATCHCORE_WORKSPACE={done.workspace} make run",
        markup=False,
        soft_wrap=True,
    )
    _tell_losses(done.lost, "The backup was taken without these.")


def _tell_losses(lost: list[str], what: str) -> None:
    """Name what is not there, and have the exit code say so."""
    if lost:
        for sentence in lost:
            remarks.print(sentence, style="yellow", markup=False, soft_wrap=True)
        remarks.print(what, style="yellow", markup=False, soft_wrap=True)
        raise typer.Exit(1)


if __name__ == "__main__":
    try:
        app()
    except PatchCoreError as error:
        remarks.print(str(error), style="red", markup=False, soft_wrap=True)
        sys.exit(1)
